// SPDX-License-Identifier: MIT
// Payments: money leaves the books exactly once. Intent first (amounts leave the accounts), then
// the exact signed bytes, then broadcast; a retry sends the same bytes. Each step is one atomic,
// synced batch and may be repeated. Thread: the ledger writer's.
//
//   planned -> prepared -> broadcast -> seen <-> broadcast, seen -> final (6 confirmations)
//   planned -> exported -> seen ...        way export: somebody else's tool pays
//   planned | exported -> cancelled        by an operator; nothing signed exists
//   prepared | broadcast | seen -> void    only by proof that it can never be in the chain: 6
//   final -> void                          deep, an input (of it or of a parent) is spent by what
//                                          pays nobody of it, or its coinbase is gone; the
//                                          amounts return to the accounts
//   seen | final -> exported               a word about another tool's payment was wrong
//
// What replaced its transaction and pays every output is followed instead (paid_by).
//
// On disk (family payments; sealed JSON): u64be id: the payment; u64be id + u32be account: one
// output.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
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
  Satoshi sum;           ///< of the outputs
  Satoshi fee;           ///< of the network; the pool pays it
  bool outside = false;  ///< another tool made its transaction
  std::string txid;
  /// Signed, hex; once written it never changes. Empty for one outside that no node has shown.
  std::string transaction;
  /// What replaced it in the chain and pays every output: txid, signed hex, and its fee.
  std::string paid_by, paid_by_transaction;
  Satoshi paid_by_fee;
  std::string block;          ///< where what pays it was seen last: a block's hash; may be empty
  std::string unsigned_psbt;  ///< base64; once written it never changes
  std::uint32_t confirmations = 0;
  std::string detail;                  ///< why, for operators
  std::vector<PaymentOutput> outputs;  ///< by rising account
  bool operator==(const Payment&) const = default;
};

/// Transactions from which follows that others can never be in the chain.
struct VoidProof {
  std::optional<Transaction> rival;    ///< in the chain; nullopt: an input is of a void payment
  std::int64_t depth = 0;              ///< of the rival
  std::vector<Transaction> ancestors;  ///< not in the chain, and no more able to be
};

struct PaymentRules {
  Satoshi minimum{100'000};         ///< smaller balances wait
  std::uint32_t max_outputs = 500;  ///< of one payment; the largest balances first
};

struct PaymentsDue {
  /// Accounts whose payable balance reaches the minimum, by rising account.
  std::vector<PaymentOutput> outputs;
  std::uint32_t below = 0;  ///< accounts with less
  Satoshi below_sum;
};
/// What is in memory of each payment.
struct PaymentBrief {
  PaymentState state = PaymentState::Planned;
  UnixMillis changed;
  std::string txid, paid_by;
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

  /// What plan() would pay now. Changes nothing.
  PaymentsDue due(const PaymentRules& rules) const;
  /// Writes the intent: amounts move from accounts to the payment. NotFound: nobody is due.
  /// Conflict: one that is Planned already waits (its id in the text): go on with that one.
  Result<Payment> plan(const PaymentRules& rules, UnixMillis now);
  /// The Planned one, if there is. Corrupt, here and below: its rows cannot be read.
  Result<std::optional<Payment>> planned() const;
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
  /// stays final. `block`: where it is, if known.
  Status mark_seen(std::uint64_t id, std::uint32_t confirmations, UnixMillis now,
                   const std::string& block = "");
  /// Another transaction, in the chain, spends an input of its own and pays every output; or its
  /// own is back. From now on that one is followed. Refused: an output is missing.
  Status mark_paid_by(std::uint64_t id, const Transaction& payer, Satoshi fee,
                      std::uint32_t confirmations, const std::string& block, UnixMillis now);
  Status mark_exported(std::uint64_t id, UnixMillis now);
  /// An exported one was paid by this transaction; `transaction`: its bytes (hex), or empty where
  /// no node shows them. Refused unless it pays every output, besides those of all other payments
  /// that name it. While the bytes are not known, another may be named.
  Status mark_paid_outside(std::uint64_t id, const std::string& txid,
                           const std::string& transaction, const std::string& block,
                           UnixMillis now);
  /// It was not paid outside after all: exported again. Conflict once the bytes are known, or it
  /// is in the chain: those are judged by proof.
  Status mark_not_paid(std::uint64_t id, UnixMillis now);
  Status cancel(std::uint64_t id, UnixMillis now);
  /// Refused unless the proof is 6 deep, kills every transaction that would pay, and its rival
  /// pays no output (besides those of other payments that it pays).
  Status make_void(std::uint64_t id, const VoidProof& proof, UnixMillis now);

  /// nullopt: no such payment.
  Result<std::optional<Payment>> find(std::uint64_t id) const;
  /// The first with a higher id that is open, or became final at `since` or later.
  Result<std::optional<Payment>> next_open(std::uint64_t id, UnixMillis since) const;

 private:
  Payments(Ledger& ledger, PaymentSources sources);
  Result<Payment> get(std::uint64_t id) const;
  Status move(Payment& payment, PaymentState to, LedgerBatch& batch, UnixMillis now);
  Status write(const Payment& payment, LedgerBatch& batch);
  void give_back(const Payment& payment, LedgerBatch& batch, UnixMillis now);
  /// Sum and fee from the payment to what was paid, or back.
  void book_paid(const Payment& payment, bool back, LedgerBatch& batch, UnixMillis now);
  Status reach(Payment& payment, std::uint32_t confirmations, const std::string& block,
               UnixMillis now);
  /// Outputs of a transaction that no other payment counts as its own.
  Result<std::vector<TxOut>> unclaimed(const Transaction& transaction, std::uint64_t id) const;

  Ledger* ledger_;
  PaymentSources sources_;
  std::string pool_;  ///< what keys are made of: genesis, instance, birth of the books
  std::map<std::uint64_t, PaymentBrief> briefs_;
};

/// The transaction that settles it: what replaced its own, else its own.
const std::string& followed_txid(const Payment& payment);
/// What that one costs the pool.
Satoshi followed_fee(const Payment& payment);
/// By id, all of them. Corrupt: a seal, a sum or a key does not fit.
Status for_each_payment(LedgerStore& store, const std::function<bool(const Payment&)>& visit);
/// Reads each payment, and compares it with the journal: its book holds its sum while it is open,
/// else nothing, and no book is of a payment that is not there (I31). Problems, at most 100, name
/// the payment.
Result<std::vector<std::string>> verify_payments(LedgerStore& store);
/// Whether `transaction` pays what prepare() asks; the text says what it does not.
Status check_payment_transaction(const Payment& payment, const Transaction& transaction,
                                 Network network);
/// The transaction inside a PSBT (BIP174, base64).
Result<Transaction> transaction_of_psbt(std::string_view base64);

}  // namespace adit
