// SPDX-License-Identifier: MIT
// I27 to I29: whatever is broken off, repeated or called out of turn, each payment has one
// transaction at most, and no satoshi comes or goes.
#include <limits>
#include <map>

#include "support/ledger_samples.h"
#include "support/payments_fixture.h"

namespace adit {
namespace {

using namespace test;

/// Where transactions go. It never forgets one.
struct World {
  std::map<std::uint64_t, std::set<std::string>> sent;  // by payment
  std::uint64_t wallet = 1'000;                         // its next unused input

  void send(const Payment& payment) {
    REQUIRE_FALSE(payment.transaction.empty());
    sent[payment.id].insert(payment.txid);
    CHECK(sent[payment.id].size() == 1);
  }
};

constexpr UnixMillis kNever{std::numeric_limits<std::int64_t>::max()};

/// What the command line does, step by step, from wherever the books are. False: a step failed,
/// and whoever did it is gone with all that was only in memory.
bool pay(PaymentBooks& books, World& world) {
  Payments& payments = *books.payments;
  auto open = payments.next_open(0, kNever).value();
  if (!open) {
    auto planned = payments.plan(books.rules, books.now);
    if (!planned) return planned.error().code == ErrorCode::NotFound;
    open = std::move(*planned);
  }
  const std::uint64_t id = open->id;
  if (open->state == PaymentState::Planned) {
    if (open->unsigned_psbt.empty()) {
      const std::string psbt = psbt_of(funded(*open, ++world.wallet));
      if (!payments.store_unsigned(id, psbt, Satoshi(250), books.now)) return false;
    }
    const auto inside = transaction_of_psbt(books.get(id).unsigned_psbt);
    REQUIRE(inside.ok());
    if (!payments.prepare(id, hex_of(signed_of(*inside)), Satoshi(250), books.now)) return false;
  }
  if (!payments.mark_broadcast(id, books.now)) return false;
  world.send(books.get(id));
  for (const std::uint32_t depth : {1u, 0u, 2u, 6u})
    if (!payments.mark_seen(id, depth, books.now)) return false;
  return true;
}

/// Books in which three accounts have been paid once.
void check_paid_once(PaymentBooks& books, const World& world) {
  CHECK(world.sent.size() == 1);
  const Payment payment = books.get(1);
  CHECK(payment.state == PaymentState::Final);
  CHECK(world.sent.at(1) == std::set<std::string>{payment.txid});
  CHECK(books.journal->balance(kPaidBook) == Satoshi(600'000));
  CHECK(books.journal->balance(kFeesBook) == Satoshi(250));
  for (const std::uint32_t account : {1u, 2u, 3u}) {
    CHECK(books.balance(account) == Satoshi(0));
    CHECK(books.journal->account(AccountId(account)).paid == Satoshi(account * 100'000));
  }
  CHECK(books.problems().empty());
  CHECK_FALSE(books.payments->next_open(0, kNever).value().has_value());
}

}  // namespace

TEST_CASE("crash at each step, twice: paid once, nothing lost") {
  int steps = 0;
  for (const bool reached : {false, true})
    for (const bool reached_again : {false, true})
      for (int n = 1;; ++n) {
        PaymentBooks books;
        World world;
        for (const std::uint32_t account : {1u, 2u, 3u})
          REQUIRE(books.credit(account, account * 100'000).ok());
        books.store.fail_at = books.store.commits + n;
        books.store.failure_reaches_log = reached;
        const bool whole = pay(books, world);
        if (whole) {
          steps = n;
          check_paid_once(books, world);
          break;
        }
        CHECK(books.ledger->failed());
        books.crash(reached);
        books.store.fail_at = books.store.commits + 1;  // the step that is done again
        books.store.failure_reaches_log = reached_again;
        if (!pay(books, world)) books.crash(reached_again);
        CHECK(pay(books, world));
        check_paid_once(books, world);
      }
  CHECK(steps == 9);  // plan, PSBT, bytes, broadcast, four looks at the chain: each was broken off
}

namespace {

/// A wild operator: any call at any time, on any payment, while the disk fails now and then.
class Wild {
 public:
  explicit Wild(std::uint64_t seed) : chance_(seed) {}

  void step() {
    if (chance_.below(8) == 0) {
      books_.store.fail_at = books_.store.commits + 1;
      books_.store.failure_reaches_log = chance_.below(2) == 0;
    }
    act();
    if (books_.ledger->failed()) books_.crash(books_.store.failure_reaches_log);
    books_.store.fail_at = 0;
    if (chance_.below(20) == 0) books_.reopen();
    check();
  }
  void check_end() {
    CHECK(books_.problems().empty());
    CHECK(finals_ > 0);
  }

 private:
  void act() {
    Payments& payments = *books_.payments;
    const UnixMillis now = books_.now = UnixMillis(books_.now.value() + 1);
    const std::uint64_t id = 1 + chance_.below(4) + (last_ > 3 ? last_ - 3 : 0);
    const auto payment = payments.find(id).value();
    switch (chance_.below(12)) {
      case 0:
      case 1:
        return credit();
      case 2:
        if (const auto planned = payments.plan(books_.rules, now)) last_ = planned->id;
        return;
      case 3:
        if (payment)
          (void)payments.store_unsigned(id, psbt_of(funded(*payment, ++world_.wallet)),
                                        Satoshi(250), now);
        return;
      case 4:
      case 5:
        if (payment) (void)payments.prepare(id, some_hex(*payment), Satoshi(250), now);
        return;
      case 6:
        // The bytes leave only once the books say so.
        if (payments.mark_broadcast(id, now)) send(id);
        return;
      case 7:
        (void)payments.mark_seen(id, static_cast<std::uint32_t>(chance_.below(9)), now);
        return;
      case 8:
        (void)payments.mark_exported(id, now);
        return;
      case 9:
        return outside(id);
      case 10:
        if (chance_.below(3) == 0) (void)payments.cancel(id, now);
        return;
      default:
        if (payment) stand_in_the_way(*payment);
    }
  }

  void outside(std::uint64_t id) {
    const auto payment = books_.payments->find(id).value();
    if (!payment || chance_.below(4) == 0)
      return (void)books_.payments->mark_not_paid(id, books_.now);
    const Transaction paid = funded(*payment, 1'000'000 + id * 2 + chance_.below(2));
    const std::string bytes = chance_.below(2) == 0 ? "" : hex_of(paid);
    (void)books_.payments->mark_paid_outside(id, paid.txid().hex(), bytes, "", books_.now);
  }

  /// What spends its input may pay nobody, or everybody.
  void stand_in_the_way(const Payment& payment) {
    const auto bytes = from_hex(payment.transaction);
    const auto own = Transaction::parse(bytes ? *bytes : ByteVec{});
    if (!own || chance_.below(3) != 0) return;
    const auto depth = static_cast<std::uint32_t>(1 + chance_.below(9));
    if (chance_.below(2) == 0)
      (void)books_.payments->make_void(payment.id, proof_by(rival_of(*own), depth), books_.now);
    else
      (void)books_.payments->mark_paid_by(payment.id, bump_of(*own), Satoshi(300), depth, "",
                                          books_.now);
  }

  void credit() {
    const auto account = static_cast<std::uint32_t>(1 + chance_.below(5));
    const auto amount = static_cast<std::int64_t>(1 + chance_.below(40'000));
    const bool booked = books_.credit(account, amount).ok();
    if (booked || books_.store.failure_reaches_log) credited_ += amount;
  }

  std::string some_hex(const Payment& payment) {
    const auto agreed = transaction_of_psbt(payment.unsigned_psbt);
    if (agreed && chance_.below(3) != 0) return hex_of(signed_of(*agreed));
    return hex_of(signed_of(funded(payment, ++world_.wallet)));
  }

  void send(std::uint64_t id) {
    const Payment payment = books_.get(id);
    if (payment.outside) return;
    world_.send(payment);
  }

  void check() {
    Satoshi together;
    for (std::uint32_t account = 1; account <= 5; ++account) {
      CHECK(books_.balance(account) >= Satoshi(0));
      together += books_.balance(account);
    }
    Satoshi paid;
    REQUIRE(for_each_payment(books_.store, [&](const Payment& payment) {
              const bool open = !payment_is_closed(payment.state);
              const Satoshi held = books_.journal->balance(Book::payment(payment.id));
              CHECK(held == (open ? payment.sum : Satoshi(0)));
              together += held;
              if (payment.state == PaymentState::Final) paid += payment.sum, ++finals_;
              check_unchanged(payment);
              return true;
            }).ok());
    CHECK(books_.journal->balance(kPaidBook) == paid);
    CHECK((together + paid).value() == credited_);
  }

  /// I29: an id, its outputs and its bytes are for ever.
  void check_unchanged(const Payment& payment) {
    Payment& known = known_.try_emplace(payment.id, payment).first->second;
    CHECK(known.outputs == payment.outputs);
    CHECK(known.idempotency_key == payment.idempotency_key);
    if (!known.unsigned_psbt.empty()) CHECK(known.unsigned_psbt == payment.unsigned_psbt);
    if (!known.transaction.empty() && !known.outside)
      CHECK(known.transaction == payment.transaction);
    known = payment;
  }

  ShareMaker chance_;
  PaymentBooks books_;
  World world_;
  std::map<std::uint64_t, Payment> known_;
  std::uint64_t last_ = 0;
  std::int64_t credited_ = 0;
  std::size_t finals_ = 0;
};

}  // namespace

TEST_CASE("random calls, crashes and repetitions: one transaction a payment, money conserved") {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    CAPTURE(seed);
    Wild wild(seed);
    for (int step = 0; step < 1'000; ++step) wild.step();
    wild.check_end();
  }
}

}  // namespace adit
