// SPDX-License-Identifier: MIT
// What the HTTP interface answers, with books in memory.
#include "adit/api/routes.h"

#include <doctest/doctest.h>

#include "adit/ledger/reader.h"
#include "live_values.h"
#include "support/ledger_samples.h"
#include "support/memory_store.h"

using namespace adit;

namespace {

struct Kept {
  explicit Kept(std::uint64_t slices) {
    LedgerOptions options;
    options.network = Network::Regtest;
    auto opened = Ledger::open(store, options, std::nullopt);
    REQUIRE(opened.ok());
    Ledger& ledger = *opened;
    ledger.set_network(test::kSampleNetwork);
    std::vector<DoorVerdict> verdicts;
    Sequence first;
    UnixMillis now{1'700'000'000'000};
    for (std::uint64_t i = 0; i < slices; ++i) {
      const std::vector shares{maker.share(ledger.worker_id("a", "rig")),
                               maker.share(ledger.worker_id("b", "rig"))};
      REQUIRE(ledger.append(shares, now, verdicts, first).ok());
      now = UnixMillis(now.value() + 60'000);
      REQUIRE(ledger.close_due_slice(now).ok());
    }
  }
  ApiReply ask(std::string path, std::vector<std::pair<std::string, std::string>> query = {}) {
    return answer_api({store, totals, live, Network::Regtest}, {std::move(path), std::move(query)});
  }
  SliceRecord slice(std::uint64_t number) {
    const auto read = read_slice(store, SliceNumber(number));
    REQUIRE(read.ok());
    REQUIRE(read->has_value());
    return **read;
  }
  test::MemoryStore store;
  test::ShareMaker maker;
  BookTotals totals;
  test::LiveValues live;
};

std::size_t count(const std::string& text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != text.npos; at = text.find(what, at + 1)) ++found;
  return found;
}

}  // namespace

TEST_CASE("a slice says its root, its hash and the hash before it") {
  Kept books(3);
  const SliceRecord slice = books.slice(2);
  const ApiReply reply = books.ask("/api/v1/slices/2");
  CHECK(reply.status == 200);
  CHECK(reply.type == "application/json");
  CHECK(reply.body == "{\"number\":2,\"first_share\":3,\"last_share\":4,\"opened_ms\":" +
                          std::to_string(slice.opened.value()) +
                          ",\"closed_ms\":" + std::to_string(slice.closed.value()) +
                          ",\"accounts\":2,\"work\":\"8589934592\",\"network_work\":"
                          "\"1099511627776\",\"root\":\"" +
                          to_hex(slice.root) + "\",\"previous\":\"" +
                          to_hex(books.slice(1).hash()) + "\",\"hash\":\"" + to_hex(slice.hash()) +
                          "\"}\n");
}

TEST_CASE("the newest slices, or from a number on, never more than a hundred") {
  Kept books(130);
  const std::string newest = books.ask("/api/v1/slices").body;
  CHECK(count(newest, "\"number\":") == 100);
  CHECK(newest.starts_with("{\"slices\":[{\"number\":31,"));
  CHECK(count(newest, "{\"number\":130,") == 1);
  CHECK(count(books.ask("/api/v1/slices", {{"limit", "1000"}}).body, "\"number\":") == 100);
  const std::string some = books.ask("/api/v1/slices", {{"from", "7"}, {"limit", "2"}}).body;
  CHECK(count(some, "\"number\":") == 2);
  CHECK(count(some, "{\"number\":7,") == 1);
  CHECK(books.ask("/api/v1/slices", {{"limit", "1"}}).body.find("\"number\":130,") != some.npos);
  CHECK(books.ask("/api/v1/slices", {{"from", "131"}}).body == "{\"slices\":[]}\n");
  CHECK(Kept(0).ask("/api/v1/slices").body == "{\"slices\":[]}\n");
}

TEST_CASE("what is asked otherwise is refused, each time in the same shape") {
  Kept books(2);
  const auto status = [&](const char* path,
                          std::vector<std::pair<std::string, std::string>> query) {
    const ApiReply reply = books.ask(path, std::move(query));
    CHECK(reply.body.starts_with("{\"error\":\""));
    return reply.status;
  };
  for (const char* path : {"/", "/api/v1", "/api/v1/slicesx", "/api/v1/slices/", "/api/v1/slices/0",
                           "/api/v1/slices/3", "/api/v1/slices/1/", "/api/v1/slices/01",
                           "/api/v1/slices/+1", "/api/v1/slices/99999999999999999999", "/healthz/"})
    CHECK_MESSAGE(status(path, {}) == 404, path);
  CHECK(status("/api/v1/slices/1", {{"from", "1"}}) == 404);
  for (const char* value : {"", "0", "-1", "1e3", "x", "18446744073709551616"})
    CHECK_MESSAGE(status("/api/v1/slices", {{"from", value}}) == 400, value);
  CHECK(status("/api/v1/slices", {{"from", "1"}, {"from", "1"}}) == 400);
  CHECK(status("/api/v1/slices", {{"callback", "x"}}) == 400);
}

TEST_CASE("health needs no books; books that cannot be read are said") {
  Kept books(2);
  CHECK(books.ask("/healthz").body == "ok\n");
  books.store.fail_read_at = books.store.reads + 1;
  CHECK(books.ask("/api/v1/slices").status == 503);
}
