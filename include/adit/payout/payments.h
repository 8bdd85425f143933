// SPDX-License-Identifier: MIT
// Payments: money leaves the books exactly once. Intent first (amounts leave the accounts), then
// the exact signed bytes, then broadcast; a retry sends the same bytes. Each step is one atomic,
// synced batch and may be repeated. Thread: the ledger writer's.
//
//   planned -> prepared -> broadcast -> seen <-> broadcast, seen -> final (6 confirmations)
//   planned -> exported -> seen ...        way export: somebody else's tool pays
//   planned | exported -> cancelled        by an operator; nothing signed exists
//   prepared | broadcast | seen -> void    only by proof that it can never be in the chain: 6
//   final -> void                          deep, an input is spent elsewhere, or its coinbase is
//                                          gone; the amounts return to the accounts
//
// On disk (family payments; sealed JSON): u64be id: the payment; u64be id + u32be account: one
// output.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "adit/bitcoin/transaction.h"
#include "adit/payout/treasury.h"

namespace adit {

enum class PaymentState : std::uint8_t {
  Planned,
  Prepared,
  Broadcast,
  Seen,
  Final,
  Exported,
  Cancelled,
  Void
};
std::string_view payment_state_name(PaymentState state);
std::optional<PaymentState> payment_state_from(std::string_view name);
bool payment_may_move(PaymentState from, PaymentState to);
/// Final, cancelled or void: nothing is left to do.
bool payment_is_closed(PaymentState state);

struct PaymentOutput {
  AccountId account;
  std::string address;
  Satoshi amount;
  bool operator==(const PaymentOutput&) const = default;
};
struct Payment {
  std::uint64_t id = 0;  ///< from 1, never used again
  /// 32 hex digits, of the pool, the id and the outputs: outside tools pay one key once.
  std::string idempotency_key;
  PaymentState state = PaymentState::Planned;
  UnixMillis created, changed;
  Satoshi sum;  ///< of the outputs
  Satoshi fee;  ///< of the network; the pool pays it
  std::string txid;
  std::string transaction;    ///< signed, hex; once written it never changes
  std::string unsigned_psbt;  ///< base64; once written it never changes
  std::uint32_t confirmations = 0;
  std::string detail;                  ///< why, for operators
  std::vector<PaymentOutput> outputs;  ///< by rising account
  bool operator==(const Payment&) const = default;
};

struct PaymentRules {
  Satoshi minimum{100'000};         ///< smaller balances wait
  std::uint32_t max_outputs = 500;  ///< of one payment; the largest balances first
};

/// What payments need of the house around them.
struct PaymentSources {
  Journal* journal = nullptr;
  std::function<Satoshi(AccountId)> payable;
  Network network = Network::Main;
  Satoshi least{546};  ///< no payment below it, whatever the rules say
  Script pool_script;  ///< the pool's own address is never paid
};

class Payments {
 public:
  static constexpr std::uint32_t kFinalDepth = 6;

  /// Both outlive it. With way Coinbase only what left_to_wallet (plan.h) says is due.
  static Result<Payments> open(Ledger& ledger, Treasury& treasury);
  static Result<Payments> open(Ledger& ledger, PaymentSources sources);

  /// What plan() would pay now: accounts whose payable balance reaches the minimum, by rising
  /// account. Changes nothing.
  std::vector<PaymentOutput> due(const PaymentRules& rules) const;
  /// Writes the intent: amounts move from accounts to the payment. NotFound: nobody is due.
  /// Conflict: one that is Planned already waits (its id in the text): go on with that one.
  Result<Payment> plan(const PaymentRules& rules, UnixMillis now);
  /// The Planned one, if there is.
  std::optional<Payment> planned() const;
  /// Before anybody signs. Refused unless the transaction inside pays as prepare() asks. `fee`: of
  /// the network, as the wallet stated it. A second call with the same text is fine, with another
  /// Conflict: two that are signed would be two payments.
  Status store_unsigned(std::uint64_t id, const std::string& psbt, Satoshi fee, UnixMillis now);
  /// The signed bytes. Refused unless the transaction pays every output exactly once, to its
  /// address, exactly its amount (I28), with at most one output more (change, to nobody of the
  /// outputs); with an unsigned one stored it must spend and pay the same. A second call with the
  /// same bytes is fine, with others Conflict.
  Status prepare(std::uint64_t id, const std::string& transaction_hex, Satoshi fee, UnixMillis now);
  Status mark_broadcast(std::uint64_t id, UnixMillis now);
  /// 0: not in the chain (again); from 6 on final: fee and sum are booked as paid. A final one
  /// stays final.
  Status mark_seen(std::uint64_t id, std::uint32_t confirmations, UnixMillis now);
  Status mark_exported(std::uint64_t id, UnixMillis now);
  /// An exported one was paid by this transaction. May be corrected while it has no confirmation.
  Status mark_paid_outside(std::uint64_t id, const std::string& txid, UnixMillis now);
  Status cancel(std::uint64_t id, UnixMillis now);
  /// `proof`: what stands in its way and how deep, for the record.
  Status make_void(std::uint64_t id, const std::string& proof, UnixMillis now);

  /// nullopt: no such payment, or its rows cannot be read.
  std::optional<Payment> find(std::uint64_t id) const;
  /// The first with a higher id.
  std::optional<Payment> next_after(std::uint64_t id) const;
  /// Not final, cancelled or void, by id.
  std::vector<Payment> open_payments() const;

 private:
  Payments(Ledger& ledger, PaymentSources sources);
  Result<Payment> get(std::uint64_t id) const;
  Result<Payment> get_for(std::uint64_t id, PaymentState to) const;
  Status move(Payment& payment, PaymentState to, LedgerBatch& batch, UnixMillis now);
  Status write(const Payment& payment, LedgerBatch& batch);
  void give_back(const Payment& payment, LedgerBatch& batch, UnixMillis now);

  Ledger* ledger_;
  PaymentSources sources_;
  std::string pool_;  ///< what keys are made of: genesis, instance, birth of the books
  std::map<std::uint64_t, PaymentState> states_;
};

/// By id, all of them. Corrupt: a seal, a sum or a key does not fit.
Status for_each_payment(LedgerStore& store, const std::function<bool(const Payment&)>& visit);
/// Whether `transaction` pays what prepare() asks; the text says what it does not.
Status check_payment_transaction(const Payment& payment, const Transaction& transaction,
                                 Network network);
/// The transaction inside a PSBT (BIP174, base64).
Result<Transaction> transaction_of_psbt(std::string_view base64);

}  // namespace adit
