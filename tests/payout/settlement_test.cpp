// SPDX-License-Identifier: MIT
// How settlements must behave: again and again, on lost branches, after maturity, in any batches.
#include <doctest/doctest.h>

#include "adit/payout/payments.h"
#include "bank.h"

namespace adit {
namespace {

using test::Bank;
using test::mine;
using test::worked_window;

constexpr Satoshi kReward{320'951'337};
constexpr const char* kPplns = "pplns factor=2 fee=200 way=wallet threshold=546 weight=8000";

}  // namespace

TEST_CASE("settlements: a message that comes again changes nothing") {
  Bank bank(kPplns);
  worked_window(bank);
  BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  for (const BlockState state : {BlockState::Accepted, BlockState::Mature})
    for (int i = 0; i < 3; ++i) bank.move(block, state);
  const auto rows = bank.store.rows(Family::Credits);
  bank.must_open();
  for (int i = 0; i < 3; ++i) bank.move(block, BlockState::Mature);
  REQUIRE(bank.tick());
  CHECK(bank.store.rows(Family::Credits) == rows);
}

TEST_CASE("settlements: two blocks on one height, only the winner is booked") {
  for (const bool early : {false, true}) {
    Bank bank(early ? "pplns factor=2 fee=200 way=coinbase threshold=546 weight=8000" : kPplns);
    worked_window(bank);
    BlockRecord loser = bank.find_block(2, 6, 100, kReward, 400);
    BlockRecord winner = bank.find_block(1, 7, 100, kReward, 100);
    bank.move(loser, BlockState::Accepted);  // way coinbase: booked at depth 1
    bank.move(loser, BlockState::Orphaned);
    bank.move(winner, BlockState::Accepted);
    bank.move(winner, BlockState::Mature);
    CHECK(bank.settlement(loser).state ==
          (early ? SettlementState::Reversed : SettlementState::Dropped));
    const Journal& journal = bank.treasury->journal();
    CHECK(journal.balance({BookKind::Blocks, 0}) == Satoshi{} - kReward);
    Satoshi earned =
        journal.balance({BookKind::Pool, 0}) + journal.balance({BookKind::Coinbase, 0});
    for (const std::uint32_t member : {1u, 2u, 3u}) earned += bank.balance(member);
    CHECK(earned == kReward);
    for (const PlanShare& share : bank.settlement(winner).shares)
      CHECK(journal.account(share.account).earned == share.entitled);
    CHECK(bank.journal_problems().empty());
  }
}

TEST_CASE("settlements: a reorganisation after maturity leaves debts, and may turn back") {
  Bank bank(kPplns);
  worked_window(bank);
  BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  bank.move(block, BlockState::Accepted);
  bank.move(block, BlockState::Mature);
  // Paid out before the chain turned.
  const Book account = Book::account(bank.account(1));
  LedgerBatch batch;
  Journal& journal = bank.treasury->journal();
  journal.move(batch, account, {BookKind::Paid, 0}, Satoshi(188'719'386), "payment", "payment:1",
               bank.now);
  journal.finish(batch);
  REQUIRE(bank.ledger->write(batch).ok());
  const std::uint64_t entries = journal.last_entry();
  bank.move(block, BlockState::Orphaned);
  CHECK(bank.balance(1) == Satoshi(-188'719'386));
  CHECK(bank.balance(2) == Satoshi{});
  CHECK(bank.treasury->payable(bank.account(1)) == Satoshi{});
  CHECK(bank.treasury->journal().last_entry() == entries + 4);  // nothing was edited
  bank.must_open();
  bank.move(block, BlockState::Accepted);
  CHECK(bank.balance(2) == Satoshi{});
  bank.move(block, BlockState::Mature);
  CHECK(bank.balance(1) == Satoshi{});
  CHECK(bank.balance(2) == Satoshi(78'633'078));
  CHECK(bank.journal_problems().empty());
}

TEST_CASE("settlements: without proof a block is neither booked nor lost, however long") {
  Bank bank(kPplns);
  worked_window(bank);
  BlockRecord block = bank.find_block(2, 6, 100, kReward, 400);
  for (const BlockState state : {BlockState::Submitted, BlockState::Side}) {
    bank.move(block, state);
    for (int day = 0; day < 30; ++day) {
      bank.pass(86'400'000);
      REQUIRE(bank.tick());
    }
    bank.must_open();
    CHECK(bank.settlement(block).state == SettlementState::Pending);
    CHECK(bank.treasury->journal().last_entry() == 0);
  }
}

TEST_CASE("settlements: what is booked as paid is what a transaction pays, or it is refused") {
  Bank bank("pplns factor=2 fee=0 way=wallet threshold=546 weight=8000");
  bank.must_open();
  mine(bank, 1, {{1, 100}});
  BlockRecord block = bank.find_block(1, 2, 100, Satoshi(12'345'678));
  bank.move(block, BlockState::Accepted);
  bank.move(block, BlockState::Mature);
  CHECK(bank.balance(1) == Satoshi(12'345'678));
  auto payments = Payments::open(*bank.ledger, *bank.treasury);
  REQUIRE(payments.ok());
  const auto planned = payments->plan({}, bank.now);
  REQUIRE(planned.ok());
  CHECK(planned->outputs.at(0).amount == Satoshi(12'345'678));
  Transaction rounded;
  rounded.inputs.resize(1);
  rounded.inputs[0].previous.txid.bytes[0] = 1;
  rounded.outputs = {{Satoshi(12'350'000), test::member_script(1)}};  // 0.1235, to four places
  CHECK_FALSE(
      payments->prepare(planned->id, to_hex(rounded.serialize()), Satoshi(200), bank.now).ok());
  CHECK(bank.treasury->journal().balance(Book::payment(planned->id)) == Satoshi(12'345'678));
}

TEST_CASE("settlements: the same sequence in other batches gives the same bytes") {
  std::map<std::string, std::string, std::less<>> rows[2];
  for (const bool together : {false, true}) {
    Bank bank("pplns factor=3 fee=150 way=coinbase threshold=100000 weight=2000");
    bank.must_open();
    test::ShareMaker random(3);
    for (int minute = 0; minute < 20; ++minute) {
      std::vector<ShareCandidate> shares;
      for (std::uint64_t i = 0; i < 12; ++i)
        shares.push_back(bank.share(1 + static_cast<std::uint32_t>(random.below(9)),
                                    static_cast<std::uint64_t>(minute) * 12 + i,
                                    1 + random.below(1u << 31)));
      if (together) {
        REQUIRE(bank.append(shares));
      } else {
        for (const ShareCandidate& share : shares) REQUIRE(bank.append({share}));
        if (minute % 7 == 3) bank.must_open();
      }
      bank.pass(30'000);
    }
    BlockRecord block = bank.find_block(4, 9'999, 100, kReward);
    bank.move(block, BlockState::Accepted);
    rows[together] = bank.store.rows(Family::Credits);
  }
  CHECK(rows[0].size() > 12);
  CHECK(rows[0] == rows[1]);
}

TEST_CASE("settlements: two workers of one address are one account, with one output") {
  Bank bank("pplns factor=2 fee=0 way=coinbase threshold=546 weight=8000");
  bank.must_open();
  const auto left = bank.share(1, 2, 100), right = bank.share(1, 3, 200);
  CHECK(left.worker != right.worker);
  REQUIRE(bank.append({left, right, bank.share(2, 4, 100)}));
  bank.pass(Ledger::kSliceMillis);
  REQUIRE(bank.close_slice());
  const auto planned = plan_coinbase(*bank.treasury->plan(), Satoshi(4'000'000), test::kBankScript);
  CHECK(planned.outputs == std::vector<TxOut>{{Satoshi(3'000'000), test::member_script(1)},
                                              {Satoshi(1'000'000), test::member_script(2)}});
}

}  // namespace adit
