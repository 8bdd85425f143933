// SPDX-License-Identifier: MIT
// Conversation: the miner's half of one Stratum V1 connection, without the socket. Lines in, what
// they mean out; it remembers what the pool has set. Thread: one.
#pragma once

#include <simdjson.h>

#include <string>
#include <string_view>

#include "client/talk.h"

namespace adit::client {

class Conversation {
 public:
  explicit Conversation(const Login& login) : login_(&login) {}  ///< outlives it

  /// configure, subscribe and authorize: what is sent first, in one piece.
  std::string hello() const;
  /// `parser` may be shared by the conversations of a thread.
  Event hear(std::string_view line, simdjson::dom::parser& parser);
  /// One mining.submit for the work. Ids from 4 on belong to shares.
  static constexpr std::uint64_t kFirstShareId = 4;
  void append_submit(std::string& out, std::uint64_t id, const MinerWork& work, Bytes extranonce2,
                     std::uint32_t nonce, std::uint32_t version_bits) const;

  bool ready() const { return authorised_ && work_ != nullptr; }
  bool authorised() const { return authorised_; }
  /// The newest, or null before the first notify.
  const WorkPtr& work() const { return work_; }
  const Difficulty& difficulty() const { return difficulty_; }

 private:
  using Element = simdjson::dom::element;
  Event on_request(std::string_view method, const Element& root);
  Event on_client_method(std::string_view method, const Element& root, const Element& params);
  Event on_reply(std::uint64_t id, const Element& root);
  Event on_configured(const Element& result);
  Event on_subscribed(const Element& result);
  Event on_notify(const Element& params);
  bool set_extranonce(const Element& first, const Element& second);

  const Login* login_;
  ByteVec extranonce1_;
  std::size_t extranonce2_size_ = 0;
  std::optional<std::uint32_t> version_mask_;
  Difficulty difficulty_;  // holds from the next notify on
  bool subscribed_ = false, authorised_ = false;
  WorkPtr work_;
};

}  // namespace adit::client
