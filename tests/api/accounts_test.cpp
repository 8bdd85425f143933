// SPDX-License-Identifier: MIT
// An account and its workers: books and running pool in, one page out.
#include <doctest/doctest.h>

#include "adit/payout/journal.h"
#include "live_values.h"
#include "support/ledger_samples.h"
#include "support/memory_store.h"

using namespace adit;

namespace {

const std::string kAlice = "bcrt1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3qzf4jry";
const std::string kBob = "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn";
const std::string kMain = "bc1qvyq0cc6rahyvsazfdje0twl7ez82ndmuac2lhv";
constexpr std::int64_t kNow = 1'700'000'000'000;

using Query = std::vector<std::pair<std::string, std::string>>;

struct Site {
  Site() {
    LedgerOptions options;
    options.network = Network::Regtest;
    auto opened = Ledger::open(store, options, std::nullopt);
    REQUIRE(opened.ok());
    ledger.emplace(std::move(*opened));
    ledger->set_network(test::kSampleNetwork);
  }
  void mine(const std::string& account, const std::string& worker, int count = 1) {
    std::vector<ShareCandidate> shares;
    for (int i = 0; i < count; ++i)
      shares.push_back(maker.share(ledger->worker_id(account, worker)));
    std::vector<DoorVerdict> verdicts;
    Sequence first;
    REQUIRE(ledger->append(shares, UnixMillis(kNow), verdicts, first).ok());
  }
  ApiReply ask(const std::string& rest, Query query = {}) {
    return answer_api({store, totals, live, Network::Regtest},
                      {"/api/v1/accounts/" + rest, std::move(query)});
  }
  /// The names on a page, joined by blanks, and its `next` behind a bar.
  std::string page(Query query = {}) {
    const ApiReply reply = ask(kAlice + "/workers", std::move(query));
    CHECK(reply.status == 200);
    std::string out;
    const auto each = [&](std::string_view key, std::string_view between) {
      const std::string& body = reply.body;
      for (std::size_t at = body.find(key); at != body.npos; at = body.find(key, at)) {
        at += key.size();
        out += std::string(between) + body.substr(at, body.find('"', at) - at);
      }
    };
    each("{\"name\":\"", " ");
    each("\"next\":\"", " |");
    return out;
  }
  test::MemoryStore store;
  test::ShareMaker maker;
  std::optional<Ledger> ledger;
  BookTotals totals;
  test::LiveValues live;
};

LiveWorker connected(std::string name, std::int64_t since, std::int64_t last_share = 0) {
  return {std::move(name), 1, UnixMillis(since), UnixMillis(last_share), 0};
}

bool has(const ApiReply& reply, std::string_view what) {
  return reply.body.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("workers: connected without a share, mining, offline; books and threads by name") {
  Site site;
  site.mine(kAlice, "mines", 2);
  site.mine(kAlice, "gone");
  site.mine(kBob, "else");
  site.live.threads = {
      {{{"mines", 1, UnixMillis(900), UnixMillis(950), 70}, connected("new", 800)}},
      {{{"mines", 2, UnixMillis(700), UnixMillis(940), 30}}}};
  const ApiReply reply = site.ask(kAlice + "/workers");
  CHECK(reply.status == 200);
  CHECK(reply.type == "application/json");
  CHECK(reply.body ==
        "{\"address\":\"" + kAlice +
            "\",\"workers\":["
            "{\"name\":\"gone\",\"state\":\"offline\",\"text\":\"not connected\",\"connections\":0,"
            "\"shares\":1,\"work\":\"4294967296\",\"hashrate\":0,\"connected_since_ms\":null,"
            "\"last_share_ms\":null},"
            "{\"name\":\"mines\",\"state\":\"mining\",\"text\":\"connected, and sends shares\","
            "\"connections\":3,\"shares\":2,\"work\":\"8589934592\",\"hashrate\":100,"
            "\"connected_since_ms\":700,\"last_share_ms\":950},"
            "{\"name\":\"new\",\"state\":\"no_share_yet\",\"text\":\"connected, no share yet\","
            "\"connections\":1,\"shares\":0,\"work\":\"0\",\"hashrate\":0,"
            "\"connected_since_ms\":800,\"last_share_ms\":null}"
            "],\"next\":null,\"complete\":true}\n");
  REQUIRE(site.live.asked.size() == 1);
  CHECK(site.live.asked[0].account == kAlice);
}

TEST_CASE("workers: a share counts for the state since the worker is here") {
  Site site;
  site.mine(kAlice, "back");
  site.live.threads = {{{connected("back", 1'000, 999)}}};
  const ApiReply silent = site.ask(kAlice + "/workers");
  CHECK(has(silent,
            "\"state\":\"no_share_yet\",\"text\":\"connected, no share yet since it came back\""));
  site.live.threads = {{{connected("back", 1'000, 1'000)}}};
  CHECK(has(site.ask(kAlice + "/workers"), "\"state\":\"mining\""));
  // What a thread remembers of one who left: when it last had a share.
  site.live.threads = {{{{"back", 0, UnixMillis(), UnixMillis(1'000), 0}}}};
  CHECK(has(site.ask(kAlice + "/workers"), "\"state\":\"offline\""));
  CHECK(has(site.ask(kAlice + "/workers"), "\"last_share_ms\":1000"));
}

TEST_CASE("workers: who has only connected is no stranger; who has done neither is") {
  Site site;
  site.live.threads = {{}, {}};
  for (const char* rest : {"", "/workers"}) {
    const ApiReply reply = site.ask(kAlice + rest);
    CHECK(reply.status == 404);
    CHECK(
        reply.body ==
        "{\"error\":\"nobody mines for this address: no share is booked, nobody is connected\"}\n");
  }
  site.live.threads[1].workers = {connected("", kNow)};
  CHECK(site.ask(kAlice + "/workers").status == 200);
  CHECK(has(site.ask(kAlice),
            "\"workers\":1,\"connected_workers\":1,\"connections\":1,\"shares\":0"));
  site.live.threads = {};
  site.mine(kAlice, "");
  CHECK(site.ask(kAlice + "/workers").status == 200);
}

TEST_CASE("workers: pages go on where the last one ended, over books and threads") {
  Site site;
  for (const char* name : {"a", "c", "e", "g"}) site.mine(kAlice, name);
  site.live.threads = {{{connected("b", 1), connected("f", 1)}},
                       {{connected("c", 1), connected("d", 1)}}};
  CHECK(site.page() == " a b c d e f g");
  CHECK(site.page({{"limit", "3"}}) == " a b c |d");
  CHECK(site.page({{"limit", "3"}, {"from", "d"}}) == " d e f |g");
  CHECK(site.page({{"from", "g"}, {"limit", "3"}}) == " g");
  CHECK(site.page({{"limit", "7"}}) == " a b c d e f g");
  CHECK(site.page({{"from", "ca"}, {"limit", "1"}}) == " d |e");
  CHECK(site.page({{"from", "z"}}) == "");
  CHECK(site.page({{"from", ""}, {"limit", "1"}}) == " a |b");
}

TEST_CASE("workers: a thousand an answer, and it is said when a thread did not look at all") {
  Site site;
  for (int i = 0; i < 700; ++i) site.mine(kAlice, "b" + std::to_string(i));
  LiveWorkers many;
  for (int i = 1'000; i < 1'700; ++i) many.workers.push_back(connected("l" + std::to_string(i), 1));
  site.live.threads = {many};
  const auto rows = [](const ApiReply& reply) {
    std::size_t found = 0;
    for (std::size_t at = reply.body.find("{\"name\""); at != std::string::npos;
         at = reply.body.find("{\"name\"", at + 1))
      ++found;
    return found;
  };
  for (const char* limit : {"1000", "5000"}) {
    const ApiReply reply = site.ask(kAlice + "/workers", {{"limit", limit}});
    CHECK(rows(reply) == 1'000);
    CHECK(has(reply, "\"next\":\"l1300\",\"complete\":true}"));
  }
  CHECK(rows(site.ask(kAlice + "/workers", {{"from", "l1300"}})) == 400);
  CHECK(has(site.ask(kAlice), "\"workers\":1400,\"connected_workers\":700,"));
  site.live.threads[0].whole = false;
  CHECK(has(site.ask(kAlice + "/workers"), "\"complete\":false}"));
  CHECK(has(site.ask(kAlice), "\"complete\":false}"));
}

TEST_CASE("account: sums of books and threads, and its money") {
  Site site;
  site.mine(kAlice, "a", 3);
  site.mine(kAlice, "b", 2);
  site.live.threads = {{{{"a", 2, UnixMillis(10), UnixMillis(20), 7}, connected("c", 30)}},
                       {{{"a", 1, UnixMillis(15), UnixMillis(25), 8}}}};
  const std::string begin =
      "{\"address\":\"" + kAlice +
      "\",\"workers\":3,\"connected_workers\":2,\"connections\":4,\"shares\":5,\"work\":"
      "\"21474836480\",\"hashrate\":15,\"first_seen_ms\":1700000000000,\"last_share_ms\":25,";
  CHECK(site.ask(kAlice).body == begin + "\"money\":null,\"complete\":true}\n");
  auto journal = Journal::open(site.store, [](AccountId) { return kAlice; });
  REQUIRE(journal.ok());
  LedgerBatch batch;
  const Book account = Book::account(AccountId(1)), blocks{BookKind::Blocks, 0};
  journal->move(batch, blocks, account, Satoshi(5'000), "block", "x", UnixMillis(kNow));
  journal->move(batch, account, {BookKind::Paid, 0}, Satoshi(2'000), "paid", "x", UnixMillis(kNow));
  journal->finish(batch);
  REQUIRE(site.store.commit(batch, true).ok());
  CHECK(site.ask(kAlice).body ==
        begin + "\"money\":{\"balance\":3000,\"earned\":5000,\"paid\":2000},\"complete\":true}\n");
}

TEST_CASE("accounts: an address in its other spelling is the same; what is none is refused") {
  Site site;
  site.mine(kAlice, "a");
  std::string upper = kAlice;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  CHECK(site.ask(upper).body == site.ask(kAlice).body);
  const auto refused = [&](const std::string& rest, Query query = {}) {
    const ApiReply reply = site.ask(rest, std::move(query));
    CHECK(reply.body.starts_with("{\"error\":\""));
    return reply.status;
  };
  for (const std::string& rest :
       {std::string(), std::string("x"), kMain, kAlice + "q", std::string("\"<\n")})
    for (const char* what : {"", "/workers"}) CHECK_MESSAGE(refused(rest + what) == 400, rest);
  CHECK(has(site.ask(kMain), "wrong network"));
  CHECK(refused(kAlice + "/") == 404);
  CHECK(refused(kAlice + "/workers/") == 404);
  CHECK(refused(kAlice + "/shares") == 404);
  CHECK(refused(kAlice + "/x/workers") == 404);
  CHECK(refused(kAlice, {{"limit", "1"}}) == 404);
  for (const char* limit : {"", "0", "-1", "01", "x", "1e3"})
    CHECK(refused(kAlice + "/workers", {{"limit", limit}}) == 400);
  CHECK(refused(kAlice + "/workers", {{"limit", "1"}, {"limit", "1"}}) == 400);
  CHECK(refused(kAlice + "/workers", {{"from", "a"}, {"from", "a"}}) == 400);
  CHECK(refused(kAlice + "/workers", {{"from", std::string(257, 'a')}}) == 400);
  CHECK(refused(kAlice + "/workers", {{"page", "1"}}) == 400);
  CHECK(site.live.asked.size() == 2);  // nothing that was refused asked the pool
}

TEST_CASE("accounts: books that cannot be read and a pool that does not answer are said") {
  Site site;
  site.mine(kAlice, "a");
  CHECK(site.ask(kAlice).status == 200);
  site.live.silent = true;
  for (const char* what : {"", "/workers"}) {
    const ApiReply reply = site.ask(kAlice + what);
    CHECK(reply.status == 503);
    CHECK(reply.body == "{\"error\":\"the pool is busy; ask again\"}\n");
  }
  site.live.silent = false;
  for (int later = 1; later <= 5; ++later) {
    site.store.fail_read_at = site.store.reads + later;
    CHECK(site.ask(kAlice).status == 503);
  }
  CHECK(site.ask(kAlice).status == 200);
}
