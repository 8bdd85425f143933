// SPDX-License-Identifier: MIT
// The hashing loop: see digger.h.
#include "cpu_miner/digger.h"

#include <algorithm>

#include "adit/crypto/sha256.h"

namespace adit::miner {

namespace {

using client::MinerWork;
using client::WorkPtr;

/// A header whose nonces are tried.
struct Field {
  ByteVec extranonce2;
  std::uint32_t version_bits;
  HeaderBytes header;
};

Field next_field(const MinerWork& work, std::uint64_t roll) {
  Field field;
  field.extranonce2 = client::extranonce2_of(roll, work.extranonce2_size);
  const std::uint32_t mask = work.version_mask.value_or(0);
  field.version_bits = client::spread_bits(static_cast<std::uint32_t>(roll), mask);
  const MerkleRoot root = client::merkle_root_of(work, field.extranonce2);
  field.header = client::header_of(work, root, field.version_bits);
  return field;
}

/// At an easy target nearly every hash is a share: few at a go, so that new work comes through.
std::uint32_t at_most_a_few_shares(std::uint32_t top_word) {
  const std::uint64_t hashes = (16ull << 32) / (std::uint64_t{top_word} + 1);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(hashes, HashPace::kMostAtOnce));
}

class Digger {
 public:
  Digger(WorkShelf& shelf, double per_second)
      : shelf_(shelf), pace_(per_second, WorkShelf::Clock::now()) {}

  void run() {
    while (const WorkPtr work = shelf_.next(seen_)) {
      while (!shelf_.changed(seen_)) dig_field(work);
    }
  }

 private:
  /// All nonces of one extranonce2, or until there is other work.
  void dig_field(const WorkPtr& work) {
    const Field field = next_field(*work, shelf_.rolls++);
    const std::uint32_t top = client::top_word(work->target);
    const std::uint32_t batch = std::min(pace_.batch(), at_most_a_few_shares(top));
    constexpr std::uint64_t kNonces = 1ull << 32;
    for (std::uint64_t first = 0; first < kNonces && !shelf_.changed(seen_);) {
      const auto count =
          static_cast<std::uint32_t>(std::min<std::uint64_t>(batch, kNonces - first));
      if (!scan(work, field, static_cast<std::uint32_t>(first), count, top)) return;
      first += count;
      shelf_.hashes += count;
      const auto now = WorkShelf::Clock::now();
      const auto go_on = pace_.after(count, now);
      if (go_on > now && !shelf_.rest_until(go_on, seen_)) return;
    }
  }

  bool scan(const WorkPtr& work, const Field& field, std::uint32_t first, std::uint32_t count,
            std::uint32_t top) {
    for (const std::uint32_t nonce : scan_nonces(field.header, first, count, top)) {
      HeaderBytes header = field.header;
      store_le(header.data() + 76, nonce);
      if (!meets(BlockHash{sha256d_80(header.data())}, work->target)) continue;
      if (!shelf_.offer({work, field.extranonce2, nonce, field.version_bits}, seen_)) return false;
    }
    return true;
  }

  WorkShelf& shelf_;
  HashPace pace_;
  std::uint64_t seen_ = 0;
};

}  // namespace

std::uint32_t HashPace::batch() const {
  if (per_second_ <= 0) return kMostAtOnce;
  return static_cast<std::uint32_t>(std::clamp<double>(per_second_ / 50, 1, kMostAtOnce));
}

HashPace::Instant HashPace::after(std::uint32_t count, Instant now) {
  if (per_second_ <= 0) return now;
  const std::chrono::duration<double> cost(count / per_second_);
  next_ += std::chrono::duration_cast<Instant::duration>(cost);
  constexpr auto kGrace = std::chrono::seconds(1);
  if (next_ + kGrace < now) next_ = now;
  return next_;
}

void dig(WorkShelf& shelf, double hashes_per_second) { Digger(shelf, hashes_per_second).run(); }

}  // namespace adit::miner
