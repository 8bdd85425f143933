// SPDX-License-Identifier: MIT
// docs/ledger.md against the rows that the journal, settlements and payments write.
#include <set>

#include "adit/payout/payments.h"
#include "bank.h"
#include "payout/journal_rows.h"
#include "payout/payments_rows.h"
#include "payout/priced_batch.h"
#include "payout/terms_history.h"
#include "support/docs_tables.h"

using namespace adit;
using namespace adit::test;

namespace {

using Fields = std::vector<std::string>;

Fields documented(const std::string& heading) { return first_column(table_after(heading)); }

}  // namespace

TEST_CASE("docs: an entry, a balance and the books") {
  const JournalEntry entry{
      1,         UnixMillis(2), "block", "x", Book{BookKind::Blocks, 0}, Book{BookKind::Pool, 0},
      Satoshi(3)};
  CHECK(fields_of(entry_value(entry)) == documented("An entry:"));
  CHECK(fields_of(account_value({AccountId(1), "a", {}, {}, {}, {}})) == documented("A balance:"));
  std::set<std::string> books;
  for (const std::string& name : documented("zero at any time."))
    books.insert(name.substr(0, name.find(':')));
  std::set<std::string> known;
  for (int kind = 0; kind <= static_cast<int>(BookKind::Fees); ++kind) {
    const std::string text = Book{static_cast<BookKind>(kind), 1}.text();
    known.insert(text.substr(0, text.find(':')));
  }
  CHECK(books == known);
}

TEST_CASE("docs: a settlement and its shares") {
  SettlementRecord record;
  record.shares = {{AccountId(0x01020304), 5, Satoshi(6), Satoshi(7), Satoshi(8)}};
  LedgerBatch batch;
  record.put(batch, true);
  REQUIRE(batch.puts.size() == 2);
  for (const LedgerBatch::Put& put : batch.puts)
    if (put.key[0] == 's')
      CHECK(fields_of(put.value) == documented("**A settlement**"));
    else
      CHECK(put.value.size() == 48);
  std::size_t end = 0;
  for (const Row& row : table_after("Its shares, 48 bytes each")) {
    CHECK(std::stoul(row[0]) == end);
    end += std::stoul(row[1]);
  }
  CHECK(end == 48);
}

TEST_CASE("docs: terms, and what priced slices left") {
  LedgerBatch batch;
  TermsHistory().add(batch, {SliceNumber(1), PayoutTerms(), {}});
  put_priced_batch(batch, {SliceNumber(1), SliceNumber(2), {{AccountId(3), MicroSatoshi(4)}}});
  REQUIRE(batch.puts.size() == 2);
  CHECK(fields_of(batch.puts[0].value) == documented("**Terms** are"));
  CHECK(batch.puts[0].key.size() == 1 + 8 + 4);
  const auto rows = table_after("All values of a batch stand under");
  REQUIRE(rows.size() == 4);
  const std::string& value = batch.puts[1].value;
  const auto at = [&](const std::string& offset) { return value.data() + std::stoul(offset); };
  CHECK(load_le<std::uint64_t>(reinterpret_cast<const std::uint8_t*>(at(rows[0][0]))) == 1);
  CHECK(load_le<std::uint64_t>(reinterpret_cast<const std::uint8_t*>(at(rows[1][0]))) == 2);
  CHECK(load_le<std::uint32_t>(reinterpret_cast<const std::uint8_t*>(at(rows[2][0]))) == 3);
  CHECK(value.size() == 16 + 16 + std::stoul(rows[3][1]));
}

TEST_CASE("docs: a payment and its outputs") {
  Payment payment;
  payment.id = 1;
  payment.outputs = {{AccountId(1), "a", Satoshi(1)}};
  LedgerBatch batch;
  put_payment(batch, payment);
  put_payment_outputs(batch, payment);
  REQUIRE(batch.puts.size() == 2);
  CHECK(fields_of(batch.puts[0].value) == documented("A payment:"));
  CHECK(fields_of(batch.puts[1].value) == documented("An output:"));
  for (const Row& row : table_after("A payment:"))
    if (bare(row[0]) == "state")
      for (int state = 0; state <= static_cast<int>(PaymentState::Void); ++state) {
        const std::string name =
            "`" + std::string(payment_state_name(static_cast<PaymentState>(state))) + "`";
        CHECK_MESSAGE(row[1].find(name) != std::string::npos, name);
      }
}
