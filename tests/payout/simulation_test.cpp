// SPDX-License-Identifier: MIT
// Thirty days of a pool of 1,000 accounts and 200 blocks: difficulty changes twice, some blocks are
// lost at a depth of 1, 6 and 101. Everybody gets what he has earned, to the satoshi: by windows,
// rounds and prices worked out from the shares that were sent in, not by the pool's code. Nine days
// of prop and pps.
#include <map>

#include "adit/ledger/reader.h"
#include "adit/payout/payments.h"
#include "bank.h"
#include "naive_split.h"

namespace adit {
namespace {

using test::Bank;
using test::ShareMaker;

constexpr std::uint32_t kAccounts = 1'000;
constexpr std::int64_t kDay = 24 * 60;
constexpr std::int64_t kBlockMinutes = 216;  // on average
constexpr std::int64_t kMinuteMillis = 60'000;
constexpr std::size_t kSharesAMinute = 4;

struct Found {
  BlockRecord record;
  std::vector<TxOut> outputs;
  std::int64_t minute = 0;
  std::int64_t lost_after = 0;           ///< minutes; 0: it stays
  std::vector<std::size_t> lost_before;  ///< since the block before
};

/// One that was sent in, and what shares were worth then.
struct Sent {
  std::uint32_t member;
  std::uint64_t work;
  NetworkFacts facts;
};

class Month {
 public:
  explicit Month(std::string_view terms, std::int64_t days = 30)
      : minutes(days * kDay), bank(terms), random_(30) {
    difficulty(100);
    bank.must_open();
    for (std::uint32_t m = 1; m <= kAccounts; ++m) first_.push_back(m);
  }

  void run() {
    for (std::int64_t minute = 0; minute < minutes; ++minute) {
      if (minute == minutes / 3) difficulty(120);
      if (minute == minutes * 2 / 3) difficulty(75);
      mine();
      if (blocks.size() < wanted() && minute >= next_block_) find(minute);
      move_blocks(minute);
      bank.pass(kMinuteMillis);
      if (minute % 4'320 == 4'319 && bank.options.terms.way == PayWay::Wallet) pay();
      if (minute % 9'000 == 8'999) bank.must_open();
    }
  }
  void pay() {
    auto payments = Payments::open(*bank.ledger, *bank.treasury);
    REQUIRE(payments.ok());
    while (true) {
      const auto planned = payments->plan({}, bank.now);
      if (!planned) break;
      Transaction transaction;
      transaction.inputs.resize(1);
      store_le(transaction.inputs[0].previous.txid.bytes.data(), planned->id);
      for (const PaymentOutput& out : planned->outputs) {
        const auto address = parse_address(out.address, Network::Regtest);
        REQUIRE(address.ok());
        transaction.outputs.push_back({out.amount, address->script});
        sent[address->script] += out.amount;
      }
      const std::string bytes = to_hex(transaction.serialize());
      REQUIRE(payments->prepare(planned->id, bytes, Satoshi(500), bank.now).ok());
      REQUIRE(payments->mark_broadcast(planned->id, bank.now).ok());
      REQUIRE(payments->mark_seen(planned->id, 6, bank.now).ok());
    }
  }

  std::size_t wanted() const { return static_cast<std::size_t>(minutes / kBlockMinutes); }
  /// Those of a slice, by rising account.
  std::vector<AccountWork> works_in(const SliceRecord& slice) const {
    std::map<AccountId, Uint128> works;
    for (std::uint64_t n = slice.first.value(); n <= slice.last.value(); ++n) {
      const Sent& share = shares.at(n - 1);
      CHECK(share.facts == slice.network);
      works[bank.account(share.member)] += share.work;
    }
    std::vector<AccountWork> out;
    for (const auto& [account, work] : works) out.push_back({account, work});
    return out;
  }

  std::int64_t minutes;
  Bank bank;
  std::vector<Found> blocks;
  std::vector<Sent> shares;        ///< by sequence, from 1
  std::map<Script, Satoshi> sent;  ///< by payments

 private:
  void difficulty(std::uint64_t percent) {
    bank.facts.work = Uint128{kBlockMinutes} * kSharesAMinute * kMeanWork * percent / 100;
    if (bank.ledger) bank.ledger->set_network(bank.facts);
  }

  /// A few accounts have most of the work.
  std::uint32_t any_member() {
    const std::uint64_t a = random_.below(kAccounts), b = random_.below(kAccounts);
    return 1 + static_cast<std::uint32_t>(a * b / kAccounts);
  }

  void mine() {
    std::vector<ShareCandidate> candidates;
    for (std::size_t i = 0; i < kSharesAMinute; ++i) {
      const std::uint32_t member = first_.empty() ? any_member() : first_.back();
      if (!first_.empty()) first_.pop_back();
      const std::uint64_t work = 1 + random_.below(2 * kMeanWork);
      candidates.push_back(bank.share(member, ++numbers_, work));
      shares.push_back({member, work, bank.facts});
    }
    REQUIRE_MESSAGE(bank.append(candidates), bank.last_error);
  }

  void find(std::int64_t minute) {
    next_block_ = minute + 1 + static_cast<std::int64_t>(random_.below(2 * kBlockMinutes - 24));
    Found found;
    const std::uint32_t member = any_member();
    const auto winner = bank.share(member, ++numbers_, kMeanWork, true);
    const auto height = 800'000 + static_cast<std::uint32_t>(minute / 10);
    found.record =
        bank.block_of(winner, member, height,
                      Satoshi(312'500'000 + static_cast<std::int64_t>(random_.below(20'000'000))));
    if (const PlanPtr plan = bank.treasury->plan()) {
      // A third of the templates leave less room than the terms want.
      found.outputs = Bank::job_outputs(found.record, *plan, 124 + random_.below(12'000));
    }
    REQUIRE(bank.append({winner}));
    shares.push_back({member, kMeanWork, bank.facts});
    found.record.after = bank.ledger->last_sequence();
    if (blocks.size() % 9 == 4) {  // killed between the block's row and its settlement
      REQUIRE(bank.ledger->put_block(found.record).ok());
      bank.must_open();
    }
    REQUIRE(bank.put(found.record, found.outputs));
    found.minute = minute;
    found.lost_before.swap(newly_lost_);
    constexpr std::int64_t kDepths[] = {10, 60, 1'010};
    if (random_.below(12) == 0) found.lost_after = kDepths[lost_++ % 3];
    bank.move(found.record, BlockState::Accepted);
    blocks.push_back(std::move(found));
  }

  void move_blocks(std::int64_t minute) {
    for (std::size_t i = 0; i < blocks.size(); ++i) {
      Found& block = blocks[i];
      const std::int64_t age = minute - block.minute;
      if (age == 1'000 && block.record.state == BlockState::Accepted)
        bank.move(block.record, BlockState::Mature);
      if (age != block.lost_after || age == 0) continue;
      bank.move(block.record, BlockState::Orphaned);
      newly_lost_.push_back(i);
    }
  }

  static constexpr std::uint64_t kMeanWork = 1u << 30;
  ShareMaker random_;
  std::vector<std::uint32_t> first_;
  std::vector<std::size_t> newly_lost_;
  std::uint64_t numbers_ = 0, lost_ = 0;
  std::int64_t next_block_ = 30;
};

std::vector<SliceRecord> slices_of(Month& month) {
  std::vector<SliceRecord> slices;
  REQUIRE(for_each_slice(month.bank.store, SliceNumber(1), [&](const SliceRecord& slice) {
            slices.push_back(slice);
            return true;
          }).ok());
  return slices;
}

/// The slice that a block is settled by: its plan's, else the one its share closed.
std::size_t slice_index(const Found& block, const std::vector<SliceRecord>& slices) {
  if (block.record.plan_slice != 0) return block.record.plan_slice - 1;
  for (std::size_t i = 0; i < slices.size(); ++i)
    if (slices[i].block == block.record.hash) return i;
  FAIL("no slice ends with the block");
  return 0;
}

using Works = std::map<AccountId, Uint128>;

/// From the newest slice backwards, until there is enough; of the last one what is inside.
Works window_works(const Month& month, const std::vector<SliceRecord>& slices, std::size_t newest) {
  const PayoutTerms& terms = month.bank.options.terms;
  Uint128 wanted = slices[newest].network.work * terms.scheme.factor;
  Works works;
  for (std::size_t at = newest + 1; at-- > 0 && wanted > 0;) {
    const auto entries = month.works_in(slices[at]);
    Uint128 total = 0;
    std::vector<Uint128> all;
    for (const AccountWork& entry : entries) total += entry.work, all.push_back(entry.work);
    const Uint128 outside = total - std::min(total, wanted);
    const auto cut = split(outside, all);
    for (std::size_t i = 0; i < entries.size(); ++i)
      works[entries[i].account] += entries[i].work - cut[i];
    wanted -= total - outside;
  }
  return works;
}

/// Everything since the block before, and the rounds of blocks that were lost meanwhile.
std::vector<Works> round_works(const Month& month, const std::vector<SliceRecord>& slices) {
  std::vector<Works> rounds;
  std::size_t from = 0;
  for (const Found& block : month.blocks) {
    const std::size_t last = slice_index(block, slices);
    Works works;
    for (; from <= last; ++from)
      for (const AccountWork& entry : month.works_in(slices[from]))
        works[entry.account] += entry.work;
    for (const std::size_t lost : block.lost_before)
      for (const auto& [account, work] : rounds.at(lost)) works[account] += work;
    rounds.push_back(std::move(works));
  }
  return rounds;
}

/// What every account has earned by the shares sent in.
std::map<AccountId, Satoshi> entitlements(Month& month) {
  std::map<AccountId, Satoshi> earned;
  const auto slices = slices_of(month);
  const PayoutTerms& terms = month.bank.options.terms;
  const bool prop = terms.scheme.kind == SchemeKind::Prop;
  const auto rounds = prop ? round_works(month, slices) : std::vector<Works>();
  for (std::size_t i = 0; i < month.blocks.size(); ++i) {
    const Found& block = month.blocks[i];
    if (block.record.state == BlockState::Orphaned) continue;
    if (terms.way != PayWay::Coinbase && block.record.state != BlockState::Mature) continue;
    const Works works = prop ? rounds[i] : window_works(month, slices, slice_index(block, slices));
    std::vector<AccountWork> weights;
    for (const auto& [account, work] : works)
      if (work > 0) weights.push_back({account, work});
    for (const test::Part& part :
         test::split_by_weights(block.record.value, terms.scheme.fee_basis_points, weights))
      earned[part.account] += part.amount;
  }
  return earned;
}

std::size_t lost_blocks(const Month& month) {
  std::size_t lost = 0;
  for (const Found& block : month.blocks)
    lost += block.record.state == BlockState::Orphaned ? 1 : 0;
  return lost;
}

}  // namespace

TEST_CASE("a month, way coinbase: every account is paid what it earned, but for its carry") {
  Month month("pplns factor=8 fee=150 way=coinbase threshold=1048576 weight=8000");
  month.run();
  CHECK(month.blocks.size() == 200);
  CHECK(lost_blocks(month) >= 9);
  std::map<Script, Satoshi> paid;
  for (const Found& block : month.blocks)
    if (block.record.state != BlockState::Orphaned)
      for (const TxOut& out : block.outputs) paid[out.script] += out.value;
  const auto earned = entitlements(month);
  CHECK(earned.size() == kAccounts);
  const Journal& journal = month.bank.treasury->journal();
  Satoshi carries, total_paid;
  for (std::uint32_t m = 1; m <= kAccounts; ++m) {
    const AccountBalance row = journal.account(month.bank.account(m));
    CHECK(row.earned == earned.at(row.account));
    CHECK(row.paid == paid[test::member_script(m)]);
    CHECK(row.balance == row.earned - row.paid);
    carries += row.balance;
    total_paid += row.paid;
  }
  CHECK(carries + journal.balance({BookKind::Pool, 0}) == Satoshi{});
  CHECK(total_paid > Satoshi(30'000'000'000));
  // Who waits for an output is owed less than who got one, or less than the threshold; and a debit
  // is at most the threshold.
  for (const Found& block : month.blocks) {
    const SettlementRecord record = month.bank.settlement(block.record);
    Satoshi least = kMaxMoney;
    for (const PlanShare& share : record.shares)
      if (share.paid > Satoshi{}) least = std::min(least, share.entitled + share.carry);
    const Satoshi bound = std::max(least == kMaxMoney ? Satoshi{} : least, Satoshi(1'048'576));
    for (const PlanShare& share : record.shares) {
      if (share.paid == Satoshi{}) CHECK(share.entitled + share.carry <= bound);
      if (share.paid > Satoshi{})
        CHECK(share.entitled + share.carry - share.paid >= Satoshi(-1'048'576));
    }
  }
  CHECK(month.bank.journal_problems().empty());
}

TEST_CASE("a month, way wallet: every account is paid what it earned, but for its balance") {
  Month month("pplns factor=8 fee=150 way=wallet threshold=1048576 weight=8000");
  month.run();
  month.pay();
  CHECK(month.blocks.size() == 200);
  CHECK(lost_blocks(month) >= 9);
  const auto earned = entitlements(month);
  const Journal& journal = month.bank.treasury->journal();
  for (std::uint32_t m = 1; m <= kAccounts; ++m) {
    const AccountBalance row = journal.account(month.bank.account(m));
    const auto due = earned.find(row.account);
    CHECK(row.earned == (due == earned.end() ? Satoshi{} : due->second));
    CHECK(row.paid == month.sent[test::member_script(m)]);
    CHECK(row.balance == row.earned - row.paid);
    CHECK(row.balance < Satoshi(1'048'576));  // the threshold: no payment below it
  }
  // I22: what matured is with accounts, paid, the operator's, or a network fee.
  CHECK(journal.balance({BookKind::Paid, 0}) > Satoshi(30'000'000'000));
  CHECK(journal.balance({BookKind::Fees, 0}) > Satoshi{});
  CHECK(month.bank.journal_problems().empty());
}

TEST_CASE("nine days of prop: every round is shared by its own work, a lost one by the next") {
  Month month("prop fee=150 way=wallet threshold=1048576 weight=8000", 9);
  month.run();
  month.pay();
  CHECK(month.blocks.size() == month.wanted());
  CHECK(lost_blocks(month) >= 3);
  const auto earned = entitlements(month);
  CHECK(earned.size() == kAccounts);
  const Journal& journal = month.bank.treasury->journal();
  for (std::uint32_t m = 1; m <= kAccounts; ++m) {
    const AccountBalance row = journal.account(month.bank.account(m));
    CHECK(row.earned == earned.at(row.account));
    CHECK(row.paid == month.sent[test::member_script(m)]);
    CHECK(row.balance < Satoshi(1'048'576));
  }
  CHECK(month.bank.journal_problems().empty());
}

TEST_CASE("nine days of pps: every share at the price of its time, to the millionth") {
  Month month("pps fee=150 way=wallet threshold=1048576 weight=8000", 9);
  month.run();
  const auto slices = slices_of(month);
  std::map<AccountId, Uint128> micro;
  for (std::size_t i = 0; i < slices.size() / 60 * 60; ++i)
    for (const AccountWork& entry : month.works_in(slices[i])) {
      const NetworkFacts& facts = slices[i].network;
      micro[entry.account] += multiply_divide(entry.work, Uint128{312'500'000} * 1'000'000 * 9'850,
                                              facts.work * 10'000);
    }
  const Journal& journal = month.bank.treasury->journal();
  for (std::uint32_t m = 1; m <= kAccounts; ++m) {
    const AccountBalance row = journal.account(month.bank.account(m));
    const Uint128 earned = micro[row.account];
    CHECK(row.earned == Satoshi(static_cast<std::int64_t>(earned / 1'000'000)));
    CHECK(row.fraction.value() == static_cast<std::int64_t>(earned % 1'000'000));
  }
  CHECK(lost_blocks(month) >= 3);  // they are the pool's loss
  CHECK(month.bank.journal_problems().empty());
}

}  // namespace adit
