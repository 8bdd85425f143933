// SPDX-License-Identifier: MIT
// The messages of Stratum V2's mining protocol as plain values, in the order of the wire (spec
// chapters 3, 5 and extensions 0x0001, 0x0002). Texts and byte strings are views: of the payload
// when decoded, of the caller's when encoded. codec.h reads and writes them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>

#include "adit/base/bytes.h"
#include "adit/bitcoin/hash.h"
#include "adit/bitcoin/target.h"

namespace adit::v2 {

inline constexpr std::uint16_t kNegotiation = 0x0001;     ///< extension: which others may be used
inline constexpr std::uint16_t kWorkerHashrate = 0x0002;  ///< extension: a worker's name per share

/// What tells messages apart on the wire; `channel`: the payload begins with a channel id.
struct MessageId {
  std::uint8_t type = 0;
  bool channel = false;
  std::uint16_t extension = 0;
};

/// B0_32, B0_255, B0_64K: at most `Max` bytes behind a length of one or two bytes.
template <std::size_t Max>
struct Blob {
  static constexpr std::size_t kMax = Max;
  Bytes bytes;
};
/// SEQ0_255[U256] and SEQ0_64K[U16]: `bytes` is whole items, `Count` the type of their number.
template <class Count, std::size_t ItemSize>
struct Sequence {
  static constexpr std::size_t kItemSize = ItemSize;
  using CountType = Count;
  Bytes bytes;
  std::size_t size() const { return bytes.size() / ItemSize; }
};
using HashSequence = Sequence<std::uint8_t, 32>;
using U16Sequence = Sequence<std::uint16_t, 2>;

struct SetupConnection {
  static constexpr MessageId kId{0x00, false};
  static constexpr std::uint8_t kMiningProtocol = 0;
  static constexpr std::uint32_t kRequiresStandardJobs = 1u << 0;
  static constexpr std::uint32_t kRequiresWorkSelection = 1u << 1;
  static constexpr std::uint32_t kRequiresVersionRolling = 1u << 2;
  std::uint8_t protocol = 0;
  std::uint16_t min_version = 2, max_version = 2;
  std::uint32_t flags = 0;
  std::string_view endpoint_host;
  std::uint16_t endpoint_port = 0;
  std::string_view vendor, hardware_version, firmware, device_id;
  static auto fields(auto& m) {
    return std::tie(m.protocol, m.min_version, m.max_version, m.flags, m.endpoint_host,
                    m.endpoint_port, m.vendor, m.hardware_version, m.firmware, m.device_id);
  }
};
struct SetupConnectionSuccess {
  static constexpr MessageId kId{0x01, false};
  static constexpr std::uint32_t kRequiresFixedVersion = 1u << 0;
  std::uint16_t used_version = 2;
  std::uint32_t flags = 0;
  static auto fields(auto& m) { return std::tie(m.used_version, m.flags); }
};
struct SetupConnectionError {
  static constexpr MessageId kId{0x02, false};
  std::uint32_t flags = 0;  ///< exactly those that are not supported; 0: it was something else
  std::string_view error_code;
  static auto fields(auto& m) { return std::tie(m.flags, m.error_code); }
};
struct Reconnect {
  static constexpr MessageId kId{0x04, false};
  std::string_view new_host;   ///< empty: the same
  std::uint16_t new_port = 0;  ///< 0: the same
  static auto fields(auto& m) { return std::tie(m.new_host, m.new_port); }
};

struct OpenStandardMiningChannel {
  static constexpr MessageId kId{0x10, false};
  std::uint32_t request_id = 0;
  std::string_view user_identity;
  float nominal_hash_rate = 0;  ///< hashes a second
  Target max_target;
  static auto fields(auto& m) {
    return std::tie(m.request_id, m.user_identity, m.nominal_hash_rate, m.max_target);
  }
};
struct OpenStandardMiningChannelSuccess {
  static constexpr MessageId kId{0x11, false};
  std::uint32_t request_id = 0, channel_id = 0;
  Target target;
  Blob<32> extranonce_prefix;
  std::uint32_t group_channel_id = 0;
  static auto fields(auto& m) {
    return std::tie(m.request_id, m.channel_id, m.target, m.extranonce_prefix, m.group_channel_id);
  }
};
struct OpenMiningChannelError {
  static constexpr MessageId kId{0x12, false};
  std::uint32_t request_id = 0;
  std::string_view error_code;
  static auto fields(auto& m) { return std::tie(m.request_id, m.error_code); }
};
struct OpenExtendedMiningChannel {
  static constexpr MessageId kId{0x13, false};
  std::uint32_t request_id = 0;
  std::string_view user_identity;
  float nominal_hash_rate = 0;
  Target max_target;
  std::uint16_t min_extranonce_size = 0;
  static auto fields(auto& m) {
    return std::tie(m.request_id, m.user_identity, m.nominal_hash_rate, m.max_target,
                    m.min_extranonce_size);
  }
};
struct OpenExtendedMiningChannelSuccess {
  static constexpr MessageId kId{0x14, false};
  std::uint32_t request_id = 0, channel_id = 0;
  Target target;
  std::uint16_t extranonce_size = 0;  ///< what the miner rolls, after the prefix
  Blob<32> extranonce_prefix;
  std::uint32_t group_channel_id = 0;
  static auto fields(auto& m) {
    return std::tie(m.request_id, m.channel_id, m.target, m.extranonce_size, m.extranonce_prefix,
                    m.group_channel_id);
  }
};
struct UpdateChannel {
  static constexpr MessageId kId{0x16, true};
  std::uint32_t channel_id = 0;
  float nominal_hash_rate = 0;
  Target maximum_target;
  static auto fields(auto& m) {
    return std::tie(m.channel_id, m.nominal_hash_rate, m.maximum_target);
  }
};
struct UpdateChannelError {
  static constexpr MessageId kId{0x17, true};
  std::uint32_t channel_id = 0;
  std::string_view error_code;
  static auto fields(auto& m) { return std::tie(m.channel_id, m.error_code); }
};
struct CloseChannel {
  static constexpr MessageId kId{0x18, true};
  std::uint32_t channel_id = 0;
  std::string_view reason_code;
  static auto fields(auto& m) { return std::tie(m.channel_id, m.reason_code); }
};
struct SetExtranoncePrefix {
  static constexpr MessageId kId{0x19, true};
  std::uint32_t channel_id = 0;
  Blob<32> extranonce_prefix;
  static auto fields(auto& m) { return std::tie(m.channel_id, m.extranonce_prefix); }
};

struct NewMiningJob {
  static constexpr MessageId kId{0x15, true};
  std::uint32_t channel_id = 0, job_id = 0;
  std::optional<std::uint32_t> min_ntime;  ///< absent: a future job
  std::uint32_t version = 0;
  MerkleRoot merkle_root;
  static auto fields(auto& m) {
    return std::tie(m.channel_id, m.job_id, m.min_ntime, m.version, m.merkle_root);
  }
};
struct NewExtendedMiningJob {
  static constexpr MessageId kId{0x1f, true};
  std::uint32_t channel_id = 0, job_id = 0;
  std::optional<std::uint32_t> min_ntime;
  std::uint32_t version = 0;
  bool version_rolling_allowed = false;
  HashSequence merkle_path;
  Blob<65535> coinbase_tx_prefix, coinbase_tx_suffix;  ///< without witness bytes
  static auto fields(auto& m) {
    return std::tie(m.channel_id, m.job_id, m.min_ntime, m.version, m.version_rolling_allowed,
                    m.merkle_path, m.coinbase_tx_prefix, m.coinbase_tx_suffix);
  }
};
struct SetNewPrevHash {
  static constexpr MessageId kId{0x20, true};
  std::uint32_t channel_id = 0, job_id = 0;
  BlockHash prev_hash;
  std::uint32_t min_ntime = 0, nbits = 0;
  static auto fields(auto& m) {
    return std::tie(m.channel_id, m.job_id, m.prev_hash, m.min_ntime, m.nbits);
  }
};
struct SetTarget {
  static constexpr MessageId kId{0x21, true};
  std::uint32_t channel_id = 0;
  Target maximum_target;
  static auto fields(auto& m) { return std::tie(m.channel_id, m.maximum_target); }
};

struct SubmitSharesStandard {
  static constexpr MessageId kId{0x1a, true};
  std::uint32_t channel_id = 0, sequence_number = 0, job_id = 0, nonce = 0, ntime = 0, version = 0;
  static auto fields(auto& m) {
    return std::tie(m.channel_id, m.sequence_number, m.job_id, m.nonce, m.ntime, m.version);
  }
};
struct SubmitSharesExtended {
  static constexpr MessageId kId{0x1b, true};
  std::uint32_t channel_id = 0, sequence_number = 0, job_id = 0, nonce = 0, ntime = 0, version = 0;
  Blob<32> extranonce;
  static auto fields(auto& m) {
    return std::tie(m.channel_id, m.sequence_number, m.job_id, m.nonce, m.ntime, m.version,
                    m.extranonce);
  }
};
struct SubmitSharesSuccess {
  static constexpr MessageId kId{0x1c, true};
  std::uint32_t channel_id = 0, last_sequence_number = 0, new_submits_accepted_count = 0;
  std::uint64_t new_shares_sum = 0;  ///< difficulty of this batch, rounded down
  static auto fields(auto& m) {
    return std::tie(m.channel_id, m.last_sequence_number, m.new_submits_accepted_count,
                    m.new_shares_sum);
  }
};
struct SubmitSharesError {
  static constexpr MessageId kId{0x1d, true};
  std::uint32_t channel_id = 0, sequence_number = 0;
  std::string_view error_code;
  static auto fields(auto& m) { return std::tie(m.channel_id, m.sequence_number, m.error_code); }
};

/// The front of it: all that a pool without custom jobs reads.
struct SetCustomMiningJob {
  static constexpr MessageId kId{0x22, true};
  std::uint32_t channel_id = 0, request_id = 0;
  static auto fields(auto& m) { return std::tie(m.channel_id, m.request_id); }
};
struct SetCustomMiningJobError {
  static constexpr MessageId kId{0x24, true};
  std::uint32_t channel_id = 0, request_id = 0;
  std::string_view error_code;
  static auto fields(auto& m) { return std::tie(m.channel_id, m.request_id, m.error_code); }
};

struct RequestExtensions {
  static constexpr MessageId kId{0x00, false, kNegotiation};
  std::uint16_t request_id = 0;
  U16Sequence requested;
  static auto fields(auto& m) { return std::tie(m.request_id, m.requested); }
};
struct RequestExtensionsSuccess {
  static constexpr MessageId kId{0x01, false, kNegotiation};
  std::uint16_t request_id = 0;
  U16Sequence supported;
  static auto fields(auto& m) { return std::tie(m.request_id, m.supported); }
};
struct RequestExtensionsError {
  static constexpr MessageId kId{0x02, false, kNegotiation};
  std::uint16_t request_id = 0;
  U16Sequence unsupported, required;
  static auto fields(auto& m) { return std::tie(m.request_id, m.unsupported, m.required); }
};

}  // namespace adit::v2
