// SPDX-License-Identifier: MIT
// One changed number anywhere between the shares and the coinbase is found, by name.
#include "adit/payout/audit.h"

#include "adit/ledger/json_fields.h"
#include "adit/ledger/reader.h"
#include "bank.h"

namespace adit {
namespace {

using test::Bank;
using test::mine;

constexpr Satoshi kReward{320'951'337};

/// A pool with one booked block, and the outputs of its coinbase.
struct Audited {
  explicit Audited(std::string_view terms) : bank(terms) {
    bank.facts.work = 2000;
    bank.must_open();
    mine(bank, 1, {{1, 900}, {2, 300}, {3, 777}});
    mine(bank, 10, {{1, 500}, {3, 300}});
    mine(bank, 20, {{2, 700}, {0xFFFF, 50}});
    if (const PlanPtr plan = bank.treasury->plan())
      coinbase = plan_coinbase(*plan, kReward, test::kBankScript).outputs;
    else
      coinbase = {{kReward, test::kBankScript}};
    block = bank.find_block(2, 30, 100, kReward, 400);
    bank.move(block, BlockState::Accepted);
    bank.move(block, BlockState::Mature);
  }
  AuditReport audit() {
    const auto report =
        audit_block(bank.store, block.hash, Network::Regtest, test::kBankScript, coinbase);
    REQUIRE_MESSAGE(report.ok(), (report ? "" : report.error().text));
    return *report;
  }
  /// The first problem that names this member; empty: none does.
  std::string problem_of(std::uint32_t member) {
    for (const std::string& text : audit().problems)
      if (text.find(test::member_address(member)) != std::string::npos) return text;
    return "";
  }
  bool names_only(std::uint32_t member) {
    for (const std::uint32_t other : {1u, 2u, 3u})
      if ((problem_of(other) != "") != (other == member)) return false;
    return true;
  }
  /// Changes a sealed row and seals it again.
  void rewrite(char prefix, const std::string& holds, const std::string& from,
               const std::string& to) {
    for (auto& [key, row] : bank.store.rows(Family::Credits)) {
      if (key[0] != prefix || row.find(holds) == std::string::npos) continue;
      std::string text = row.substr(0, row.rfind(",\"seal\"")) + "}";
      const std::size_t at = text.find(from);
      REQUIRE(at != std::string::npos);
      row = seal_json(text.replace(at, from.size(), to));
      return;
    }
    FAIL("no such row");
  }

  Bank bank;
  BlockRecord block;
  std::vector<TxOut> coinbase;
};

constexpr const char* kWallet = "pplns factor=2 fee=200 way=wallet threshold=546 weight=8000";
constexpr const char* kCoinbase = "pplns factor=2 fee=200 way=coinbase threshold=546 weight=8000";

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  CHECK(text.find(part) != std::string::npos);
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("audit: an honest block is clean, and what was looked at is said") {
  for (const char* terms : {kWallet, kCoinbase, "prop fee=100 way=wallet threshold=546 weight=8000",
                            "prop fee=100 way=coinbase threshold=546 weight=8000",
                            "pps fee=100 way=wallet threshold=546 weight=8000",
                            "fpps fee=100 way=export threshold=546 weight=8000"}) {
    CAPTURE(terms);
    Audited audited(terms);
    const AuditReport report = audited.audit();
    for (const std::string& problem : report.problems) MESSAGE(problem);
    CHECK(report.problems.empty());
    CHECK(report.settlement.state == SettlementState::Booked);
    if (audited.bank.options.terms.scheme.kind == SchemeKind::Pplns)
      CHECK(report.shares_checked >= 7);
  }
  Audited audited(kWallet);
  CHECK(audit_block(audited.bank.store, BlockHash{}, Network::Regtest, test::kBankScript, {})
            .error()
            .code == ErrorCode::NotFound);
}

TEST_CASE("audit: a changed weight in a slice is found by name") {
  for (const char* terms : {kWallet, kCoinbase}) {
    Audited audited(terms);
    auto slice = read_slice(audited.bank.store, SliceNumber(1));
    REQUIRE((slice.ok() && *slice));
    auto entries = (*slice)->slice.entries();
    for (AccountWork& entry : entries)
      if (entry.account == audited.bank.account(3)) entry.work += 1;
    (*slice)->slice = Slice(entries);
    audited.bank.store.rows(Family::Slices)[key_u64(1)] = std::string(text_of((*slice)->encode()));
    holds(audited.problem_of(3), "slice 1 says work 778, its shares add up to 777");
    bool chain = false;
    for (const std::string& text : audited.audit().problems)
      chain = chain || text.find("slice 2 does not name slice 1 as it stands") != text.npos;
    CHECK(chain);
  }
}

TEST_CASE("audit: a changed share is found by name") {
  Audited audited(kWallet);
  for (auto& [key, run] : audited.bank.store.rows(Family::Shares)) {
    // The work that ends a run's first entry, behind the run's header of 48 bytes.
    std::uint8_t* work = reinterpret_cast<std::uint8_t*>(run.data()) + 48 + 85;
    if (load_le<std::uint64_t>(work) == 500) store_le<std::uint64_t>(work, 499);
  }
  holds(audited.problem_of(1), "slice 2 says work 500, its shares add up to 499");
  CHECK(audited.names_only(1));
}

TEST_CASE("audit: a changed part of a settlement is found by name") {
  for (const bool sealed : {false, true})
    for (const std::size_t field : {8u, 24u}) {
      Audited audited(kWallet);
      for (auto& [key, rows] : audited.bank.store.rows(Family::Credits)) {
        if (key[0] != 'p') continue;
        const std::string before = to_hex(sha256(bytes_of(rows)));
        rows[48 + field] = static_cast<char>(rows[48 + field] ^ 1);  // the second account's
        if (sealed) audited.rewrite('s', before, before, to_hex(sha256(bytes_of(rows))));
      }
      holds(audited.problem_of(2),
            field == 8 ? "its settlement says work" : "by its work it has earned");
      CHECK(audited.problem_of(1) == "");
    }
}

TEST_CASE("audit: a changed amount in the journal is found by name") {
  Audited audited(kCoinbase);
  const SettlementRecord record = audited.bank.settlement(audited.block);
  const Satoshi earned = record.shares.at(2).entitled, paid = record.shares.at(2).paid;
  const std::string to =
      "\"to\":\"account:" + std::to_string(record.shares.at(2).account.value()) + "\"";
  const auto amount = [](Satoshi s) { return "\"amount\":" + std::to_string(s.value()); };
  audited.rewrite('j', to, amount(earned), amount(earned + Satoshi(1)));
  holds(audited.problem_of(3), "the journal says that the block brought " +
                                   std::to_string(earned.value() + 1) +
                                   " satoshi, its settlement " + std::to_string(earned.value()));
  CHECK(audited.names_only(3));
  audited.rewrite('j', to, amount(earned + Satoshi(1)), amount(earned));
  CHECK(audited.audit().problems.empty());
  const std::string from =
      "\"from\":\"account:" + std::to_string(record.shares.at(2).account.value()) + "\"";
  audited.rewrite('j', from, amount(paid), amount(paid - Satoshi(1)));
  holds(audited.problem_of(3), "its coinbase paid");
}

TEST_CASE("audit: a changed output of the coinbase is found by name") {
  Audited audited(kCoinbase);
  REQUIRE(audited.coinbase.size() == 4);
  for (TxOut& out : audited.coinbase) {
    if (out.script == test::member_script(1)) out.value += Satoshi(5);
    if (out.script == test::kBankScript) out.value -= Satoshi(5);
  }
  holds(audited.problem_of(1), "its settlement says it was paid");
  CHECK(audited.names_only(1));
  Audited custodial(kWallet);
  custodial.coinbase = {{kReward - Satoshi(700), test::kBankScript},
                        {Satoshi(700), test::member_script(9)}};
  const auto problems = custodial.audit().problems;
  REQUIRE(problems.size() == 1);
  holds(problems[0], "the coinbase: it pays to others than the pool 700 satoshi");
}

TEST_CASE("audit: without old shares and slices the rest is still compared") {
  Audited audited(kWallet);
  audited.bank.store.rows(Family::Shares).erase(key_u64(1));
  AuditReport report = audited.audit();
  CHECK(report.problems.empty());
  REQUIRE(!report.notes.empty());
  holds(report.notes[0], "the shares of 1 of 4 slices");
  audited.bank.store.rows(Family::Slices).erase(key_u64(1));
  report = audited.audit();
  CHECK(report.problems.empty());
  holds(report.notes[0], "the window cannot be derived again");
  for (auto& [key, rows] : audited.bank.store.rows(Family::Credits))
    if (key[0] == 'p') rows[24] = static_cast<char>(rows[24] ^ 1);
  CHECK(audited.problem_of(1) != "");
}

}  // namespace adit
