// SPDX-License-Identifier: MIT
#include "app/payout_sightings.h"

#include <algorithm>

namespace adit {
namespace {

constexpr int kGenerations = 25;  // what a mempool holds of one family
constexpr std::size_t kMaxAsked = 2'000;

}  // namespace

Result<bool> PayoutSightings::look(const std::string& txid, const std::string& block) {
  if (const Status asked = ask(txid, block); !asked) return asked.error();
  const std::vector<std::string> conflicts = conflicts_[txid];
  for (const std::string& conflict : conflicts)
    if (const Status asked = ask(conflict, block); !asked) return asked.error();
  return find(txid) != nullptr;
}

Status PayoutSightings::look_at_parents(const Payment& payment) {
  std::vector<Transaction> children = payers_of(payment);
  for (int generation = 0; generation < kGenerations && !children.empty(); ++generation) {
    std::vector<Transaction> parents;
    for (const Transaction& child : children)
      for (const TxIn& input : child.inputs) {
        if (input.previous == kNoOutPoint || conflicts_.count(input.previous.txid.hex()) != 0)
          continue;
        if (conflicts_.size() >= kMaxAsked)
          return Error{ErrorCode::Limit, "more parents than can be looked at"};
        auto parent = look_at_parent(input.previous.txid);
        if (!parent) return parent.error();
        if (*parent) parents.push_back(std::move(**parent));
      }
    children = std::move(parents);
  }
  return {};
}

const Sighting* PayoutSightings::find(const std::string& txid) const {
  const auto at = std::find_if(seen_.begin(), seen_.end(), [&](const Sighting& one) {
    return one.transaction.txid().hex() == txid;
  });
  return at == seen_.end() ? nullptr : &*at;
}

Status PayoutSightings::ask(const std::string& txid, const std::string& block) {
  if (conflicts_.count(txid) != 0) return {};
  const auto known = wallet_.look(txid, block);
  if (!known) return known.error();
  conflicts_.emplace(txid, *known ? (*known)->conflicts : std::vector<std::string>());
  if (!*known) return {};
  const auto bytes = from_hex((*known)->hex);
  auto transaction = bytes ? Transaction::parse(*bytes) : Error{ErrorCode::Invalid, "no hex"};
  if (!transaction || transaction->txid().hex() != txid)
    return Error{ErrorCode::Unavailable, txid + ": the node's answer is another transaction"};
  seen_.push_back(
      {std::move(*transaction), (*known)->confirmations, (*known)->block, (*known)->fee});
  return {};
}

Result<std::optional<Transaction>> PayoutSightings::look_at_parent(const Txid& id) {
  const std::string txid = id.hex();
  const auto known = look(txid);
  if (!known) return known.error();
  const Payment* payment = payment_of(txid);
  if (payment != nullptr && !payment->paid_by.empty()) {
    const auto replaced = look(payment->paid_by, payment->block);
    if (!replaced) return replaced.error();
  }
  if (!*known && payment != nullptr)
    for (Transaction& one : payers_of(*payment))
      if (one.txid() == id) seen_.push_back({std::move(one), 0, "", std::nullopt});
  const Sighting* parent = find(txid);
  if (parent == nullptr || parent->confirmations > 0) return std::optional<Transaction>();
  Transaction out = parent->transaction;
  if (const auto height = coinbase_height(out))
    if (const Status looked = look_at_height(*height); !looked) return looked.error();
  return std::optional<Transaction>(std::move(out));
}

Status PayoutSightings::look_at_height(std::uint32_t height) {
  const auto there = wallet_.coinbase_at(height);
  if (!there) return there.error();
  return ask(there->txid, there->block);
}

const Payment* PayoutSightings::payment_of(const std::string& txid) const {
  const auto at = std::find_if(payments_.begin(), payments_.end(), [&](const Payment& one) {
    return one.txid == txid || one.paid_by == txid;
  });
  return at == payments_.end() ? nullptr : &*at;
}

}  // namespace adit
