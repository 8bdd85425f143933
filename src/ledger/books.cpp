// SPDX-License-Identifier: MIT
// Names and totals in memory, and when they go to disk.
#include "ledger/books.h"

#include <algorithm>

#include "adit/base/check.h"
#include "adit/base/json.h"
#include "adit/ledger/json_fields.h"

namespace adit {
namespace {

/// A name as it reads back from disk: what is not UTF-8 becomes U+FFFD, so that a strange name is
/// the same worker after a restart.
std::string stored_form(std::string_view name) {
  const auto ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (std::all_of(name.begin(), name.end(), ascii)) return std::string(name);
  JsonWriter w;
  w.begin_object().key("n").string(name).end_object();
  const auto fields = JsonFields::parse(w.text());
  CHECK(fields.has_value());
  return std::string(*fields->string("n"));
}

}  // namespace

AccountId Books::account_id(std::string_view address) {
  const auto [at, added] = account_ids_.try_emplace(std::string(address), 0);
  if (added) {
    at->second = static_cast<std::uint32_t>(accounts_.size());
    accounts_.push_back({at->first, UnixMillis(), {}});
  }
  return AccountId(at->second);
}

LedgerWorkerId Books::worker_id(std::string_view account, std::string_view worker) {
  if (account.size() > kMaxNameBytes || worker.size() > kMaxNameBytes) return {};
  const std::string address = stored_form(account), name = stored_form(worker);
  if (const auto known = account_ids_.find(address); known != account_ids_.end()) {
    const auto at = worker_ids_.find(key_u32(known->second) + name);
    if (at != worker_ids_.end()) return LedgerWorkerId(at->second);
  }
  // Names are for ever, and cost a share each: a stranger with many must not use up what others
  // need. The work is the account's either way.
  const bool known = account_ids_.contains(address);
  const bool crowded = known && accounts_[account_ids_.at(address)].workers >= kWorkersPerAccount;
  const bool full = worker_ids_.size() >= worker_limit_;
  if ((crowded || (full && known)) && !name.empty()) return worker_id(account, "");
  // The unnamed worker of an account with others has its place beyond the limit.
  if (full && !known) return {};
  const AccountId owner = account_id(address);
  ++accounts_[owner.value()].workers;
  const auto id = static_cast<std::uint32_t>(workers_.size());
  worker_ids_.emplace(key_u32(owner.value()) + name, id);
  workers_.push_back({owner, name, {}});
  return LedgerWorkerId(id);
}

AccountId Books::book_account(LedgerBatch& batch, std::string_view address, UnixMillis now,
                              Sequence last) {
  if (address.size() > kMaxNameBytes || accounts_.size() > worker_limit_) return {};
  const AccountId id = account_id(stored_form(address));
  accounts_[id.value()].first_seen = now;
  put(batch, {id, LedgerWorkerId(), last, now}, last);
  return id;
}

void Books::touch(LedgerWorkerId worker, Sequence batch_first, UnixMillis now) {
  BookedWorker& w = workers_[worker.value()];
  BookedAccount& a = accounts_[w.account.value()];
  const auto wait = [&](Tally& tally, LedgerWorkerId id) {
    if (tally.dirty) return;
    tally.dirty = true;
    const Waiting entry{w.account, id, batch_first, now};
    if (tally.written)
      waiting_.push_back(entry);
    else
      fresh_.push_back(entry);
  };
  if (!a.tally.written && !a.tally.dirty) a.first_seen = now;
  wait(a.tally, LedgerWorkerId());
  wait(w.tally, worker);
}

bool Books::due(const Waiting& entry, UnixMillis now, Sequence last) const {
  const std::int64_t age = now.value() - entry.at.value();
  return age >= kWriteAfterMillis || age < 0 ||
         last.value() - entry.since.value() >= kWriteAfterShares;
}

void Books::put(LedgerBatch& batch, const Waiting& entry, Sequence last) {
  const bool is_account = entry.worker.value() == 0;
  Tally& tally =
      is_account ? accounts_[entry.account.value()].tally : workers_[entry.worker.value()].tally;
  tally.through = last;
  tally.written = true;
  tally.dirty = false;
  if (is_account)
    batch.put(Family::Accounts, key_u32(entry.account.value()),
              account_json(entry.account.value(), accounts_[entry.account.value()]));
  else
    batch.put(Family::Workers, key_u32(entry.worker.value()),
              worker_json(entry.worker.value(), workers_[entry.worker.value()]));
}

void Books::write(LedgerBatch& batch, UnixMillis now, Sequence last, bool all) {
  const std::size_t before = batch.puts.size();
  for (const Waiting& entry : fresh_) put(batch, entry, last);
  fresh_.clear();
  std::size_t written = 0;
  while (!waiting_.empty() &&
         (all || (written < kWritesPerBatch && due(waiting_.front(), now, last)))) {
    put(batch, waiting_.front(), last);
    waiting_.pop_front();
    ++written;
  }
  // A record waits from its batch's first share on: the records on disk count everything before the
  // oldest that waits.
  const Sequence through = waiting_.empty() ? last : Sequence(waiting_.front().since.value() - 1);
  if (batch.puts.size() > before || all) {
    batch.put(Family::Meta, "totals_through", std::to_string(through.value()));
    through_ = through;
  }
}

}  // namespace adit
