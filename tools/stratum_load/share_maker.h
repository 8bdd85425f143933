// SPDX-License-Identifier: MIT
// ShareMaker: an endless supply of real shares for one connection, no two alike. Meant for
// difficulties at which a share costs a few hashes.
#pragma once

#include <optional>
#include <vector>

#include "client/work.h"

namespace adit::load {

class ShareMaker {
 public:
  /// More hashes than this for one share would measure us and not the server.
  static constexpr std::uint32_t kMostHashes = 1 << 20;

  /// Goes on with the nonces where the last work stopped: a job that comes again under a new id
  /// then still gives new headers.
  void set_work(client::WorkPtr work);
  /// The next share's nonce; nullopt when the difficulty is too high.
  std::optional<std::uint32_t> next();
  Bytes extranonce2() const { return extranonce2_; }
  std::uint32_t version_bits() const { return version_bits_; }
  const client::MinerWork& work() const { return *work_; }

 private:
  void begin_roll();
  void make_room(std::uint32_t count);

  client::WorkPtr work_;
  ByteVec extranonce2_;
  std::uint32_t version_bits_ = 0;
  HeaderBytes header_{};
  bool any_hash_will_do_ = false;
  std::uint64_t roll_ = 0;
  std::uint64_t nonce_ = 0;  // the next to try; 2^32: none left
  std::vector<std::uint32_t> ready_;
};

}  // namespace adit::load
