// SPDX-License-Identifier: MIT
// Slices in the books: how they close, how a restart finds the open one again, how they expire.
#include <algorithm>
#include <array>
#include <utility>

#include "adit/base/check.h"
#include "adit/ledger/ledger.h"
#include "ledger/books.h"
#include "ledger/open_slice.h"
#include "ledger/slice_reader.h"

namespace adit {
namespace {

Error refusal() {
  return {ErrorCode::Io,
          "the ledger refuses since its store failed; restart the pool after mending the disk"};
}
Error corrupt(std::string text) { return {ErrorCode::Corrupt, std::move(text)}; }

constexpr std::string_view kNetworkKey = "network";

std::string text_of(const NetworkFacts& facts) {
  return Work(facts.work).decimal() + " " + std::to_string(facts.subsidy.value()) + " " +
         std::to_string(facts.mean_fees.value());
}

std::optional<NetworkFacts> facts_of(std::string_view text) {
  std::array<Uint128, 3> numbers{};
  for (Uint128& number : numbers) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const auto read = Work::from_decimal(text.substr(0, end));
    if (!read) return std::nullopt;
    number = read->value();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const auto most = static_cast<Uint128>(kMaxMoney.value());
  if (!text.empty() || numbers[1] > most || numbers[2] > most) return std::nullopt;
  return NetworkFacts{numbers[0], Satoshi(static_cast<std::int64_t>(numbers[1])),
                      Satoshi(static_cast<std::int64_t>(numbers[2]))};
}

}  // namespace

void Ledger::set_network(const NetworkFacts& facts) {
  CHECK(facts.subsidy >= Satoshi() && facts.subsidy <= kMaxMoney);
  CHECK(facts.mean_fees >= Satoshi() && facts.mean_fees <= kMaxMoney);
  slice_->set_network(facts);
}

/// A restart must know what the shares of the open slice are worth.
void Ledger::note_network(LedgerBatch& batch) {
  if (slice_->network() == noted_network_) return;
  noted_network_ = slice_->network();
  batch.put(Family::Meta, std::string(kNetworkKey), text_of(noted_network_));
}

void Ledger::close_slice(LedgerBatch& batch, UnixMillis now, const BlockHash& block) {
  closing_.push_back(slice_->close(now, block));
  const ByteVec value = closing_.back().encode();
  batch.put(Family::Slices, key_u64(closing_.back().number.value()), std::string(text_of(value)));
  batch.put(Family::Meta, std::string(kSlicesThrough), slice_->newest().text());
}

void Ledger::slices_are_durable() {
  for (SliceRecord& slice : closing_) closed_.push_back(std::move(slice));
  closing_.clear();
}

Status Ledger::close_due_slice(UnixMillis now) {
  if (failed_) return refusal();
  if (!slice_->due(now)) return {};
  LedgerBatch batch;
  close_slice(batch, now, {});
  return commit(batch, options_.sync);
}

Status Ledger::close_open_slice(UnixMillis now) {
  if (failed_) return refusal();
  if (!slice_->may_close()) return {};
  LedgerBatch batch;
  close_slice(batch, std::max(now, slice_->newest_share()), {});
  return commit(batch, true);
}

std::vector<SliceRecord> Ledger::take_closed_slices() { return std::exchange(closed_, {}); }

SliceNumber Ledger::last_slice() const { return slice_->last_closed(); }

HighWater Ledger::high_water() const { return {last_, head_, slice_->newest(), money_batches_}; }

Status Ledger::write(LedgerBatch& batch) {
  const auto allowed = [](Family f) { return f == Family::Credits || f == Family::Payments; };
  for (const auto& put : batch.puts) CHECK(allowed(put.family));
  for (const auto& range : batch.deletes) CHECK(allowed(range.family));
  if (failed_) return refusal();
  batch.put(Family::Meta, std::string(kMoneyBatches), std::to_string(money_batches_ + 1));
  if (Status s = commit(batch, true); !s) return s;
  ++money_batches_;
  return {};
}

std::string Ledger::address_of(AccountId account) const {
  const auto& accounts = books_->accounts();
  return account.value() < accounts.size() ? accounts[account.value()].address : std::string();
}

AccountId Ledger::account_of(std::string_view address) const {
  return books_->booked_account(address);
}

Result<AccountId> Ledger::book_account(std::string_view address, UnixMillis now) {
  if (const AccountId known = account_of(address); known != AccountId()) return known;
  if (failed_) return refusal();
  LedgerBatch batch;
  const AccountId made = books_->book_account(batch, address, now, last_);
  if (made == AccountId()) return made;
  if (Status s = commit(batch, true); !s) return s.error();
  return made;
}

Status Ledger::rebuild_slice() {
  const auto from = read_slices_from(*store_);
  if (!from) return from.error();
  const auto newest = newest_slice(*store_);
  if (!newest) return newest.error();
  slices_from_ = from->value_or(Sequence(last_.value() + 1));
  if (slices_from_.value() - 1 > last_.value())
    return corrupt("meta slices_from is beyond the last share");
  const auto through = read_slices_through(*store_);
  if (!through) return through.error();
  const SliceMark there = *newest ? SliceMark{(*newest)->number, (*newest)->hash()} : SliceMark{};
  if (there != through->value_or(SliceMark{}))
    return corrupt(
        "the newest slice is number " + std::to_string(there.number.value()) +
        ", not the one that meta slices_through names: slices were taken out or changed");
  Sequence next = slices_from_;
  if (*newest) {
    if (!*from) return corrupt("meta slices_from is missing");
    if ((*newest)->last > last_ || (*newest)->last < slices_from_)
      return corrupt("slice " + std::to_string((*newest)->number.value()) +
                     " ends at a share that is not in the books");
    slice_->follow(**newest);
    next = Sequence((*newest)->last.value() + 1);
  }
  const auto noted = store_->get(Family::Meta, kNetworkKey);
  if (!noted) return noted.error();
  if (*noted) {
    const auto facts = facts_of(**noted);
    if (!facts) return corrupt("meta network: not what shares are worth: " + **noted);
    slice_->set_network(noted_network_ = *facts);
  }
  Digest before{};
  Uint128 total = 0;
  bool sound = true;
  const auto visit = [&](const ShareRecord& share, const Digest& chain) {
    sound = books_->account_of(share.worker) == share.account && share.account.value() != 0 &&
            share.work.value() != 0 && !__builtin_add_overflow(total, share.work.value(), &total);
    if (sound) slice_->add(share, chain);
    return sound;
  };
  if (Status s = for_each_link(*store_, next, before, visit); !s) return s;
  if (!sound) return corrupt("a share of the open slice has an unknown worker or no work");
  if (*newest && before != (*newest)->chain)
    return corrupt("slice " + std::to_string((*newest)->number.value()) +
                   " ends with another chain value than its last share");
  return {};
}

Status Ledger::expire_slices(SliceNumber before) {
  if (failed_) return refusal();
  const SliceNumber end = std::min(before, slice_->last_closed());
  const auto oldest = oldest_slice(*store_);
  if (!oldest) return oldest.error();
  if (!*oldest || (*oldest)->number >= end) return {};
  LedgerBatch batch;
  batch.deletes.push_back({Family::Slices, key_u64(0), key_u64(end.value())});
  return commit(batch, true);
}

}  // namespace adit
