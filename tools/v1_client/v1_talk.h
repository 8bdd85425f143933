// SPDX-License-Identifier: MIT
// V1Talk: a Conversation as a Talk: lines cut from bytes, the usual answers read without a parser.
#pragma once

#include "client/talk.h"
#include "v1_client/conversation.h"
#include "v1_client/lines.h"

namespace adit::client {

class V1Talk final : public Talk {
 public:
  /// Both outlive it; the parser may be shared by the talks of a thread.
  V1Talk(const Login& login, simdjson::dom::parser& parser) : talk_(login), parser_(parser) {}

  void begin(std::string& out) override { out += talk_.hello(); }
  std::optional<Event> hear(Bytes& wire, UnixSeconds now, std::string& out) override;
  std::uint64_t append_submit(std::string& out, const MinerWork& work, Bytes extranonce2,
                              std::uint32_t nonce, std::uint32_t version_bits) override;
  bool authorised() const override { return talk_.authorised(); }
  const WorkPtr& work() const override { return talk_.work(); }

 private:
  Event on_line(std::string_view line, std::string& out);

  Conversation talk_;
  LineBuffer lines_;
  simdjson::dom::parser& parser_;
  std::uint64_t next_id_ = Conversation::kFirstShareId;
};

}  // namespace adit::client
