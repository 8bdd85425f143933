// SPDX-License-Identifier: MIT
// Typed reading of a template. One error at a time, the first; a reader that has failed reads on
// harmlessly, so the list of keys below stays a list.
#include "node/template_parser.h"

#include <fmt/format.h>

#include <limits>

#include "node/json_text.h"

namespace adit {
namespace {

using simdjson::dom::element;

constexpr std::size_t kMaxRules = 64;
constexpr std::size_t kMaxLongPollId = 256;
constexpr std::size_t kCommitmentScript = 38;

class Reader {
 public:
  bool ok() const { return error_.empty(); }
  std::string error() && { return std::move(error_); }
  void fail(std::string_view key, std::string_view why) {
    if (ok()) error_ = fmt::format("{}{}: {}", where_, key, why);
  }
  void at(std::string where) { where_ = std::move(where); }

  std::optional<element> find(const element& object, std::string_view key, bool required = true) {
    element value;
    if (object[key].get(value) == simdjson::SUCCESS) return value;
    if (required) fail(key, "missing");
    return std::nullopt;
  }

  template <class T>
  void integer(const element& object, std::string_view key, T& out, bool required = true) {
    const auto value = find(object, key, required);
    if (!value) return;
    std::int64_t number = 0;
    if (!value->is_int64() || value->get(number) != simdjson::SUCCESS)
      return fail(key, "not an integer");
    if constexpr (sizeof(T) < sizeof number || std::is_unsigned_v<T>) {
      if (number < static_cast<std::int64_t>(std::numeric_limits<T>::min()) ||
          (sizeof(T) < sizeof number &&
           number > static_cast<std::int64_t>(std::numeric_limits<T>::max())))
        return fail(key, "out of range");
    }
    out = static_cast<T>(number);
  }

  std::optional<std::string_view> string(const element& object, std::string_view key,
                                         bool required = true) {
    const auto value = find(object, key, required);
    std::string_view text;
    if (!value) return std::nullopt;
    if (value->get(text) == simdjson::SUCCESS) return text;
    fail(key, "not a string");
    return std::nullopt;
  }

  template <class Hash>
  void hash(const element& object, std::string_view key, Hash& out) {
    const auto text = string(object, key);
    if (!text) return;
    if (const auto parsed = Hash::from_hex(*text)) {
      out = *parsed;
    } else {
      fail(key, "not 64 hex digits");
    }
  }

  std::optional<simdjson::dom::array> array(const element& object, std::string_view key,
                                            bool required = true) {
    const auto value = find(object, key, required);
    simdjson::dom::array items;
    if (!value) return std::nullopt;
    if (value->get(items) == simdjson::SUCCESS) return items;
    fail(key, "not an array");
    return std::nullopt;
  }

 private:
  std::string where_;
  std::string error_;
};

void read_bits(Reader& reader, const element& root, RawTemplate& raw) {
  if (const auto text = reader.string(root, "target")) {
    const auto target = text->size() == 64 ? Target::from_hex(*text) : std::nullopt;
    if (!target) return reader.fail("target", "not 64 hex digits");
    raw.target = *target;
  }
  if (const auto text = reader.string(root, "bits")) {
    const auto bits = hex_u32(*text);
    if (!bits) return reader.fail("bits", "not 8 hex digits");
    raw.bits = CompactTarget(*bits);
  }
}

void read_rules(Reader& reader, const element& root, RawTemplate& raw) {
  const auto rules = reader.array(root, "rules", false);
  if (!rules) return;
  for (const element rule : *rules) {
    std::string_view name;
    if (rule.get(name) != simdjson::SUCCESS) return reader.fail("rules", "not strings");
    if (raw.rules.size() == kMaxRules) return reader.fail("rules", "too many");
    raw.rules.emplace_back(name);
  }
}

void read_texts(Reader& reader, const element& root, RawTemplate& raw) {
  if (const auto id = reader.string(root, "longpollid", false)) {
    if (id->size() > kMaxLongPollId) return reader.fail("longpollid", "too long");
    raw.long_poll_id = *id;
  }
  if (const auto challenge = reader.string(root, "signet_challenge", false))
    raw.signet_challenge = *challenge;
  const auto commitment = reader.string(root, "default_witness_commitment", false);
  if (!commitment) return;
  ByteVec script(kCommitmentScript);
  if (!from_hex(*commitment, script))
    return reader.fail("default_witness_commitment", "not 38 bytes of hex");
  raw.commitment_script = std::move(script);
}

void read_depends(Reader& reader, const element& item, RawTransaction& transaction) {
  const auto depends = reader.array(item, "depends", false);
  if (!depends) return;
  for (const element place : *depends) {
    std::int64_t number = 0;
    if (!place.is_int64() || place.get(number) != simdjson::SUCCESS)
      return reader.fail("depends", "not integers");
    if (number < 1 || number > static_cast<std::int64_t>(kMaxTransactions))
      return reader.fail("depends", "out of range");
    transaction.depends.push_back(static_cast<std::uint32_t>(number));
  }
}

RawTransaction read_transaction(Reader& reader, const element& item) {
  RawTransaction transaction;
  if (const auto text = reader.string(item, "data")) {
    auto data = from_hex(*text);
    if (!data || data->empty()) {
      reader.fail("data", "not hex");
    } else {
      transaction.data = std::move(*data);
    }
  }
  reader.hash(item, "txid", transaction.txid);
  reader.hash(item, "hash", transaction.wtxid);
  reader.integer(item, "sigops", transaction.sigops);
  reader.integer(item, "weight", transaction.weight);
  if (reader.find(item, "fee", false)) {
    std::int64_t fee = 0;
    reader.integer(item, "fee", fee);
    if (fee < 0 || fee > kMaxMoney.value()) reader.fail("fee", "out of range");
    transaction.fee = fee;
  }
  read_depends(reader, item, transaction);
  return transaction;
}

void read_transactions(Reader& reader, const element& root, RawTemplate& raw) {
  const auto items = reader.array(root, "transactions");
  if (!items) return;
  if (items->size() > kMaxTransactions)
    return reader.fail("transactions", "more than a block can hold");
  raw.transactions.reserve(items->size());
  for (const element item : *items) {
    reader.at(fmt::format("transactions[{}].", raw.transactions.size()));
    if (!item.is_object()) return reader.fail("", "not an object");
    raw.transactions.push_back(read_transaction(reader, item));
    if (!reader.ok()) return;
  }
  reader.at("");
}

}  // namespace

Result<RawTemplate> parse_raw_template(std::string_view result_json) {
  const JsonText json(result_json);
  if (!json.root()) return Error{ErrorCode::Invalid, "template: not JSON"};
  if (!json.root()->is_object()) return Error{ErrorCode::Invalid, "template: not an object"};
  const element& root = *json.root();
  Reader reader;
  RawTemplate raw;
  reader.integer(root, "version", raw.version);
  reader.hash(root, "previousblockhash", raw.prev);
  reader.integer(root, "coinbasevalue", raw.coinbase_value);
  read_bits(reader, root, raw);
  reader.integer(root, "mintime", raw.mintime);
  reader.integer(root, "curtime", raw.curtime);
  reader.integer(root, "height", raw.height);
  reader.integer(root, "sigoplimit", raw.sigop_limit, false);
  reader.integer(root, "weightlimit", raw.weight_limit, false);
  read_rules(reader, root, raw);
  read_texts(reader, root, raw);
  read_transactions(reader, root, raw);
  if (!reader.ok()) return Error{ErrorCode::Invalid, std::move(reader).error()};
  return raw;
}

}  // namespace adit
