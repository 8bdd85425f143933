// SPDX-License-Identifier: MIT
// Finding easy shares: see share_maker.h.
#include "stratum_load/share_maker.h"

#include <algorithm>

#include "adit/crypto/sha256.h"

namespace adit::load {

namespace {

constexpr std::uint64_t kNonces = 1ull << 32;

}  // namespace

void ShareMaker::set_work(client::WorkPtr work) {
  work_ = std::move(work);
  ready_.clear();
  any_hash_will_do_ = work_->target == Target::max();
  begin_roll();
}

void ShareMaker::begin_roll() {
  extranonce2_ = client::extranonce2_of(roll_, work_->extranonce2_size);
  // A header-only miner has nothing else to roll.
  version_bits_ =
      work_->extranonce2_size > 0
          ? 0
          : client::spread_bits(static_cast<std::uint32_t>(roll_), work_->version_mask.value_or(0));
  header_ = client::header_of(*work_, client::merkle_root_of(*work_, extranonce2_), version_bits_);
}

void ShareMaker::make_room(std::uint32_t count) {
  if (nonce_ + count <= kNonces) return;
  nonce_ = 0;
  ++roll_;
  begin_roll();
}

std::optional<std::uint32_t> ShareMaker::next() {
  if (any_hash_will_do_) {
    make_room(1);
    return static_cast<std::uint32_t>(nonce_++);
  }
  const std::uint32_t top = client::top_word(work_->target);
  const auto batch = static_cast<std::uint32_t>(
      std::clamp<std::uint64_t>((16ull << 32) / (std::uint64_t{top} + 1), 1, kMostHashes));
  for (std::uint64_t tried = 0; ready_.empty() && tried < kMostHashes; tried += batch) {
    make_room(batch);
    for (const std::uint32_t nonce :
         scan_nonces(header_, static_cast<std::uint32_t>(nonce_), batch, top)) {
      store_le(header_.data() + 76, nonce);
      if (meets(BlockHash{sha256d_80(header_.data())}, work_->target)) ready_.push_back(nonce);
    }
    nonce_ += batch;
  }
  if (ready_.empty()) return std::nullopt;
  const std::uint32_t nonce = ready_.back();
  ready_.pop_back();
  return nonce;
}

}  // namespace adit::load
