// SPDX-License-Identifier: MIT
// Records of accounts and workers to JSON and back, and what Books does at open.
#include <functional>
#include <utility>

#include "adit/base/json.h"
#include "adit/ledger/json_fields.h"
#include "ledger/books.h"
#include "ledger/share_run.h"

namespace adit {
namespace {

void write_tally(JsonWriter& w, const Tally& tally) {
  w.key("shares").number_u64(tally.shares).key("work").string(tally.work.decimal());
  w.key("through").number_u64(tally.through.value());
}

bool read_tally(const JsonFields& fields, Tally& tally) {
  const auto shares = fields.u64("shares"), through = fields.u64("through");
  const auto work = Work::from_decimal(fields.string("work").value_or(""));
  if (!shares || !through || !work) return false;
  tally.shares = *shares;
  tally.work = *work;
  tally.through = Sequence(*through);
  tally.written = true;
  return true;
}

Error corrupt(Family family, std::string_view key, std::string_view what) {
  return {ErrorCode::Corrupt, std::string(family_name(family)) + " " + to_hex(bytes_of(key)) +
                                  ": " + std::string(what)};
}

/// Visits the records of a family whose keys are u32; `take` says whether it likes one.
template <class Entry>
Status load_family(LedgerStore& store, Family family,
                   Result<Entry> (*parse)(std::uint32_t, std::string_view), std::uint32_t limit,
                   const std::function<bool(std::uint32_t, Entry)>& take) {
  Status verdict;
  const Status scanned = store.scan(family, "", [&](std::string_view key, std::string_view value) {
    const auto id = u32_of_key(key);
    if (!id || *id == 0 || *id > limit) {
      verdict = corrupt(family, key, "key is no id");
      return false;
    }
    Result<Entry> entry = parse(*id, value);
    if (!entry)
      verdict = corrupt(family, key, entry.error().text);
    else if (!take(*id, *std::move(entry)))
      verdict = corrupt(family, key, "contradicts another record");
    return verdict.ok();
  });
  return scanned ? verdict : scanned;
}

}  // namespace

std::string account_json(std::uint32_t id, const BookedAccount& account) {
  JsonWriter w;
  w.begin_object().key("id").number(id).key("address").string(account.address);
  w.key("first_seen_ms").number(account.first_seen.value());
  write_tally(w, account.tally);
  w.end_object();
  return seal_json(w.take());
}

Result<BookedAccount> account_from_json(std::uint32_t id, std::string_view text) {
  const auto fields = open_sealed_json(text);
  if (!fields) return Error{ErrorCode::Corrupt, "broken JSON or seal"};
  if (fields->u32("id") != id) return Error{ErrorCode::Corrupt, "stands under another id's key"};
  BookedAccount account;
  const auto address = fields->string("address");
  const auto first_seen = fields->i64("first_seen_ms");
  if (!address || !first_seen || !read_tally(*fields, account.tally))
    return Error{ErrorCode::Corrupt, "a field is missing"};
  account.address = *address;
  account.first_seen = UnixMillis(*first_seen);
  return account;
}

std::string worker_json(std::uint32_t id, const BookedWorker& worker) {
  JsonWriter w;
  w.begin_object()
      .key("id")
      .number(id)
      .key("account")
      .number(worker.account.value())
      .key("name")
      .string(worker.name);
  write_tally(w, worker.tally);
  w.end_object();
  return seal_json(w.take());
}

Result<BookedWorker> worker_from_json(std::uint32_t id, std::string_view text) {
  const auto fields = open_sealed_json(text);
  if (!fields) return Error{ErrorCode::Corrupt, "broken JSON or seal"};
  if (fields->u32("id") != id) return Error{ErrorCode::Corrupt, "stands under another id's key"};
  BookedWorker worker;
  const auto account = fields->u32("account");
  const auto name = fields->string("name");
  if (!account || *account == 0 || !name || !read_tally(*fields, worker.tally))
    return Error{ErrorCode::Corrupt, "a field is missing"};
  worker.account = AccountId(*account);
  worker.name = *name;
  return worker;
}

Status Books::load_accounts(LedgerStore& store) {
  return load_family<BookedAccount>(store, Family::Accounts, account_from_json, kMaxBookId,
                                    [&](std::uint32_t id, BookedAccount a) {
                                      if (!account_ids_.try_emplace(a.address, id).second)
                                        return false;
                                      accounts_.resize(id + 1);
                                      accounts_[id] = std::move(a);
                                      return true;
                                    });
}

Status Books::load_workers(LedgerStore& store) {
  return load_family<BookedWorker>(
      store, Family::Workers, worker_from_json, kMaxBookId, [&](std::uint32_t id, BookedWorker w) {
        const std::uint32_t owner = w.account.value();
        if (owner >= accounts_.size() || !accounts_[owner].tally.written) return false;
        if (!worker_ids_.try_emplace(key_u32(owner) + w.name, id).second) return false;
        ++accounts_[owner].workers;
        workers_.resize(id + 1);
        workers_[id] = std::move(w);
        return true;
      });
}

Status Books::replay(LedgerStore& store) {
  Status verdict;
  const auto replay_run = [&](std::string_view key, std::string_view value) {
    const auto run = ShareRun::parse(value);
    if (!run) {
      verdict = corrupt(Family::Shares, key, run.error().text);
      return false;
    }
    const Sequence first(u64_of_key(key).value_or(0));
    for (std::uint32_t i = 0; i < run->count; ++i) {
      const auto share = ShareRecord::decode(run->record(i));
      if (!share || account_of(share->worker) != share->account || share->account.value() == 0) {
        verdict =
            corrupt(Family::Shares, key, share ? "share of an unknown worker" : share.error().text);
        return false;
      }
      BookedWorker& w = workers_[share->worker.value()];
      BookedAccount& a = accounts_[share->account.value()];
      const bool late_w = share->sequence > w.tally.through,
                 late_a = share->sequence > a.tally.through;
      Uint128 ignored = 0;
      if (__builtin_add_overflow(a.tally.work.value(), share->work.value(), &ignored)) {
        verdict = corrupt(Family::Shares, key, "the sum of the work is too large");
        return false;
      }
      if (late_w) w.tally.add(share->work), touch_one(w.tally, w.account, share->worker, first);
      if (late_a) a.tally.add(share->work), touch_one(a.tally, w.account, LedgerWorkerId(), first);
    }
    return true;
  };
  const Status scanned = store.scan(Family::Shares, key_u64(through_.value() + 1), replay_run);
  return scanned ? verdict : scanned;
}

void Books::touch_one(Tally& tally, AccountId account, LedgerWorkerId worker, Sequence since) {
  if (tally.dirty) return;
  tally.dirty = true;
  waiting_.push_back({account, worker, since, UnixMillis()});
}

Status Books::load(LedgerStore& store) {
  auto through = store.get(Family::Meta, "totals_through");
  if (!through) return through.error();
  if (*through) {
    const auto number = Work::from_decimal(**through);
    if (!number || number->value() >> 64 != 0)
      return Error{ErrorCode::Corrupt, "meta totals_through: not a number: " + **through};
    through_ = Sequence(static_cast<std::uint64_t>(number->value()));
  }
  if (Status s = load_accounts(store); !s) return s;
  if (Status s = load_workers(store); !s) return s;
  return replay(store);
}

}  // namespace adit
