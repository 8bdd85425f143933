// SPDX-License-Identifier: MIT
// Priced shares (pps, fpps): from slices and terms to the entries that paid them, and to what is
// left of each account below a satoshi.
#include <algorithm>
#include <utility>

#include "adit/ledger/reader.h"
#include "payout/audit_state.h"
#include "payout/journal_rows.h"
#include "payout/priced_batch.h"

namespace adit {
namespace {

using Micros = std::map<AccountId, Uint128>;

/// The entries of one batch, as they follow each other in the journal.
struct PaidBatch {
  std::string ref;
  std::map<AccountId, Satoshi> amounts;
};

/// What slices are worth by the terms.
struct Worth {
  Micros works;
  bool complete = true;  ///< none of them is gone
};

class SliceAuditor {
 public:
  SliceAuditor(const AuditBooks& books, SliceNumber first, SliceNumber last)
      : books_(books), store_(books.store), first_(first), last_(last) {}

  Result<SliceAudit> run() {
    PaidBatch paid;
    Status verdict;
    const Status s = for_each_entry(store_, 1, [&](const JournalEntry& entry) {
      if (entry.kind != "shares") return true;
      if (entry.ref != paid.ref) {
        verdict = take(paid);
        paid = {entry.ref, {}};
      }
      if (entry.from != Book{BookKind::Pool, 0} || entry.to.kind != BookKind::Account)
        problem(entry.ref + ": entry " + std::to_string(entry.number) +
                " does not move from the pool to an account");
      else
        paid.amounts[AccountId(static_cast<std::uint32_t>(entry.to.id))] += entry.amount;
      return verdict.ok();
    });
    if (!s && s.error().code == ErrorCode::Io) return s.error();
    if (!s) problem(s.error().text);
    if (verdict) verdict = take(paid);
    if (verdict) verdict = finish();
    if (!verdict) return verdict.error();
    return std::move(report_);
  }

 private:
  void problem(std::string text) { add_line(report_.problems, std::move(text)); }

  /// False: there is no further batch.
  Result<bool> next() {
    auto batch = next_priced_batch(store_, SliceNumber(through_.value() + 1));
    if (!batch && batch.error().code == ErrorCode::Corrupt) {
      problem(batch.error().text);
      broken_ = true;
      return false;
    }
    if (!batch) return batch.error();
    if (!*batch) return false;
    batch_ = **std::move(batch);
    return true;
  }

  /// Batches without entries may come before the one that these entries are of.
  Status take(const PaidBatch& paid) {
    if (paid.ref.empty() || broken_) return {};
    while (true) {
      const auto more = next();
      if (!more) return more.error();
      if (broken_) return {};
      if (!*more || (batch_.ref() != paid.ref && batch_.last >= last_of(paid.ref))) {
        problem(paid.ref +
                ": the journal pays for these slices, but no batch of them is in the "
                "books, or it was paid before");
        return {};
      }
      const bool found = batch_.ref() == paid.ref;
      if (Status s = check(found ? paid : PaidBatch{batch_.ref(), {}}); !s) return s;
      if (found) return {};
    }
  }

  static SliceNumber last_of(const std::string& ref) {
    const auto number = Work::from_decimal(std::string_view(ref).substr(ref.find('-') + 1));
    return SliceNumber(number ? static_cast<std::uint64_t>(number->value()) : 0);
  }

  /// The first slice after `through_` that is paid at once.
  SliceNumber next_paid() const {
    SliceNumber next(through_.value() + 1);
    const TermsInForce* terms = books_.history.at(next);
    if (terms != nullptr && pays_slices(terms->terms.scheme.kind)) return next;
    for (const TermsInForce& later : books_.history.all())
      if (later.from >= next && books_.history.at(later.from) == &later &&
          pays_slices(later.terms.scheme.kind))
        return later.from;
    return next;
  }

  Status check(const PaidBatch& paid) {
    if (batch_.first != next_paid())
      problem(batch_.ref() + ": the next slice to be paid was " +
              std::to_string(next_paid().value()));
    through_ = batch_.last;
    ++report_.batches;
    if (batch_.last < first_ || batch_.first > last_) {
      keep_left();
      return {};
    }
    auto worth = worth_of_batch();
    if (!worth) return worth.error();
    if (!worth->complete)
      add_line(report_.notes, batch_.ref() + ": slices of it are no longer in the books");
    compare(*worth, paid);
    keep_left();
    return {};
  }

  Result<Worth> worth_of_batch() {
    Worth worth;
    for (SliceNumber n = batch_.first; n <= batch_.last; n = SliceNumber(n.value() + 1)) {
      const auto slice = read_slice(store_, n);
      if (!slice && slice.error().code == ErrorCode::Io) return slice.error();
      if (!slice) problem(slice.error().text);
      if (!slice || !*slice) {
        worth.complete = false;
        // All up to the oldest: a forged batch may name a million.
        if (n < books_.oldest) n = std::min(batch_.last, SliceNumber(books_.oldest.value() - 1));
        if (n > books_.newest) break;
        continue;
      }
      const TermsInForce* terms = books_.history.at(n);
      if (terms == nullptr || !pays_slices(terms->terms.scheme.kind)) {
        problem(batch_.ref() + ": slice " + std::to_string(n.value()) +
                " was not to be paid at once");
        continue;
      }
      ++report_.slices;
      if (terms != terms_) pool_ = books_.account_of(terms->pool_script);
      terms_ = terms;
      for (const PricedWork& part :
           price_slice(terms->terms.scheme, (*slice)->slice, (*slice)->network))
        if (part.account != pool_)
          worth.works[part.account] += static_cast<Uint128>(part.amount.value());
    }
    return worth;
  }

  void compare(const Worth& worth, const PaidBatch& paid) {
    std::map<AccountId, MicroSatoshi> after(batch_.left.begin(), batch_.left.end());
    Micros earned = worth.works;
    for (const auto& [account, amount] : paid.amounts) earned.try_emplace(account);
    for (const auto& [account, left] : after) earned.try_emplace(account);
    for (const auto& [account, micros] : earned) {
      const auto at = after.find(account);
      if (at == after.end()) {
        problem(batch_.ref() + ": " + books_.name(account) +
                " is not among the accounts that were paid or kept a fraction");
        continue;
      }
      const auto whole = paid.amounts.find(account);
      const Satoshi amount = whole == paid.amounts.end() ? Satoshi{} : whole->second;
      const Uint128 due = micros + static_cast<Uint128>(left_[account].value());
      const Uint128 booked = static_cast<Uint128>(amount.value()) * kMicroPerSatoshi +
                             static_cast<Uint128>(at->second.value());
      // Of slices that are gone there may have been more.
      if (worth.complete ? due == booked : due <= booked) continue;
      problem(batch_.ref() + ": " + books_.name(account) + " was due " + Work(due).decimal() +
              " millionths of a satoshi with its fraction before; the books paid " +
              money_text(amount) + " and left " + std::to_string(at->second.value()));
    }
  }

  void keep_left() {
    for (const auto& [account, left] : batch_.left) left_[account] = left;
  }

  Status finish() {
    for (bool more = !broken_; more;) {
      const auto batch = next();
      if (!batch) return batch.error();
      more = *batch;
      if (more)
        if (Status s = check({batch_.ref(), {}}); !s) return s;
    }
    if (Status s = check_priced_through(); !s) return s;
    return check_fractions();
  }

  Status check_priced_through() {
    const auto stored = read_priced_through(store_);
    if (!stored && stored.error().code == ErrorCode::Io) return stored.error();
    if (!stored) {
      problem(stored.error().text);
      return {};
    }
    SliceNumber through = through_;
    for (const TermsInForce& terms : books_.history.all())
      if (pays_slices(terms.terms.scheme.kind))
        through = std::max(through, SliceNumber(terms.from.value() - 1));
    if (*stored != through && !broken_)
      problem("credits 71: slices are priced up to " + std::to_string(stored->value()) +
              ", the batches say up to " + std::to_string(through.value()));
    if (*stored > books_.newest)
      problem("credits 71: slices are priced up to " + std::to_string(stored->value()) +
              ", the newest is " + std::to_string(books_.newest.value()));
    return {};
  }

  Status check_fractions() {
    const Status s =
        scan_prefix(store_, kAccountPrefix, "", [&](std::string_view key, std::string_view value) {
          const auto row = account_row_of(key, value);
          if (!row) return true;  // verify_journal tells of it
          const MicroSatoshi left = std::exchange(left_[row->account], MicroSatoshi{});
          if (row->fraction != left && !broken_)
            problem(books_.name(row->account) + ": its balance has a fraction of " +
                    std::to_string(row->fraction.value()) + ", the priced slices left " +
                    std::to_string(left.value()));
          return true;
        });
    for (const auto& [account, left] : left_)
      if (left != MicroSatoshi{} && !broken_)
        problem(books_.name(account) + ": the priced slices left " + std::to_string(left.value()) +
                ", but it has no balance");
    return s;
  }

  const AuditBooks& books_;
  LedgerStore& store_;
  SliceNumber first_, last_;
  SliceAudit report_;
  PricedBatch batch_;    // the one looked at
  SliceNumber through_;  // the last slice of those looked at
  std::map<AccountId, MicroSatoshi> left_;
  const TermsInForce* terms_ = nullptr;
  AccountId pool_;       // whose work is the pool's by these terms
  bool broken_ = false;  // a batch could not be read: nothing after it can be told
};

}  // namespace

Result<SliceAudit> audit_slices(const AuditBooks& books, SliceNumber first, SliceNumber last) {
  return SliceAuditor(books, first, last).run();
}

Result<SliceAudit> audit_slices(LedgerStore& store, Network network, SliceNumber first,
                                SliceNumber last) {
  const auto books = AuditBooks::read(store, network);
  if (!books) return books.error();
  return audit_slices(*books, first, last);
}

}  // namespace adit
