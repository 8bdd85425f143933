// SPDX-License-Identifier: MIT
#include "payout/payments_rows.h"

#include "adit/base/json.h"
#include "adit/crypto/sha256.h"
#include "adit/ledger/json_fields.h"

namespace adit {
namespace {

constexpr std::size_t kKeyDigits = 32;

Error corrupt(std::uint64_t id, std::string_view what) {
  return {ErrorCode::Corrupt, "payment " + std::to_string(id) + ": " + std::string(what)};
}

std::string output_key(std::uint64_t id, std::uint32_t account) {
  return key_u64(id) + key_u32(account);
}

std::string payment_json(const Payment& payment) {
  JsonWriter json;
  json.begin_object();
  json.key("id").number_u64(payment.id);
  json.key("key").string(payment.idempotency_key);
  json.key("state").string(payment_state_name(payment.state));
  json.key("created_ms").number(payment.created.value());
  json.key("changed_ms").number(payment.changed.value());
  json.key("outputs").number_u64(payment.outputs.size());
  json.key("sum").number(payment.sum.value());
  json.key("fee").number(payment.fee.value());
  json.key("outside").number_u64(payment.outside ? 1 : 0);
  json.key("txid").string(payment.txid);
  json.key("paid_by").string(payment.paid_by);
  json.key("paid_by_fee").number(payment.paid_by_fee.value());
  json.key("block").string(payment.block);
  json.key("confirmations").number_u64(payment.confirmations);
  json.key("detail").string(payment.detail);
  json.key("psbt").string(payment.unsigned_psbt);
  json.key("transaction").string(payment.transaction);
  json.key("paid_by_transaction").string(payment.paid_by_transaction);
  json.end_object();
  return seal_json(json.take());
}

/// The row without its outputs, of which it says the number.
std::optional<std::pair<Payment, std::uint32_t>> parse_payment(std::string_view text) {
  const auto row = open_sealed_json(text);
  if (!row) return std::nullopt;
  const auto id = row->u64("id");
  const auto state = payment_state_from(row->string("state").value_or(""));
  const auto created = row->i64("created_ms"), changed = row->i64("changed_ms");
  const auto sum = row->i64("sum"), fee = row->i64("fee"), paid_by_fee = row->i64("paid_by_fee");
  const auto outputs = row->u32("outputs"), confirmations = row->u32("confirmations"),
             outside = row->u32("outside");
  const auto key = row->string("key"), txid = row->string("txid"), detail = row->string("detail"),
             psbt = row->string("psbt"), transaction = row->string("transaction"),
             block = row->string("block"), paid_by = row->string("paid_by"),
             paid_by_transaction = row->string("paid_by_transaction");
  if (!id || !state || !created || !changed || !sum || !fee || !outputs || !confirmations || !key ||
      !txid || !detail || !psbt || !transaction || !outside || *outside > 1 || !paid_by ||
      !paid_by_fee || !paid_by_transaction || !block)
    return std::nullopt;
  Payment payment;
  payment.id = *id;
  payment.idempotency_key = *key;
  payment.state = *state;
  payment.created = UnixMillis(*created);
  payment.changed = UnixMillis(*changed);
  payment.sum = Satoshi(*sum);
  payment.fee = Satoshi(*fee);
  payment.outside = *outside == 1;
  payment.txid = *txid;
  payment.paid_by = *paid_by;
  payment.paid_by_transaction = *paid_by_transaction;
  payment.paid_by_fee = Satoshi(*paid_by_fee);
  payment.block = *block;
  payment.transaction = *transaction;
  payment.unsigned_psbt = *psbt;
  payment.confirmations = *confirmations;
  payment.detail = *detail;
  return std::pair(std::move(payment), *outputs);
}

std::optional<PaymentOutput> parse_output(std::string_view text, std::uint64_t id,
                                          std::uint32_t account) {
  const auto row = open_sealed_json(text);
  if (!row || row->u64("payment") != id || row->u32("account") != account) return std::nullopt;
  const auto address = row->string("address");
  const auto amount = row->i64("amount");
  if (!address || !amount || *amount <= 0 || *amount > kMaxMoney.value()) return std::nullopt;
  return PaymentOutput{AccountId(account), std::string(*address), Satoshi(*amount)};
}

Status read_outputs(LedgerStore& store, Payment& payment) {
  bool good = true;
  const std::string prefix = key_u64(payment.id);
  const Status scanned = store.scan(
      Family::Payments, output_key(payment.id, 0), [&](std::string_view key, std::string_view row) {
        if (!key.starts_with(prefix)) return false;
        const auto account = u32_of_key(key.substr(prefix.size()));
        auto output = account ? parse_output(row, payment.id, *account) : std::nullopt;
        good = output.has_value();
        if (good) payment.outputs.push_back(std::move(*output));
        return good;
      });
  if (!scanned) return scanned;
  if (!good) return corrupt(payment.id, "an output's row is not what was written");
  return {};
}

}  // namespace

Result<std::string> pool_identity(LedgerStore& store) {
  std::string out;
  for (const std::string_view name : {"genesis", "instance", "created_ms"}) {
    const auto value = store.get(Family::Meta, name);
    if (!value) return value.error();
    if (!*value && name != "created_ms")  // the oldest books have none
      return Error{ErrorCode::Corrupt, "meta " + std::string(name) + " is missing"};
    out += value->value_or("") + "\n";
  }
  return out;
}

std::string idempotency_key(const std::string& pool, std::uint64_t id,
                            const std::vector<PaymentOutput>& outputs) {
  std::string text = "adit payment\n" + pool + std::to_string(id) + "\n";
  for (const PaymentOutput& output : outputs)
    text += std::to_string(output.account.value()) + " " + output.address + " " +
            std::to_string(output.amount.value()) + "\n";
  return to_hex(sha256(bytes_of(text))).substr(0, kKeyDigits);
}

void put_payment(LedgerBatch& batch, const Payment& payment) {
  batch.put(Family::Payments, key_u64(payment.id), payment_json(payment));
}

void put_payment_outputs(LedgerBatch& batch, const Payment& payment) {
  for (const PaymentOutput& output : payment.outputs) {
    JsonWriter json;
    json.begin_object();
    json.key("payment").number_u64(payment.id);
    json.key("account").number_u64(output.account.value());
    json.key("address").string(output.address);
    json.key("amount").number(output.amount.value());
    json.end_object();
    batch.put(Family::Payments, output_key(payment.id, output.account.value()),
              seal_json(json.take()));
  }
}

Result<Payment> read_payment(LedgerStore& store, const std::string& pool, std::uint64_t id) {
  const auto row = store.get(Family::Payments, key_u64(id));
  if (!row) return row.error();
  if (!*row) return Error{ErrorCode::NotFound, "there is no payment " + std::to_string(id)};
  auto parsed = parse_payment(**row);
  if (!parsed || parsed->first.id != id) return corrupt(id, "its row is not what was written");
  Payment& payment = parsed->first;
  if (const Status read = read_outputs(store, payment); !read) return read.error();
  Satoshi sum;
  for (const PaymentOutput& output : payment.outputs) sum += output.amount;
  if (payment.outputs.size() != parsed->second || sum != payment.sum)
    return corrupt(id, "its outputs do not make up its sum");
  if (payment.idempotency_key != idempotency_key(pool, id, payment.outputs))
    return corrupt(id, "its key is not the one of its outputs");
  return std::move(payment);
}

PaymentBrief brief_of(const Payment& payment) {
  return {payment.state, payment.changed, payment.txid, payment.paid_by};
}

Result<std::map<std::uint64_t, PaymentBrief>> payment_briefs(LedgerStore& store) {
  std::map<std::uint64_t, PaymentBrief> out;
  std::string bad;
  const Status scanned =
      store.scan(Family::Payments, "", [&](std::string_view key, std::string_view row) {
        if (key.size() != sizeof(std::uint64_t)) return true;  // an output
        const auto id = u64_of_key(key);
        const auto parsed = parse_payment(row);
        if (!parsed || parsed->first.id != id) {
          bad = to_hex(bytes_of(key));
          return false;
        }
        out[*id] = brief_of(parsed->first);
        return true;
      });
  if (!scanned) return scanned.error();
  if (!bad.empty())
    return Error{ErrorCode::Corrupt, "payments " + bad + ": the row is not what was written"};
  return out;
}

Status for_each_payment(LedgerStore& store, const std::function<bool(const Payment&)>& visit) {
  const auto briefs = payment_briefs(store);
  if (!briefs) return briefs.error();
  if (briefs->empty()) return {};
  const auto pool = pool_identity(store);
  if (!pool) return pool.error();
  for (const auto& [id, brief] : *briefs) {
    const auto payment = read_payment(store, *pool, id);
    if (!payment) return payment.error();
    if (!visit(*payment)) break;
  }
  return {};
}

}  // namespace adit
