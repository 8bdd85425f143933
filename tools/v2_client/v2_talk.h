// SPDX-License-Identifier: MIT
// V2Talk: the miner's half of one Stratum V2 connection: handshake, SetupConnection, channels,
// jobs, submits. Bytes in, events and bytes out (Talk). Thread: one.
#pragma once

#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "adit/stratum/v2/codec.h"
#include "adit/stratum/v2/frame_cipher.h"
#include "adit/stratum/v2/noise.h"
#include "client/talk.h"
#include "v2_client/mined_channel.h"

namespace adit::client {

struct V2Options {
  bool extended = false;              ///< the kind of channel
  std::optional<XOnlyKey> authority;  ///< absent: any certificate will do
  /// Standard channels: the flag REQUIRES_STANDARD_JOBS, as devices send it.
  bool header_only = true;
  std::uint32_t channels = 1;  ///< opened on this connection, at least 1
  Target max_target = Target::max();
  std::uint16_t min_extranonce_size = 4;
  std::string host;  ///< as the pool's URL names it
  std::uint16_t port = 0;
};

class V2Talk final : public Talk {
 public:
  /// Buffers that the talks of a thread share.
  struct Scratch {
    ByteVec& payload;
    ByteVec& wire;
  };
  /// `login` outlives it; `ephemeral` is fresh.
  V2Talk(const Login& login, V2Options options, EllSwiftKey ephemeral, Scratch scratch);

  void begin(std::string& out) override;
  /// Authorised comes when all channels are open. Ids of shares are V2's sequence numbers: they
  /// count in each channel for itself.
  std::optional<Event> hear(Bytes& wire, UnixSeconds now, std::string& out) override;
  /// For the channel that the work belongs to, which must be open (CHECK).
  std::uint64_t append_submit(std::string& out, const MinerWork& work, Bytes extranonce2,
                              std::uint32_t nonce, std::uint32_t version_bits) override;
  bool authorised() const override { return channels_.size() == options_.channels; }
  /// The first channel's.
  const WorkPtr& work() const override;
  const std::deque<MinedChannel>& channels() const { return channels_; }
  /// The server's certificate and key; after Secured.
  const std::optional<v2::Certificate>& certificate() const { return certificate_; }

 private:
  Event on_answer(UnixSeconds now, std::string& out);
  Event on_frame(const v2::FrameHeader& header, Bytes payload, std::string& out);
  Event on_mining_frame(std::uint8_t type, Bytes payload);
  Event on_setup_success(const v2::SetupConnectionSuccess& message, std::string& out);
  template <class Opened>
  Event on_opened(const Opened& message);
  template <class NewJob>
  Event on_job(const NewJob& message);
  Event on_tip(const v2::SetNewPrevHash& message);
  Event on_accepted(const v2::SubmitSharesSuccess& message);
  Event on_rejected(const v2::SubmitSharesError& message);
  Event broken(std::string why);
  /// Calls `use` with each channel that is meant; Malformed when there is none.
  template <class Use>
  Event with_channels(std::uint32_t channel_id, Use&& use);
  MinedChannel* find(std::uint32_t channel_id);
  void open_channels(std::string& out);
  template <class Message>
  void send(const Message& message, std::string& out);

  const Login* login_;
  V2Options options_;
  Scratch scratch_;
  std::optional<v2::Initiator> initiator_;
  ByteVec answer_;  // of the handshake, until it is complete
  std::optional<v2::FrameReader> reader_;
  std::optional<v2::CipherState> cipher_;
  std::optional<v2::Certificate> certificate_;
  std::deque<MinedChannel> channels_;
  bool set_up_ = false, fixed_version_ = false, broken_ = false;
};

}  // namespace adit::client
