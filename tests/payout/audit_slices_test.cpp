// SPDX-License-Identifier: MIT
// Priced shares: one changed amount, fraction or batch is found, by name.
#include "adit/ledger/reader.h"
#include "forge.h"
#include "payout/priced_batch.h"

namespace adit {
namespace {

using namespace test;

/// Three batches of 60 slices and one cut by a change of the fee; then another scheme, and back.
struct Priced {
  Priced() : bank("pps fee=400 way=wallet threshold=546 weight=8000") {
    bank.facts.work = 1'000'003;
    bank.must_open();
    work(190);
    change("fpps fee=100 way=wallet threshold=546 weight=8000");
    work(20);
    change("pplns factor=2 fee=0 way=wallet threshold=546 weight=8000");
    work(5);
    change("fpps fee=0 way=wallet threshold=546 weight=8000");
    work(70);
  }
  void change(std::string_view terms) {
    bank.options.terms = terms_of(terms);
    bank.must_open();
  }
  void work(int slices) {
    for (int i = 0; i < slices; ++i, numbers += 3)
      mine(bank, numbers, {{1, 100 + numbers % 7}, {2, 3}, {0xFFFF, 50}});
  }
  SliceAudit audit(std::uint64_t first = 1, std::uint64_t last = 1000) {
    auto report = audit_slices(bank.store, Network::Regtest, SliceNumber(first), SliceNumber(last));
    REQUIRE_MESSAGE(report.ok(), (report ? "" : report.error().text));
    return *std::move(report);
  }
  std::string& row(char prefix, const std::string& holds) {
    for (auto& [key, value] : bank.store.rows(Family::Credits))
      if (key[0] == prefix && value.find(holds) != std::string::npos) return value;
    FAIL("no such row");
    std::abort();
  }
  std::string account(std::uint32_t member) {
    return "account:" + std::to_string(bank.account(member).value()) + "\"";
  }

  Bank bank;
  std::uint64_t numbers = 1;
};

}  // namespace

TEST_CASE("priced slices: honest batches agree, to the millionth of a satoshi") {
  Priced priced;
  const SliceAudit all = priced.audit();
  for (const std::string& problem : all.problems) MESSAGE(problem);
  CHECK(all.problems.empty());
  CHECK(all.batches == 6);
  CHECK(all.slices == 190 + 20 + 25);
  CHECK(priced.audit(61, 61).slices == 60);
  CHECK(priced.audit(61, 61).batches == 6);
  CHECK(money_problems(priced.bank).empty());
}

TEST_CASE("priced slices: a changed amount") {
  Priced priced;
  std::string& entry =
      priced.row('j', "\"ref\":\"slices:61-120\",\"from\":\"pool\",\"to\":\"" + priced.account(2));
  REQUIRE(add_to_field(entry, "amount", 1));
  CHECK(says(priced.audit().problems, "slices:61-120: account 2 (" + member_address(2) + ")"));
  CHECK(priced.audit().problems.size() == 1);
  CHECK(priced.audit(1, 60).problems.empty());
}

TEST_CASE("priced slices: a changed fraction") {
  Priced priced;
  std::string& balance = priced.row('b', member_address(1));
  REQUIRE(add_to_field(balance, "fraction",
                       balance.find("\"fraction\":999999") == balance.npos ? 1 : -1));
  CHECK(says(priced.audit().problems, member_address(1) + "): its balance has a fraction of"));
  CHECK(priced.audit().problems.size() == 1);
}

TEST_CASE("priced slices: what a batch left, changed and sealed again") {
  Priced priced;
  auto batch = next_priced_batch(priced.bank.store, SliceNumber(120));
  REQUIRE((batch.ok() && *batch));
  (*batch)->left[0].second = MicroSatoshi(((*batch)->left[0].second.value() + 1) % 1'000'000);
  LedgerBatch rows;
  put_priced_batch(rows, **batch);
  REQUIRE(priced.bank.store.commit(rows, true).ok());
  const auto problems = priced.audit().problems;
  CHECK(problems.size() == 2);  // this batch, and the one that begins with it
  CHECK(says(problems, "slices:61-120: account 1 (" + member_address(1) + ")"));
  CHECK(says(problems, "slices:121-180: account 1 (" + member_address(1) + ")"));
}

TEST_CASE("priced slices: a missing batch") {
  for (const bool with_entries : {false, true}) {
    Priced priced;
    auto& rows = priced.bank.store.rows(Family::Credits);
    rows.erase("f" + key_u64(120));
    if (with_entries)
      std::erase_if(rows, [](const auto& row) {
        return row.first[0] == 'j' && row.second.find("slices:61-120") != std::string::npos;
      });
    const auto problems = priced.audit().problems;
    CHECK(says(problems, "slices:121-180: the next slice to be paid was 61"));
    if (!with_entries) CHECK(says(problems, "slices:61-120: the journal pays for these slices"));
  }
}

TEST_CASE("priced slices: a batch that is paid twice") {
  Priced priced;
  Bank& bank = priced.bank;
  LedgerBatch batch;
  bank.treasury->journal().move(batch, {BookKind::Pool, 0}, Book::account(bank.account(1)),
                                Satoshi(1000), "shares", "slices:61-120", bank.now);
  bank.treasury->journal().finish(batch);
  REQUIRE(bank.ledger->write(batch).ok());
  CHECK(bank.journal_problems().empty());
  CHECK(says(priced.audit().problems, "slices:61-120: the journal pays for these slices"));
}

TEST_CASE("priced slices: of expired slices the rest is still bounded") {
  Priced priced;
  REQUIRE(priced.bank.ledger->expire_slices(SliceNumber(100)).ok());
  CHECK(priced.audit().problems.empty());
  CHECK(priced.audit().notes.size() == 2);
  std::string& entry =
      priced.row('j', "\"ref\":\"slices:61-120\",\"from\":\"pool\",\"to\":\"" + priced.account(1));
  REQUIRE(add_to_field(entry, "amount", -1'500'000));
  CHECK(says(priced.audit().problems, "slices:61-120: account 1 (" + member_address(1) + ")"));
}

TEST_CASE("priced slices: how far they are priced") {
  Priced priced;
  REQUIRE(add_to_field(priced.bank.store.rows(Family::Credits)["q"], "priced_through", -1));
  CHECK(says(priced.audit().problems, "slices are priced up to 239, the batches say up to 240"));
}

}  // namespace adit
