// SPDX-License-Identifier: MIT
// OpenSlice: the slice that shares still come into. Adding a share touches one sum and hashes one
// tree node on average; nothing is allocated for it once its account is known. Thread: the ledger
// writer's.
#pragma once

#include <vector>

#include "adit/ledger/slice.h"
#include "adit/ledger/store.h"

namespace adit {

class OpenSlice {
 public:
  /// Closes when its first share is this old, or when the clock has stepped back behind that.
  explicit OpenSlice(std::int64_t millis) : millis_(millis) {}

  /// Goes on after a slice on disk.
  void follow(const SliceRecord& newest);
  /// Shares that are in it keep the facts of their time: with others it is due at once.
  void set_network(const NetworkFacts& facts);
  const NetworkFacts& network() const { return network_; }

  /// A booked share and the chain value after it; shares come in order, without holes.
  void add(const ShareRecord& share, const Digest& chain) {
    if (tree_.size() == 0) first_ = share.sequence, opened_ = share.time;
    const std::uint32_t account = share.account.value();
    if (account >= works_.size()) grow(account);
    if (works_[account] == 0) touched_.push_back(account);
    works_[account] += share.work.value();
    tree_.add(chain);
    chain_ = chain;
    newest_ = share.time;
  }

  /// There are shares in it, and what they were worth is known.
  bool may_close() const { return tree_.size() != 0 && network_.work != 0; }
  bool due(UnixMillis now) const {
    const std::int64_t age = now.value() - opened_.value();
    return may_close() && (age >= millis_ || age < 0 || next_network_ != network_);
  }
  /// CHECKs may_close(). The next one is open afterwards.
  SliceRecord close(UnixMillis now, const BlockHash& block);

  UnixMillis newest_share() const { return newest_; }
  SliceNumber last_closed() const { return number_; }
  /// The same with its hash.
  SliceMark newest() const { return {number_, previous_}; }
  /// The last share of the newest closed slice; zero before the first.
  Sequence closed_through() const { return closed_through_; }
  /// The newest block that closed a slice.
  const BlockHash& newest_block() const { return newest_block_; }

 private:
  void grow(std::uint32_t account);

  std::int64_t millis_;
  NetworkFacts network_, next_network_;  // of the shares in it, and of those to come
  SliceNumber number_;                   // of the newest closed one
  Sequence closed_through_;
  Digest previous_{};
  BlockHash newest_block_;
  Sequence first_;
  UnixMillis opened_, newest_;
  Digest chain_{};
  ShareTree tree_;
  std::vector<Uint128> works_;  // by account id
  std::vector<std::uint32_t> touched_;
};

}  // namespace adit
