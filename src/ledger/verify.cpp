// SPDX-License-Identifier: MIT
// `adit ledger verify`: believes nothing that can be computed again.
#include <algorithm>

#include "adit/ledger/ledger.h"
#include "ledger/block_store.h"
#include "ledger/books.h"
#include "ledger/proof.h"
#include "ledger/share_run.h"
#include "ledger/slice_reader.h"
#include "ledger/verify_slices.h"

namespace adit {
namespace {

constexpr std::size_t kMaxProblems = 100;
constexpr std::size_t kTips = 16;
constexpr std::size_t kHashesPerTip = 1u << 28;
constexpr std::uint32_t kAhead = 8;  ///< hashes asked of memory before they are looked for

/// The hashes of the last kTips tips by use: a header names its tip, so a hash can only come twice
/// on the same.
class PaidHashes {
 public:
  HashSet::Insert insert(const ShareRecord& share) {
    ++clock_;
    if (sets_.empty() || sets_[at_].tip != share.tip) at_ = place_of(share.tip);
    sets_[at_].used = clock_;
    return sets_[at_].hashes.insert(share.hash);
  }
  /// A share that will be inserted soon, most likely on the tip of the last one.
  void prefetch(const BlockHash& hash) const {
    if (!sets_.empty()) sets_[at_].hashes.prefetch(hash);
  }

 private:
  struct Entry {
    BlockHash tip;
    HashSet hashes;
    std::uint64_t used;
  };
  std::size_t place_of(const BlockHash& tip) {
    for (std::size_t i = 0; i < sets_.size(); ++i)
      if (sets_[i].tip == tip) return i;
    if (sets_.size() == kTips)
      sets_.erase(std::min_element(sets_.begin(), sets_.end(),
                                   [](const Entry& a, const Entry& b) { return a.used < b.used; }));
    sets_.push_back({tip, HashSet(kHashesPerTip), clock_});
    return sets_.size() - 1;
  }
  std::vector<Entry> sets_;
  std::size_t at_ = 0;
  std::uint64_t clock_ = 0;
};

/// What a stored total says, and what the shares on disk add up to.
struct Checked {
  bool known = false;
  Tally stored;
  AccountId account;
  std::uint64_t shares = 0;
  Work work;
  Sequence missed;  ///< a share that neither the total nor a replay counts
};

class Verifier {
 public:
  explicit Verifier(LedgerStore& store)
      : store_(store), slices_(store, [this](std::string_view key, std::string_view text) {
          problem(Family::Slices, key, text);
        }) {}

  Result<VerifyReport> run() {
    Status steps[] = {read_through(), read_names(), read_slices(), read_shares(), read_blocks()};
    for (const Status& s : steps)
      if (!s) return s.error();
    slices_.finish(report_.last, through_slice_);
    report_.slices = slices_.rows();
    compare(Family::Accounts, accounts_);
    compare(Family::Workers, workers_);
    return std::move(report_);
  }

 private:
  void problem(Family family, std::string_view key, std::string_view text) {
    if (report_.problems.size() == kMaxProblems) return;
    const std::string shown = family == Family::Meta ? std::string(key) : to_hex(bytes_of(key));
    report_.problems.push_back(std::string(family_name(family)) + " " + shown + ": " +
                               std::string(text));
  }

  Status read_through() {
    auto text = store_.get(Family::Meta, "totals_through");
    if (!text) return text.error();
    if (!*text) return {};
    const auto number = Work::from_decimal(**text);
    if (number && number->value() >> 64 == 0)
      through_ = Sequence(static_cast<std::uint64_t>(number->value()));
    else
      problem(Family::Meta, "totals_through", "not a number: " + **text);
    return {};
  }

  template <class Entry, class Account>
  Status read_family(Family family, Result<Entry> (*parse)(std::uint32_t, std::string_view),
                     std::vector<Checked>& out, Account account_of) {
    return store_.scan(family, "", [&](std::string_view key, std::string_view value) {
      const auto id = u32_of_key(key);
      if (!id || *id == 0 || *id > kMaxBookId) {
        problem(family, key, "key is no id");
        return true;
      }
      const auto entry = parse(*id, value);
      if (!entry) {
        problem(family, key, entry.error().text);
        return true;
      }
      if (out.size() <= *id) out.resize(*id + 1);
      out[*id].known = true;
      out[*id].stored = entry->tally;
      out[*id].account = account_of(*id, *entry);
      return true;
    });
  }

  Status read_names() {
    Status s = read_family<BookedAccount>(
        Family::Accounts, account_from_json, accounts_,
        [](std::uint32_t id, const BookedAccount&) { return AccountId(id); });
    if (!s) return s;
    return read_family<BookedWorker>(
        Family::Workers, worker_from_json, workers_,
        [](std::uint32_t, const BookedWorker& worker) { return worker.account; });
  }

  Status read_slices() {
    const auto from = read_slices_from(store_);
    if (!from && from.error().code != ErrorCode::Corrupt) return from.error();
    if (!from)
      problem(Family::Meta, "slices_from", from.error().text);
    else
      slices_from_ = *from;
    const auto through = read_slices_through(store_);
    if (!through && through.error().code != ErrorCode::Corrupt) return through.error();
    if (!through)
      problem(Family::Meta, kSlicesThrough, through.error().text);
    else
      through_slice_ = through->value_or(SliceMark{});
    return slices_.read_rows(slices_from_);
  }

  Status read_shares() {
    const Status s =
        store_.scan(Family::Shares, "", [&](std::string_view key, std::string_view value) {
          check_run(key, value);
          return verdict_.ok();
        });
    return s ? verdict_ : s;
  }

  void check_run(std::string_view key, std::string_view value) {
    const auto run = ShareRun::parse(value);
    const auto first = u64_of_key(key);
    if (!first || *first == 0) return problem(Family::Shares, key, "key is no sequence");
    if (!run) {
      broken_ = true;
      return problem(Family::Shares, key, run.error().text);
    }
    if (report_.first.value() == 0) {
      report_.first = Sequence(*first);
      if (*first == 1 && run->before != Digest{})
        problem(Family::Shares, key, "the first chain value is not zero");
    } else if (!broken_) {
      if (*first != report_.last.value() + 1)
        problem(Family::Shares, key,
                "follows share " + std::to_string(report_.last.value()) + ": shares are missing");
      else if (run->before != head_)
        problem(Family::Shares, key, "does not continue the chain of the run before it");
    }
    broken_ = false;
    check_records(key, *first, *run);
  }

  void check_records(std::string_view key, std::uint64_t first, const ShareRun& run) {
    Digest chain = run.before;
    for (std::uint32_t i = 0; i < run.count; ++i) {
      if (i + kAhead < run.count) paid_.prefetch(run.hash(i + kAhead));
      chain = chain_next(chain, run.record(i));
      const auto share = ShareRecord::decode(run.record(i));
      if (!share) {
        problem(Family::Shares, key, share.error().text);
        continue;
      }
      if (share->sequence.value() != first + i)
        problem(Family::Shares, key,
                at(i) + "has sequence " + std::to_string(share->sequence.value()));
      check_share(key, i, *share);
      if (Status s = slices_.share(*share, chain); !s) verdict_ = s;
    }
    if (chain != run.after) problem(Family::Shares, key, "the chain does not fit its records");
    head_ = run.after;
    report_.last = Sequence(first + run.count - 1);
    report_.shares += run.count;
  }

  void check_share(std::string_view key, std::uint32_t index, const ShareRecord& share) {
    if (!proves(share.hash, share.work))
      problem(Family::Shares, key, at(index) + "is credited more than its hash proves");
    if (const auto seen = paid_.insert(share); seen != HashSet::Insert::Added)
      problem(Family::Shares, key,
              at(index) +
                  (seen == HashSet::Insert::Present
                       ? "pays a hash a second time: "
                       : "is on a tip with too many shares to look for double payment: ") +
                  share.hash.hex());
    const std::uint32_t worker = share.worker.value(), account = share.account.value();
    if (worker >= workers_.size() || !workers_[worker].known || account >= accounts_.size() ||
        !accounts_[account].known || workers_[worker].account != share.account)
      return problem(Family::Shares, key, at(index) + "is of an unknown worker or account");
    count(workers_[worker], share);
    count(accounts_[account], share);
  }

  void count(Checked& entry, const ShareRecord& share) {
    Uint128 sum = 0;
    if (share.sequence <= entry.stored.through &&
        !__builtin_add_overflow(entry.work.value(), share.work.value(), &sum)) {
      ++entry.shares;
      entry.work = Work(sum);
    } else if (share.sequence <= through_) {
      entry.missed = share.sequence;
    }
  }

  void compare(Family family, const std::vector<Checked>& entries) {
    // Expired shares stay in the totals; then the rest can only be less.
    const bool complete = report_.first.value() <= 1;
    for (std::uint32_t id = 1; id < entries.size(); ++id) {
      const Checked& e = entries[id];
      if (!e.known) continue;
      const std::string key = key_u32(id);
      if (e.stored.through > report_.last) problem(family, key, "counts shares that do not exist");
      if (e.missed.value() != 0)
        problem(family, key, "does not count share " + std::to_string(e.missed.value()));
      if (complete ? e.stored.shares != e.shares || e.stored.work != e.work
                   : e.stored.shares < e.shares || e.stored.work < e.work)
        problem(family, key,
                "total of " + std::to_string(e.stored.shares) + " shares, work " +
                    e.stored.work.decimal() + "; the shares add up to " + std::to_string(e.shares) +
                    ", work " + e.work.decimal());
    }
    if (through_ > report_.last && family == Family::Accounts)
      problem(Family::Meta, "totals_through", "is beyond the last share");
    if (slices_from_ && slices_from_->value() > report_.last.value() + 1 &&
        family == Family::Accounts)
      problem(Family::Meta, "slices_from", "is beyond the last share");
  }

  Status read_blocks() {
    return store_.scan(Family::Blocks, "", [&](std::string_view key, std::string_view value) {
      if (const auto block = block_of(key, value); !block)
        report_.problems.size() < kMaxProblems ? report_.problems.push_back(block.error().text)
                                               : void();
      else if (block->after > report_.last)
        problem(Family::Blocks, key, "was found after a share that does not exist");
      return true;
    });
  }

  static std::string at(std::uint32_t index) { return "record " + std::to_string(index) + " "; }

  LedgerStore& store_;
  VerifyReport report_;
  Sequence through_;
  std::vector<Checked> accounts_, workers_;
  PaidHashes paid_;
  SliceChecker slices_;
  std::optional<Sequence> slices_from_;
  SliceMark through_slice_;
  Status verdict_;  ///< of reads in between
  Digest head_{};
  bool broken_ = false;  ///< the run before could not be read
};

}  // namespace

Result<VerifyReport> verify_ledger(LedgerStore& store) { return Verifier(store).run(); }

}  // namespace adit
