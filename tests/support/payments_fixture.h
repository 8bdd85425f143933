// SPDX-License-Identifier: MIT
// Payments on a store in memory that can be made to fail, and a wallet that makes another
// transaction each time it is asked.
#pragma once

#include <doctest/doctest.h>

#include <set>

#include "adit/bitcoin/address.h"
#include "adit/payout/payments.h"
#include "support/memory_store.h"

namespace adit::test {

inline const Book kBlocksBook{BookKind::Blocks, 0}, kPoolBook{BookKind::Pool, 0},
    kPaidBook{BookKind::Paid, 0}, kFeesBook{BookKind::Fees, 0};

inline Script script_of(std::uint32_t account) {
  Script script{0x00, 20};
  script.resize(22, 0x5a);
  store_le(script.data() + 2, account);
  return script;
}
inline std::string address_for(AccountId account) {
  return address_of(script_of(account.value()), Network::Regtest).value();
}
constexpr std::uint32_t kPoolAccount = 99;

inline std::string base64(Bytes bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  int have = 0;
  for (const std::uint8_t byte : bytes) {
    bits = bits << 8 | byte;
    for (have += 8; have >= 6; have -= 6) out += kDigits[bits >> (have - 6) & 63];
  }
  if (have > 0) out += kDigits[bits << (6 - have) & 63];
  while (out.size() % 4 != 0) out += '=';
  return out;
}

/// As walletcreatefundedpsbt: the outputs, change, and an input that nobody used before.
inline Transaction funded(const Payment& payment, std::uint64_t seed) {
  Transaction transaction;
  TxIn input;
  store_le(input.previous.txid.bytes.data(), seed);
  input.previous.index = 1;
  input.sequence = 0xfffffffd;
  transaction.inputs.push_back(input);
  for (const PaymentOutput& output : payment.outputs)
    transaction.outputs.push_back({output.amount, script_of(output.account.value())});
  const auto place = static_cast<std::ptrdiff_t>(seed % (transaction.outputs.size() + 1));
  transaction.outputs.insert(transaction.outputs.begin() + place,
                             {Satoshi(77'000), script_of(500'000)});
  return transaction;
}
inline Transaction signed_of(Transaction transaction) {
  for (TxIn& input : transaction.inputs) input.witness = {ByteVec(71, 0x30), ByteVec(33, 0x02)};
  return transaction;
}
/// Spends what `transaction` spends, and pays only somebody else.
inline Transaction rival_of(const Transaction& transaction, std::int64_t tag = 1) {
  Transaction rival = transaction;
  rival.outputs = {{Satoshi(600'000 + tag), script_of(600'000)}};
  return rival;
}
/// A fee bump: the same with less change.
inline Transaction bump_of(const Transaction& transaction, std::int64_t more = 1'000) {
  Transaction bump = transaction;
  for (TxOut& out : bump.outputs)
    if (out.script == script_of(500'000)) out.value -= Satoshi(more);
  return bump;
}
inline VoidProof proof_by(const Transaction& rival, std::int64_t depth = 6) {
  return {rival, depth, {}};
}
inline std::string hex_of(const Transaction& transaction) {
  return to_hex(transaction.serialize());
}
inline std::string psbt_of(const Transaction& transaction) {
  ByteVec bytes{'p', 's', 'b', 't', 0xff};
  append(bytes, ByteVec{2, 0xfc, 0x01, 1, 0x07});  // a field that only its maker knows
  append(bytes, ByteVec{1, 0});
  const ByteVec inside = transaction.serialize_without_witness();
  append_compact_size(bytes, inside.size());
  append(bytes, inside);
  bytes.push_back(0);
  bytes.resize(bytes.size() + transaction.inputs.size() + transaction.outputs.size());
  return base64(bytes);
}

struct PaymentBooks {
  MemoryStore store;
  std::optional<Ledger> ledger;
  std::optional<Journal> journal;
  std::optional<Payments> payments;
  UnixMillis now{1'700'000'000'000};
  PaymentRules rules{Satoshi(10'000), 500};
  std::set<std::uint32_t> unripe;  ///< accounts whose balance must not leave

  PaymentBooks() { reopen(); }
  /// As a restart: everything in memory is forgotten.
  void reopen() {
    payments.reset();
    journal.reset();
    ledger.reset();
    LedgerOptions options;
    options.network = Network::Regtest;
    options.now = UnixMillis(1'600'000'000'000);
    auto opened = Ledger::open(store, options, std::nullopt);
    REQUIRE(opened.ok());
    ledger.emplace(std::move(*opened));
    auto read = Journal::open(store, address_for);
    INFO((read ? "" : read.error().text));
    REQUIRE(read.ok());
    journal.emplace(std::move(*read));
    PaymentSources sources;
    sources.journal = &*journal;
    sources.payable = [this](AccountId account) {
      return unripe.count(account.value()) != 0 ? Satoshi(0)
                                                : journal->balance(Book::account(account));
    };
    sources.network = Network::Regtest;
    sources.pool_script = script_of(kPoolAccount);
    auto made = Payments::open(*ledger, std::move(sources));
    INFO((made ? "" : made.error().text));
    REQUIRE(made.ok());
    payments.emplace(std::move(*made));
  }
  /// What a power loss leaves; `reached`: the batch that failed had got to the disk.
  void crash(bool reached) {
    store = store.after_power_loss(reached ? 1 : 0);
    reopen();
  }
  Status credit(std::uint32_t account, std::int64_t amount) {
    LedgerBatch batch;
    journal->move(batch, kBlocksBook, Book::account(AccountId(account)), Satoshi(amount), "block",
                  "b", now);
    journal->finish(batch);
    return ledger->write(batch);
  }
  Satoshi balance(std::uint32_t account) const {
    return journal->balance(Book::account(AccountId(account)));
  }
  Payment planned() {
    auto plan = payments->plan(rules, now);
    INFO((plan ? "" : plan.error().text));
    REQUIRE(plan.ok());
    return std::move(*plan);
  }
  Payment get(std::uint64_t id) const {
    auto payment = payments->find(id);
    REQUIRE(payment.ok());
    REQUIRE(payment->has_value());
    return std::move(**payment);
  }
  std::vector<std::string> problems() {
    auto found = verify_journal(store);
    REQUIRE(found.ok());
    const auto of_payments = verify_payments(store);
    REQUIRE(of_payments.ok());
    found->insert(found->end(), of_payments->begin(), of_payments->end());
    return std::move(*found);
  }
};

}  // namespace adit::test
