// SPDX-License-Identifier: MIT
// What the chain has done to a payment: values in, verdict out. How deep a transaction is, is the
// word of who asked a node; what it spends and pays is read here, by the command and by the books.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "adit/payout/payments.h"

namespace adit {

/// A transaction as a node sees it.
struct Sighting {
  Transaction transaction;
  std::int64_t confirmations = 0;  ///< below zero: a conflicting one has so many
  std::string block;               ///< hash of the one it is in; may be empty
  std::optional<Satoshi> fee;
};

/// By txid: payments that are void, and so everything that spends an output of theirs.
using VoidPayments = std::map<Txid, std::uint64_t>;
void note_void(VoidPayments& voids, std::uint64_t id, PaymentState state, const std::string& txid,
               const std::string& paid_by);

/// Why the proof shows that `transaction` can never be in the chain; nullopt: it does not.
std::optional<std::string> why_dead(const Transaction& transaction, const VoidProof& proof,
                                    const VoidPayments& voids);

/// The transactions that would pay it, as far as their bytes are known: the one it was sent with,
/// and the one that replaced that.
std::vector<Transaction> payers_of(const Payment& payment);
/// Whether a payment counts this transaction's outputs as its own.
bool claims(PaymentState state, const std::string& payment_txid, const std::string& paid_by,
            const std::string& txid);
/// The outputs of `payment` that are among `outputs` (script and amount), which lose them.
std::vector<PaymentOutput> take_paid(std::vector<TxOut>& outputs, const Payment& payment,
                                     Network network);
/// "2 of 3 outputs (bc1... 500 sat, ...)"
std::string paid_text(const Payment& payment, const std::vector<PaymentOutput>& paid);

enum class Fate : std::uint8_t {
  Waits,       ///< nothing is decided; `why` may say what is waited for
  Paid,        ///< `by` is in the chain, and pays every output
  Partly,      ///< `by` is in the chain, and pays some: only a person can sort that out
  Threatened,  ///< it will be void when `by` is deep enough
  Void         ///< `proof` shows that it will never be paid
};
struct Verdict {
  Fate fate = Fate::Waits;
  const Sighting* by = nullptr;  ///< in the vector that was judged
  std::string why;
  VoidProof proof;
};
/// `payments`: all of them, whose claims count. `sightings`: every transaction that may matter, in
/// any order: those that pay it, what conflicts with them, the parents that are not in the chain,
/// and what conflicts with those.
Verdict judge(const Payment& payment, const std::vector<Payment>& payments,
              const std::vector<Sighting>& sightings, Network network);

}  // namespace adit
