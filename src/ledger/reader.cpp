// SPDX-License-Identifier: MIT
// Reading the books without owning them.
#include "adit/ledger/reader.h"

#include "adit/ledger/json_fields.h"
#include "ledger/block_store.h"
#include "ledger/books.h"
#include "ledger/share_run.h"

namespace adit {
namespace {

Error run_error(std::string_view key, const Error& error) {
  return {ErrorCode::Corrupt, "shares " + to_hex(bytes_of(key)) + ": " + error.text};
}

struct FoundRun {
  Sequence first;
  std::string value;
};

/// The run that holds `sequence`, or nullopt. Keys are the first sequences of runs, and a run has
/// at most kMaxRecords, so the walk is short.
Result<std::optional<FoundRun>> run_holding(LedgerStore& store, Sequence sequence) {
  const std::uint64_t wanted = sequence.value();
  const std::uint64_t from = wanted > ShareRun::kMaxRecords ? wanted - ShareRun::kMaxRecords : 0;
  std::optional<FoundRun> best;
  const Status s =
      store.scan(Family::Shares, key_u64(from), [&](std::string_view key, std::string_view value) {
        const auto first = u64_of_key(key);
        if (!first || *first > wanted) return false;
        best = FoundRun{Sequence(*first), std::string(value)};
        return true;
      });
  if (!s) return s.error();
  return best;
}

}  // namespace

Result<std::vector<AccountTotal>> account_totals(LedgerStore& store) {
  Books books(kMaxBookId);
  if (Status s = books.load(store); !s) return s.error();
  std::vector<AccountTotal> out;
  for (std::uint32_t id = 1; id < books.accounts().size(); ++id) {
    const BookedAccount& a = books.accounts()[id];
    if (!a.tally.written) continue;
    out.push_back({AccountId(id), a.address, a.first_seen, a.tally.shares, a.tally.work});
  }
  return out;
}

Result<std::vector<WorkerTotal>> worker_totals(LedgerStore& store) {
  Books books(kMaxBookId);
  if (Status s = books.load(store); !s) return s.error();
  std::vector<WorkerTotal> out;
  for (std::uint32_t id = 1; id < books.workers().size(); ++id) {
    const BookedWorker& w = books.workers()[id];
    if (!w.tally.written) continue;
    out.push_back({LedgerWorkerId(id), w.account, w.name, w.tally.shares, w.tally.work});
  }
  return out;
}

Status for_each_share(LedgerStore& store, Sequence first,
                      const std::function<bool(const ShareRecord&)>& visit) {
  const auto start = run_holding(store, first);
  if (!start) return start.error();
  const Sequence from = *start ? (*start)->first : first;
  Status verdict;
  const Status scanned = store.scan(Family::Shares, key_u64(from.value()),
                                    [&](std::string_view key, std::string_view value) {
                                      const auto run = ShareRun::parse(value);
                                      if (!run) {
                                        verdict = run_error(key, run.error());
                                        return false;
                                      }
                                      for (std::uint32_t i = 0; i < run->count; ++i) {
                                        const auto share = ShareRecord::decode(run->record(i));
                                        if (!share) {
                                          verdict = run_error(key, share.error());
                                          return false;
                                        }
                                        if (share->sequence >= first && !visit(*share))
                                          return false;
                                      }
                                      return true;
                                    });
  return scanned ? verdict : scanned;
}

Result<std::vector<BlockRecord>> all_blocks(LedgerStore& store) {
  std::vector<BlockRecord> out;
  Status verdict;
  const Status scanned =
      store.scan(Family::Blocks, "", [&](std::string_view key, std::string_view value) {
        auto block = block_of(key, value);
        if (block)
          out.push_back(*std::move(block));
        else
          verdict = block.error();
        return verdict.ok();
      });
  if (!scanned) return scanned.error();
  if (!verdict) return verdict.error();
  return out;
}

Result<ChainEnd> chain_end(LedgerStore& store) {
  ChainEnd end;
  Status verdict;
  const Status scanned = store.scan_back(Family::Shares, [&](std::string_view key,
                                                             std::string_view value) {
    const auto run = ShareRun::parse(value);
    const auto first = u64_of_key(key);
    if (!run || !first) {
      verdict = run_error(key, run ? Error{ErrorCode::Corrupt, "key is no sequence"} : run.error());
      return false;
    }
    Digest chain = run->before;
    for (std::uint32_t i = 0; i < run->count; ++i) chain = chain_next(chain, run->record(i));
    if (chain != run->after)
      verdict = run_error(key, {ErrorCode::Corrupt, "the chain does not fit its records"});
    end = {Sequence(*first + run->count - 1), chain};
    return false;
  });
  if (!scanned) return scanned.error();
  if (!verdict) return verdict.error();
  return end;
}

Result<std::optional<Digest>> chain_at(LedgerStore& store, Sequence sequence) {
  const auto found = run_holding(store, sequence);
  if (!found) return found.error();
  if (!*found) return std::optional<Digest>();
  const auto run = ShareRun::parse((*found)->value);
  if (!run) return run.error();
  const std::uint64_t steps = sequence.value() - (*found)->first.value() + 1;
  if (steps > run->count) return std::optional<Digest>();
  Digest chain = run->before;
  for (std::uint32_t i = 0; i < steps; ++i) chain = chain_next(chain, run->record(i));
  return std::optional<Digest>(chain);
}

}  // namespace adit
