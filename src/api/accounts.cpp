// SPDX-License-Identifier: MIT
// An account and its workers: what the books say, and who is connected now, merged by name.
#include <algorithm>
#include <map>
#include <optional>

#include "adit/bitcoin/address.h"
#include "adit/payout/journal.h"
#include "api/reply.h"

namespace adit {
namespace {

constexpr std::string_view kWorkers = "/workers";
constexpr std::size_t kNameMost = 256;  // the books know no longer one

/// A worker, from all that know of it.
struct Known {
  std::uint64_t shares = 0;
  Work work;
  std::uint64_t connections = 0, hash_rate = 0;
  UnixMillis since, last_share;
};
using KnownWorkers = std::map<std::string, Known, std::less<>>;

struct Found {
  const AccountTotal* account = nullptr;  // null: nothing is booked
  KnownWorkers workers;
  bool whole = true;
};

void add(KnownWorkers& workers, const LiveWorker& live) {
  Known& known = workers[live.name];
  known.connections += live.connections;
  known.hash_rate += live.hash_rate;
  known.last_share = std::max(known.last_share, live.last_share);
  if (live.connections == 0) return;
  known.since = known.since == UnixMillis() ? live.since : std::min(known.since, live.since);
}

/// With each `limit` names from `from` on that the books and each thread tell, at least the first
/// `limit` of all are there.
Result<Found> find(const ApiSources& sources, const LiveQuestion& question) {
  if (const Status s = sources.totals.refresh(sources.books); !s) return s.error();
  auto live = sources.live.who_mines(question);
  if (!live) return live.error();
  Found found;
  found.account = sources.totals.account(question.account);
  if (found.account != nullptr)
    sources.totals.for_each_worker(found.account->id, [&](const WorkerTotal& total) {
      if (total.name < question.from || found.workers.size() >= question.limit) return;
      Known& known = found.workers[total.name];
      known.shares = total.shares;
      known.work = total.work;
    });
  for (const LiveWorkers& thread : *live) {
    found.whole = found.whole && thread.whole;
    for (const LiveWorker& worker : thread.workers) add(found.workers, worker);
  }
  return found;
}

struct State {
  std::string_view word, text;
};
State state_of(const Known& worker) {
  if (worker.connections == 0) return {"offline", "not connected"};
  if (worker.last_share != UnixMillis() && worker.last_share >= worker.since)
    return {"mining", "connected, and sends shares"};
  if (worker.shares == 0) return {"no_share_yet", "connected, no share yet"};
  return {"no_share_yet", "connected, no share yet since it came back"};
}

void write_time(JsonWriter& json, std::string_view key, UnixMillis time) {
  json.key(key);
  if (time == UnixMillis())
    json.null();
  else
    json.number(time.value());
}

void write_worker(JsonWriter& json, const std::string& name, const Known& worker) {
  const State state = state_of(worker);
  json.begin_object().key("name").string(name);
  json.key("state").string(state.word).key("text").string(state.text);
  json.key("connections").number_u64(worker.connections);
  json.key("shares").number_u64(worker.shares).key("work").string(worker.work.decimal());
  json.key("hashrate").number_u64(worker.hash_rate);
  write_time(json, "connected_since_ms", worker.since);
  write_time(json, "last_share_ms", worker.last_share);
  json.end_object();
}

ApiReply stranger() {
  return refusal(404, "nobody mines for this address: no share is booked, nobody is connected");
}

ApiReply workers_reply(const ApiSources& sources, const std::string& address,
                       const ApiRequest& request) {
  std::optional<std::string> from;
  std::optional<std::uint64_t> limit;
  for (const auto& [key, value] : request.query) {
    if (key == "from" && !from && value.size() <= kNameMost) {
      from = value;
    } else if (key == "limit" && !limit) {
      limit = number_of(value);
      if (!limit) return refusal(400, "limit must be a whole number from 1");
    } else {
      return refusal(400, "from (a worker's name) and limit, once each");
    }
  }
  const std::size_t count = std::min(limit.value_or(kApiWorkers), kApiWorkers);
  const auto found = find(sources, {address, from.value_or(""), count + 1});  // one more: the next
  if (!found) return unavailable(found.error());
  if (found->account == nullptr && found->workers.empty() && !from) return stranger();
  JsonWriter json;
  json.begin_object().key("address").string(address).key("workers").begin_array();
  auto at = found->workers.begin();
  for (std::size_t i = 0; i < count && at != found->workers.end(); ++i, ++at)
    write_worker(json, at->first, at->second);
  json.end_array().key("next");
  if (at == found->workers.end())
    json.null();
  else
    json.string(at->first);
  return json_reply(json.key("complete").boolean(found->whole).end_object().take());
}

Status write_money(JsonWriter& json, LedgerStore& books, const AccountTotal* account) {
  json.key("money");
  if (account == nullptr) return json.null(), Status();
  const auto balance = read_account_balance(books, account->id);
  if (!balance) return balance.error();
  if (!*balance) return json.null(), Status();
  json.begin_object().key("balance").number((*balance)->balance.value());
  json.key("earned").number((*balance)->earned.value());
  json.key("paid").number((*balance)->paid.value()).end_object();
  return {};
}

ApiReply account_reply(const ApiSources& sources, const std::string& address) {
  const auto found = find(sources, {address, "", kLiveMost + 1});
  if (!found) return unavailable(found.error());
  if (found->account == nullptr && found->workers.empty()) return stranger();
  Known sum;
  std::uint64_t connected = 0;
  for (const auto& [name, worker] : found->workers) {
    sum.connections += worker.connections;
    sum.hash_rate += worker.hash_rate;
    sum.last_share = std::max(sum.last_share, worker.last_share);
    if (worker.connections > 0) ++connected;
  }
  const AccountTotal* const booked = found->account;
  JsonWriter json;
  json.begin_object().key("address").string(address);
  json.key("workers").number_u64(found->workers.size());
  json.key("connected_workers").number_u64(connected);
  json.key("connections").number_u64(sum.connections);
  json.key("shares").number_u64(booked == nullptr ? 0 : booked->shares);
  json.key("work").string((booked == nullptr ? Work() : booked->work).decimal());
  json.key("hashrate").number_u64(sum.hash_rate);
  write_time(json, "first_seen_ms", booked == nullptr ? UnixMillis() : booked->first_seen);
  write_time(json, "last_share_ms", sum.last_share);
  if (const Status s = write_money(json, sources.books, booked); !s) return unavailable(s.error());
  return json_reply(json.key("complete").boolean(found->whole).end_object().take());
}

}  // namespace

ApiReply account_route(const ApiSources& sources, std::string_view rest,
                       const ApiRequest& request) {
  const bool workers = rest.ends_with(kWorkers);
  if (workers) rest.remove_suffix(kWorkers.size());
  if (rest.find('/') != rest.npos || (!workers && !request.query.empty()))
    return refusal(404, "nothing is here");
  const auto address = parse_address(rest, sources.network);
  if (!address) return refusal(400, "invalid " + address.error().text);
  return workers ? workers_reply(sources, address->text, request)
                 : account_reply(sources, address->text);
}

}  // namespace adit
