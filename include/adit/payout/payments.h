// SPDX-License-Identifier: MIT
// Payments: money leaves the books exactly once. Intent first (amounts leave the accounts), then
// the exact signed bytes, then broadcast; a retry sends the same bytes. Each step is one atomic,
// synced batch and may be repeated. Thread: the ledger writer's.
//
//   planned -> prepared -> broadcast -> seen <-> broadcast, seen -> final (6 confirmations)
//   planned -> exported -> seen ...        way export: somebody else's tool pays
//   planned | exported -> cancelled        by an operator; nothing signed exists
//   prepared | broadcast | seen -> void    only by proof: an input is spent by another transaction
//                                          that is 6 deep; the amounts return to the accounts
//
// On disk (family payments; sealed JSON): u64be id: the payment; u64be id + u32be account: one
// output.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  std::string unsigned_psbt;  ///< base64, where signing happens elsewhere
  std::uint32_t confirmations = 0;
  std::string detail;                  ///< why, for operators
  std::vector<PaymentOutput> outputs;  ///< by rising account
};

struct PaymentRules {
  Satoshi minimum{100'000};         ///< smaller balances wait
  std::uint32_t max_outputs = 500;  ///< of one payment; the largest balances first
};

class Payments {
 public:
  /// Both outlive it.
  static Result<Payments> open(Ledger& ledger, Treasury& treasury);

  /// What plan() would pay now: accounts whose payable balance reaches the minimum. Changes
  /// nothing.
  std::vector<PaymentOutput> due(const PaymentRules& rules) const;
  /// Writes the intent: amounts move from accounts to the payment. NotFound: nobody is due.
  /// Conflict: one that is Planned already waits (its id in the text): go on with that one.
  Result<Payment> plan(const PaymentRules& rules, UnixMillis now);
  Status store_unsigned(std::uint64_t id, const std::string& psbt, UnixMillis now);
  /// The signed bytes. Refused unless the transaction pays every output exactly once, to its
  /// address, exactly its amount (I28), with at most one output more (change). A second call with
  /// the same bytes is fine, with others Conflict.
  Status prepare(std::uint64_t id, const std::string& transaction_hex, Satoshi fee, UnixMillis now);
  Status mark_broadcast(std::uint64_t id, UnixMillis now);
  /// 0: not in the chain (again); from 6 on final: fee and sum are booked as paid.
  Status mark_seen(std::uint64_t id, std::uint32_t confirmations, UnixMillis now);
  Status mark_exported(std::uint64_t id, UnixMillis now);
  /// An exported one was paid by this transaction.
  Status mark_paid_outside(std::uint64_t id, const std::string& txid, UnixMillis now);
  Status cancel(std::uint64_t id, UnixMillis now);
  /// `proof`: the other transaction and its depth, for the record.
  Status make_void(std::uint64_t id, const std::string& proof, UnixMillis now);

  std::optional<Payment> find(std::uint64_t id) const;
  /// Not final, cancelled or void, by id.
  std::vector<Payment> open_payments() const;

 private:
  // (yours)
};

/// By id, all of them.
Status for_each_payment(LedgerStore& store, const std::function<bool(const Payment&)>& visit);

}  // namespace adit
