// SPDX-License-Identifier: MIT
// What a payment's transaction must be before it is signed, and before it is kept.
#include <algorithm>
#include <array>

#include "adit/bitcoin/address.h"
#include "adit/payout/payments.h"

namespace adit {
namespace {

Error refused(std::string text) { return {ErrorCode::Refused, std::move(text)}; }
Error invalid(std::string text) { return {ErrorCode::Invalid, std::move(text)}; }

int base64_value(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

std::optional<ByteVec> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  ByteVec out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t at = 0; at < text.size(); at += 4) {
    std::uint32_t bits = 0;
    const bool last = at + 4 == text.size();
    const std::size_t padding =
        last ? (text[at + 3] == '=' ? (text[at + 2] == '=' ? 2u : 1u) : 0u) : 0u;
    for (std::size_t i = 0; i < 4; ++i) {
      const int value = i >= 4 - padding ? 0 : base64_value(text[at + i]);
      if (value < 0) return std::nullopt;
      bits = bits << 6 | static_cast<std::uint32_t>(value);
    }
    for (std::size_t i = 0; i < 3 - padding; ++i)
      out.push_back(static_cast<std::uint8_t>(bits >> (16 - 8 * i)));
  }
  return out;
}

std::string money(Satoshi amount) { return std::to_string(amount.value()) + " sat"; }

/// Every output of the payment, with its script.
struct Wanted {
  const PaymentOutput* output;
  Script script;
  bool paid = false;
};

Result<std::vector<Wanted>> wanted_of(const Payment& payment, Network network) {
  std::vector<Wanted> wanted;
  for (const PaymentOutput& output : payment.outputs) {
    auto address = parse_address(output.address, network);
    if (!address) return refused(output.address + ": " + address.error().text);
    wanted.push_back({&output, std::move(address->script)});
  }
  std::sort(wanted.begin(), wanted.end(),
            [](const Wanted& a, const Wanted& b) { return a.script < b.script; });
  return wanted;
}

/// An output of the transaction that is none of the payment's: change, once. It must not go to
/// somebody who is paid already.
Status take_change(const TxOut& out, bool& change, const Wanted* known) {
  if (known != nullptr && known->paid)
    return refused(known->output->address + " would be paid twice: " +
                   money(known->output->amount) + " and " + money(out.value));
  if (known != nullptr)
    return refused(known->output->address + " would be paid " + money(out.value) + " instead of " +
                   money(known->output->amount));
  if (change)
    return refused("more than one output that is not the payment's: of " + money(out.value) +
                   " to script " + to_hex(out.script));
  change = true;
  return {};
}

bool same_apart_from_signatures(const Transaction& a, const Transaction& b) {
  const auto same_input = [](const TxIn& x, const TxIn& y) {
    return x.previous == y.previous && x.sequence == y.sequence;
  };
  return a.version == b.version && a.lock_time == b.lock_time && a.outputs == b.outputs &&
         std::equal(a.inputs.begin(), a.inputs.end(), b.inputs.begin(), b.inputs.end(), same_input);
}

}  // namespace

Status check_payment_transaction(const Payment& payment, const Transaction& transaction,
                                 Network network) {
  if (transaction.inputs.empty()) return refused("the transaction has no input");
  auto wanted = wanted_of(payment, network);
  if (!wanted) return wanted.error();
  bool change = false;
  for (const TxOut& out : transaction.outputs) {
    if (out.value < Satoshi(0) || out.value > kMaxMoney)
      return refused("an output of " + money(out.value));
    const auto at = std::lower_bound(
        wanted->begin(), wanted->end(), out.script,
        [](const Wanted& one, const Script& script) { return one.script < script; });
    Wanted* known = at != wanted->end() && at->script == out.script ? &*at : nullptr;
    if (known != nullptr && !known->paid && known->output->amount == out.value)
      known->paid = true;
    else if (const Status taken = take_change(out, change, known); !taken)
      return taken;
  }
  for (const Wanted& one : *wanted)
    if (!one.paid)
      return refused(one.output->address + " would not be paid its " + money(one.output->amount));
  if (payment.unsigned_psbt.empty()) return {};
  const auto agreed = transaction_of_psbt(payment.unsigned_psbt);
  if (!agreed) return agreed.error();
  if (!same_apart_from_signatures(*agreed, transaction))
    return refused("it is not the transaction that was stored to be signed");
  return {};
}

Result<Transaction> transaction_of_psbt(std::string_view base64) {
  constexpr std::array<std::uint8_t, 5> kMagic{'p', 's', 'b', 't', 0xff};
  constexpr std::uint8_t kUnsignedTransaction = 0;
  const auto bytes = from_base64(base64);
  if (!bytes) return invalid("the PSBT is not base64");
  ByteReader reader(*bytes);
  const Bytes magic = reader.take(kMagic.size());
  if (!std::equal(magic.begin(), magic.end(), kMagic.begin(), kMagic.end()))
    return invalid("this is no PSBT");
  // The global map: pairs of a key and a value, each after its length, until a key of none.
  for (std::uint64_t length = reader.compact_size(); reader.ok() && length != 0;
       length = reader.compact_size()) {
    const Bytes key = reader.take(length);
    const Bytes value = reader.take(reader.compact_size());
    if (!reader.ok()) break;
    if (key.size() == 1 && key[0] == kUnsignedTransaction) return Transaction::parse(value);
  }
  return invalid("the PSBT holds no transaction (version 2 is not read here)");
}

}  // namespace adit
