// SPDX-License-Identifier: MIT
// Random histories of every scheme, and one number in the books changed, sealed again: verify and
// audit name what was changed.
#include "adit/ledger/reader.h"
#include "forge.h"
#include "history.h"
#include "payout/settlement_rows.h"

namespace adit {
namespace {

using namespace test;

/// One change to the rows of a bank. Empty: there was nothing of this kind to change. Else: one of
/// these must stand in a problem.
using Names = std::vector<std::string>;

class Forger {
 public:
  Forger(Bank& bank, std::uint64_t seed) : bank_(bank), random_(seed) {}

  static constexpr int kKinds = 7;
  Names change(int kind) {
    switch (kind) {
      case 0:
        return entry();
      case 1:
        return part();
      case 2:
        return settlement();
      case 3:
        return balance();
      case 4:
        return missing();
      case 5:
        return round();
      default:
        return weight();
    }
  }

 private:
  using Row = std::pair<const std::string, std::string>;

  Row* any(Family family, char prefix) {
    std::vector<Row*> rows;
    for (Row& row : bank_.store.rows(family))
      if (prefix == 0 || row.first[0] == prefix) rows.push_back(&row);
    return rows.empty() ? nullptr : rows[random_.below(rows.size())];
  }
  std::int64_t step() { return random_.below(2) == 0 ? 1 : -1; }
  std::string address(std::uint32_t account) {
    return "account " + std::to_string(account) + " (" +
           bank_.ledger->address_of(AccountId(account)) + ")";
  }
  static std::string between(const std::string& text, const std::string& from, char to) {
    const std::size_t at = text.find(from);
    if (at == std::string::npos) return "";
    return text.substr(at + from.size(), text.find(to, at + from.size()) - at - from.size());
  }

  /// An amount in the journal.
  Names entry() {
    Row* row = any(Family::Credits, 'j');
    if (row == nullptr) return {};
    const std::string account = between(row->second, "\"account:", '"');
    REQUIRE(add_to_field(row->second, "amount", 1));
    return {account.empty() ? "pool" : address(static_cast<std::uint32_t>(std::stoul(account)))};
  }

  /// Work, entitled, carry or paid of an account in a settlement, whose digest is made to fit.
  Names part() {
    Row* row = any(Family::Credits, 'p');
    if (row == nullptr || row->second.empty()) return {};
    auto shares = decode_shares(bytes_of(row->second));
    REQUIRE(shares);
    PlanShare& share = (*shares)[random_.below(shares->size())];
    switch (random_.below(4)) {
      case 0:
        share.work += 1;
        break;
      case 1:
        share.entitled += Satoshi(step());
        break;
      case 2:
        share.carry += Satoshi(step());
        break;
      default:
        share.paid += Satoshi(1);
    }
    const std::string before = to_hex(sha256(bytes_of(row->second)));
    row->second = std::string(text_of(encode_shares(*shares)));
    std::string& head = bank_.store.rows(Family::Credits)["s" + row->first.substr(1)];
    REQUIRE(reseal(head, before, to_hex(sha256(bytes_of(row->second)))));
    const std::string block = between(head, "\"block\":\"", '"');
    // Of a lost block nothing tells what its coinbase paid but the sum.
    return {block, address(share.account.value())};
  }

  /// A number of the settlement itself.
  Names settlement() {
    Row* row = any(Family::Credits, 's');
    if (row == nullptr) return {};
    const std::string block = between(row->second, "\"block\":\"", '"');
    switch (random_.below(6)) {
      case 0:
        REQUIRE(add_to_field(row->second, "slice", step()));
        break;
      case 1:
        REQUIRE(add_to_field(row->second, "value", 1));
        break;
      case 2:
        REQUIRE(add_to_field(row->second, "pool_entitled", step()));
        break;
      case 3:
        REQUIRE(add_to_field(row->second, "pool_paid", step()));
        break;
      case 4:
        REQUIRE(add_to_field(row->second, "plan_weight", 1));
        break;
      default:
        REQUIRE(reseal(row->second, " fee=", " fee=1"));
    }
    return {block};
  }

  /// What an account has, altogether or as a fraction.
  Names balance() {
    Row* row = any(Family::Credits, 'b');
    if (row == nullptr) return {};
    const std::string name = between(row->second, "\"address\":\"", '"');
    if (random_.below(2) == 0 && row->second.find("\"fraction\":0") == std::string::npos) {
      REQUIRE(add_to_field(row->second, "fraction", -1));
      return {name};
    }
    REQUIRE(add_to_field(row->second, "balance", 1));
    REQUIRE(add_to_field(row->second, "earned", 1));
    return {name};
  }

  /// A settlement that was booked.
  Names missing() {
    Row* row = any(Family::Credits, 's');
    if (row == nullptr || row->second.find("\"state\":\"booked\"") == std::string::npos) return {};
    const std::string block = between(row->second, "\"block\":\"", '"');
    auto& rows = bank_.store.rows(Family::Credits);
    const std::string key = row->first.substr(1);
    rows.erase("s" + key);
    rows.erase("p" + key);
    return {"block " + block + ": in the journal, but without a settlement", block};
  }

  /// The slices of a round.
  Names round() {
    Row* row = any(Family::Credits, 's');
    if (row == nullptr || row->second.find("\"terms\":\"prop") == std::string::npos) return {};
    // What a lost block counted is nobody's but its own.
    if (row->second.find("\"state\":\"booked\"") == std::string::npos &&
        row->second.find("\"state\":\"pending\"") == std::string::npos)
      return {};
    const std::string block = between(row->second, "\"block\":\"", '"');
    const std::string text = between(row->second, "\"slices\":\"", '"');
    auto slices = SliceSet::parse(text);
    REQUIRE(slices);
    if (slices->empty()) return {};
    const SliceNumber first(slices->ranges().front().first), last(slices->ranges().back().last);
    const SliceNumber after(last.value() + 1);
    switch (random_.below(4)) {
      case 0:
        slices->remove(SliceSet(first, first));
        break;
      case 1:
        slices->remove(SliceSet(last, last));
        break;
      case 2:
        REQUIRE(add_to_field(row->second, "first_slice", 1));
        return {block};
      default:
        slices->add(SliceSet(after, after));
    }
    REQUIRE(reseal(row->second, "\"slices\":\"" + text, "\"slices\":\"" + slices->text()));
    return {block};
  }

  /// Work in a slice.
  Names weight() {
    Row* row = any(Family::Slices, 0);
    if (row == nullptr) return {};
    auto slice = SliceRecord::decode(bytes_of(row->second));
    REQUIRE(slice.ok());
    auto entries = slice->slice.entries();
    entries[random_.below(entries.size())].work += 1;
    slice->slice = Slice(entries);
    row->second = std::string(text_of(slice->encode()));
    return {"slices " + to_hex(bytes_of(row->first))};
  }

  Bank& bank_;
  ShareMaker random_;
};

std::vector<std::string> all_problems(Bank& bank) {
  auto problems = money_problems(bank);
  const auto report = verify_ledger(bank.store);
  REQUIRE(report.ok());
  problems.insert(problems.end(), report->problems.begin(), report->problems.end());
  return problems;
}

}  // namespace

TEST_CASE("altered books: honest ones are clean, and one changed number is found by name") {
  int changed[Forger::kKinds] = {};
  for (const std::string& terms : kTerms)
    for (std::uint64_t seed = 1; seed <= 40; ++seed) {
      CAPTURE(terms);
      CAPTURE(seed);
      const bool stale = terms.find("coinbase") == std::string::npos;
      History history(seed * 131 + 7, 70, stale);
      Bank bank(terms);
      bank.must_open();
      for (const HistoryStep& step : history.steps()) {
        bank.pass(step.pass);
        REQUIRE_MESSAGE(history.play(bank, step), bank.last_error);
      }
      const auto honest = all_problems(bank);
      for (const std::string& problem : honest) MESSAGE(problem);
      REQUIRE(honest.empty());
      const MemoryStore whole = bank.store;
      for (int kind = 0; kind < Forger::kKinds; ++kind) {
        CAPTURE(kind);
        bank.store = whole;
        const Names names =
            Forger(bank, seed * 100 + static_cast<std::uint64_t>(kind)).change(kind);
        if (names.empty()) continue;
        ++changed[kind];
        const auto problems = all_problems(bank);
        bool named = false;
        for (const std::string& problem : problems)
          for (const std::string& name : names)
            named = named || problem.find(name) != std::string::npos;
        CHECK(named);
        if (!named)
          for (const std::string& problem : problems) MESSAGE(problem);
      }
    }
  for (const int count : changed) CHECK(count > 20);
}

}  // namespace adit
