// SPDX-License-Identifier: MIT
// Names and totals as a reader follows them: records once, then the shares alone.
#include "adit/ledger/book_totals.h"

#include <algorithm>

#include "ledger/books.h"
#include "ledger/share_run.h"

namespace adit {
namespace {

Error corrupt(Family family, std::string_view key, std::string_view what) {
  return {ErrorCode::Corrupt, std::string(family_name(family)) + " " + to_hex(bytes_of(key)) +
                                  ": " + std::string(what)};
}

Result<Sequence> totals_through(LedgerStore& store) {
  const auto text = store.get(Family::Meta, "totals_through");
  if (!text) return text.error();
  if (!*text) return Sequence();
  const auto number = Work::from_decimal(**text);
  if (!number || number->value() >> 64 != 0)
    return Error{ErrorCode::Corrupt, "meta totals_through: not a number: " + **text};
  return Sequence(static_cast<std::uint64_t>(number->value()));
}

bool is_id(const std::optional<std::uint32_t>& id) { return id && *id != 0 && *id <= kMaxBookId; }

}  // namespace

Status BookTotals::refresh(LedgerStore& store) {
  const auto through = totals_through(store);
  if (!through) return through.error();
  const bool near = through->value() <= counted_.value() + shares_most_;
  bool hole = false;
  Status read;
  if (whole_ && near) {
    read = read_names(store);
    if (read) read = read_shares(store, hole);
  }
  if (!whole_ || !near || hole) read = begin_anew(store);
  whole_ = read.ok();
  return read;
}

Status BookTotals::begin_anew(LedgerStore& store) {
  accounts_.clear();
  workers_.clear();
  by_address_.clear();
  const auto through = totals_through(store);
  if (!through) return through.error();
  counted_ = *through;
  if (const Status s = read_names(store); !s) return s;
  bool hole = false;  // shares that are no longer kept are in the records
  return read_shares(store, hole);
}

/// Records under higher ids than any known. One that comes later under a lower id is found by who
/// names it.
Status BookTotals::read_names(LedgerStore& store) {
  Status verdict;
  const auto first_after = [](std::size_t known) {
    return key_u32(static_cast<std::uint32_t>(std::max<std::size_t>(known, 1)));
  };
  Status scanned = store.scan(Family::Accounts, first_after(accounts_.size()),
                              [&](std::string_view key, std::string_view value) {
                                return (verdict = take_account(key, value)).ok();
                              });
  if (!scanned || !verdict) return scanned ? verdict : scanned;
  scanned = store.scan(Family::Workers, first_after(workers_.size()),
                       [&](std::string_view key, std::string_view value) {
                         return (verdict = take_worker(store, key, value)).ok();
                       });
  return scanned ? verdict : scanned;
}

Status BookTotals::take_account(std::string_view key, std::string_view value) {
  const auto id = u32_of_key(key);
  if (!is_id(id)) return corrupt(Family::Accounts, key, "key is no id");
  auto read = account_from_json(*id, value);
  if (!read) return corrupt(Family::Accounts, key, read.error().text);
  if (read->address.empty() || !by_address_.try_emplace(read->address, *id).second)
    return corrupt(Family::Accounts, key, "contradicts another record");
  if (*id >= accounts_.size()) accounts_.resize(*id + 1);
  accounts_[*id] = {{AccountId(*id), std::move(read->address), read->first_seen, read->tally.shares,
                     read->tally.work},
                    read->tally.through,
                    {}};
  return {};
}

Status BookTotals::take_worker(LedgerStore& store, std::string_view key, std::string_view value) {
  const auto id = u32_of_key(key);
  if (!is_id(id)) return corrupt(Family::Workers, key, "key is no id");
  auto read = worker_from_json(*id, value);
  if (!read) return corrupt(Family::Workers, key, read.error().text);
  const std::uint32_t owner = read->account.value();
  if (const Status s = know_account(store, owner); !s) return s;
  if (*id >= workers_.size()) workers_.resize(*id + 1);
  std::vector<std::uint32_t>& names = accounts_[owner].workers;
  names.insert(std::lower_bound(names.begin(), names.end(), read->name,
                                [this](std::uint32_t other, const std::string& name) {
                                  return workers_[other].total.name < name;
                                }),
               *id);
  workers_[*id] = {{LedgerWorkerId(*id), read->account, std::move(read->name), read->tally.shares,
                    read->tally.work},
                   read->tally.through};
  return {};
}

Status BookTotals::read_shares(LedgerStore& store, bool& hole) {
  Status verdict;
  const std::uint64_t next = counted_.value() + 1;
  const auto read_run = [&](std::string_view key, std::string_view value) {
    const auto first = u64_of_key(key);
    const auto run = ShareRun::parse(value);
    if (!first || !run) {
      verdict = corrupt(Family::Shares, key, run ? "key is no sequence" : run.error().text);
      return false;
    }
    // Nobody asked for so long that shares went which are not counted here yet.
    if (*first > next && counted_.value() + 1 == next) hole = true;
    for (std::uint32_t i = 0; i < run->count && verdict.ok(); ++i) {
      const auto share = ShareRecord::decode(run->record(i));
      verdict = share ? count(store, *share) : corrupt(Family::Shares, key, share.error().text);
    }
    counted_ = Sequence(*first + run->count - 1);
    return verdict.ok();
  };
  const Status scanned = store.scan(Family::Shares, key_u64(next), read_run);
  return scanned ? verdict : scanned;
}

/// The record under this id, which came after one with a higher id.
Status BookTotals::know_account(LedgerStore& store, std::uint32_t id) {
  if (id < accounts_.size() && !accounts_[id].total.address.empty()) return {};
  const auto value = store.get(Family::Accounts, key_u32(id));
  if (!value) return value.error();
  if (!*value) return corrupt(Family::Accounts, key_u32(id), "is named, but has no record");
  return take_account(key_u32(id), **value);
}

Status BookTotals::know_worker(LedgerStore& store, const ShareRecord& share) {
  const std::uint32_t id = share.worker.value();
  if (id >= workers_.size() || workers_[id].total.account == AccountId()) {
    const auto value = store.get(Family::Workers, key_u32(id));
    if (!value) return value.error();
    if (!*value) return corrupt(Family::Workers, key_u32(id), "is named, but has no record");
    if (const Status s = take_worker(store, key_u32(id), **value); !s) return s;
  }
  if (workers_[id].total.account == share.account) return {};
  return corrupt(Family::Workers, key_u32(id), "a share names it for another account");
}

Status BookTotals::count(LedgerStore& store, const ShareRecord& share) {
  const std::uint32_t id = share.worker.value();
  if (id >= workers_.size() || workers_[id].total.account != share.account)
    if (const Status s = know_worker(store, share); !s) return s;
  Worker& worker = workers_[id];
  Account& account = accounts_[share.account.value()];  // its worker's record named it
  Uint128 ignored = 0;
  if (__builtin_add_overflow(account.total.work.value(), share.work.value(), &ignored) ||
      __builtin_add_overflow(worker.total.work.value(), share.work.value(), &ignored))
    return corrupt(Family::Shares, key_u64(share.sequence.value()),
                   "the sum of the work is too large");
  const auto add = [&](auto& entry) {
    if (share.sequence <= entry.through) return;
    ++entry.total.shares;
    entry.total.work += share.work;
  };
  add(account);
  add(worker);
  return {};
}

const AccountTotal* BookTotals::account(std::string_view address) const {
  if (!whole_) return nullptr;
  const auto at = by_address_.find(std::string(address));
  return at == by_address_.end() ? nullptr : &accounts_[at->second].total;
}

std::size_t BookTotals::workers(AccountId account) const {
  return account.value() < accounts_.size() ? accounts_[account.value()].workers.size() : 0;
}

void BookTotals::for_each_worker(AccountId account,
                                 const std::function<void(const WorkerTotal&)>& visit) const {
  if (account.value() >= accounts_.size()) return;
  for (const std::uint32_t id : accounts_[account.value()].workers) visit(workers_[id].total);
}

}  // namespace adit
