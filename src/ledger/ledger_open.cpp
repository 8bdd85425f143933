// SPDX-License-Identifier: MIT
// Opening the books: what must fit before a pool may write, and what a restart must know again.
#include <algorithm>

#include "adit/ledger/ledger.h"
#include "ledger/books.h"
#include "ledger/open_slice.h"
#include "ledger/share_run.h"
#include "ledger/slice_reader.h"

namespace adit {
namespace {

constexpr std::string_view kSchema = "1";
/// Shares on a tip come for seconds after the next one; an hour is ample.
constexpr std::int64_t kTipOverlapMillis = 3'600'000;
constexpr std::size_t kAhead = 8;

Error conflict(std::string text) { return {ErrorCode::Conflict, std::move(text)}; }
Error corrupt(std::string text) { return {ErrorCode::Corrupt, std::move(text)}; }

/// A meta value that, once written, must stay. True: it is new.
Result<bool> settle(LedgerStore& store, LedgerBatch& batch, bool fresh, std::string_view key,
                    const std::string& wanted) {
  auto stored = store.get(Family::Meta, key);
  if (!stored) return stored.error();
  if (!*stored) {
    if (!fresh) return corrupt("meta " + std::string(key) + " is missing");
    batch.put(Family::Meta, std::string(key), wanted);
    return true;
  }
  if (**stored != wanted)
    return conflict("the ledger's " + std::string(key) + " is \"" + **stored +
                    "\", this pool's is \"" + wanted +
                    "\": wrong data_dir, or wrong configuration");
  return false;
}

std::optional<std::uint16_t> boot_number(std::string_view text) {
  const auto number = Work::from_decimal(text);
  if (!number || number->value() > 0xFFFF) return std::nullopt;
  return static_cast<std::uint16_t>(number->value());
}

/// Which tips the filter will hold, and from which run on it must read.
struct RecentTips {
  std::vector<BlockHash> tips;
  UnixMillis oldest;
  std::uint64_t shares = 0;
  std::string from;

  /// Looks at one run, newest first. False: runs before this one do not matter.
  bool look(std::string_view key, const std::vector<ShareRecord>& run, std::uint64_t limit) {
    bool relevant = false;
    for (auto share = run.rbegin(); share != run.rend(); ++share) {
      const bool known = std::find(tips.begin(), tips.end(), share->tip) != tips.end();
      if (!known && tips.size() == DuplicateFilter::kTips) continue;
      if (!known) tips.push_back(share->tip);
      oldest = share->time;
      ++shares;
      relevant = true;
    }
    if (relevant) from = key;
    return relevant ||
           (shares < limit && run.front().time.value() > oldest.value() - kTipOverlapMillis);
  }
};

Result<std::vector<ShareRecord>> records_of(std::string_view key, std::string_view value) {
  const auto run = ShareRun::parse(value);
  if (!run) return corrupt("shares " + to_hex(bytes_of(key)) + ": " + run.error().text);
  std::vector<ShareRecord> out;
  out.reserve(run->count);
  for (std::uint32_t i = 0; i < run->count; ++i) {
    auto share = ShareRecord::decode(run->record(i));
    if (!share) return corrupt("shares " + to_hex(bytes_of(key)) + ": " + share.error().text);
    out.push_back(*share);
  }
  return out;
}

}  // namespace

Result<Ledger> Ledger::open(LedgerStore& store, const LedgerOptions& options,
                            const std::optional<HighWater>& mark) {
  Ledger ledger(store, options);
  const auto end = chain_end(store);
  if (!end) return end.error();
  const auto money = read_money_batches(store);
  if (!money) return money.error();
  ledger.money_batches_ = *money;
  ledger.last_ = end->sequence;
  ledger.head_ = end->chain;
  if (mark) {
    auto loss = measure_loss(store, *mark);
    if (!loss) return loss.error();
    if (loss->why && !options.accept_loss) return *loss->why;
    ledger.accepted_loss_ = *std::move(loss);
  }
  if (Status s = ledger.books_->load(store); !s) return s.error();
  if (Status s = ledger.rebuild_filter(); !s) return s.error();
  if (Status s = ledger.rebuild_slice(); !s) return s.error();
  if (Status s = ledger.open_meta(); !s) return s.error();
  return ledger;
}

Status Ledger::open_meta() {
  auto schema = store_->get(Family::Meta, "schema");
  if (!schema) return schema.error();
  const bool fresh = !*schema && last_.value() == 0;
  LedgerBatch batch;
  const std::pair<std::string_view, std::string> fixed[] = {
      {"schema", std::string(kSchema)},
      {"genesis", genesis_hash(options_.network).hex()},
      {"instance", std::to_string(options_.instance)}};
  for (const auto& [key, wanted] : fixed)
    if (const auto s = settle(*store_, batch, fresh, key, wanted); !s) return s.error();
  if (fresh) batch.put(Family::Meta, "created_ms", std::to_string(options_.now.value()));
  batch.put(Family::Meta, "slices_from", std::to_string(slices_from_.value()));
  auto boot = store_->get(Family::Meta, "boot");
  if (!boot) return boot.error();
  const auto previous = *boot ? boot_number(**boot) : std::optional<std::uint16_t>(0);
  if (!previous) return corrupt("meta boot: not a number: " + **boot);
  boot_ = static_cast<std::uint16_t>(*previous == 0xFFFF ? 1 : *previous + 1);
  batch.put(Family::Meta, "boot", std::to_string(boot_));
  return commit(batch, true);
}

Status Ledger::rebuild_filter() {
  RecentTips recent;
  Status verdict;
  const std::uint64_t limit = DuplicateFilter::kTips * options_.hashes_per_tip;
  Status s = store_->scan_back(Family::Shares, [&](std::string_view key, std::string_view value) {
    const auto run = records_of(key, value);
    if (!run) {
      verdict = run.error();
      return false;
    }
    if (recent.tips.empty()) tip_ = run->back().tip;
    return recent.look(key, *run, limit);
  });
  if (!s) return s;
  if (!verdict || recent.tips.empty()) return verdict;
  // Forward, so that the filter's order of use is that of the shares.
  s = store_->scan(Family::Shares, recent.from, [&](std::string_view key, std::string_view value) {
    const auto run = records_of(key, value);
    if (!run) {
      verdict = run.error();
      return false;
    }
    for (std::size_t i = 0; i < run->size(); ++i) {
      const ShareRecord& share = (*run)[i];
      // Each hash lies elsewhere in a large set: ask for some of them at once.
      if (i + kAhead < run->size()) seen_.prefetch((*run)[i + kAhead].tip, (*run)[i + kAhead].hash);
      if (std::find(recent.tips.begin(), recent.tips.end(), share.tip) != recent.tips.end())
        seen_.insert(share.tip, share.hash);
    }
    return true;
  });
  return s ? verdict : s;
}

}  // namespace adit
