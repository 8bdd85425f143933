// SPDX-License-Identifier: MIT
#include "adit/payout/settlement_record.h"

#include <algorithm>
#include <array>

#include "adit/base/check.h"
#include "adit/base/json.h"
#include "adit/ledger/json_fields.h"
#include "payout/journal_rows.h"
#include "payout/settlement_rows.h"

namespace adit {
namespace {

constexpr std::size_t kShareSize = 48;
constexpr std::array<std::pair<SettlementState, std::string_view>, 4> kStates{{
    {SettlementState::Pending, "pending"},
    {SettlementState::Booked, "booked"},
    {SettlementState::Reversed, "reversed"},
    {SettlementState::Dropped, "dropped"},
}};

std::string key_of(char prefix, const SettlementRecord& record) {
  return prefix + settled_block_key(record.height, record.block);
}

bool read_numbers(const JsonFields& fields, SettlementRecord& r) {
  const auto number = [&](std::string_view key, std::uint64_t& out) {
    const auto value = fields.u64(key);
    if (value) out = *value;
    return value.has_value();
  };
  const auto money = [&](std::string_view key, Satoshi& out) {
    const auto value = fields.i64(key);
    if (value) out = Satoshi(*value);
    return value.has_value();
  };
  const auto height = fields.u32("height"), count = fields.u32("shares");
  if (!height || !count) return false;
  r.height = *height, r.share_count = *count;
  return number("first_slice", r.first_slice) && number("slice", r.slice) &&
         number("plan_entry", r.plan_entry) && number("plan_weight", r.plan_weight) &&
         money("value", r.value) && money("pool_entitled", r.pool_entitled) &&
         money("pool_paid", r.pool_paid) && money("unknown_paid", r.unknown_paid) &&
         number("first_entry", r.first_entry) && number("last_entry", r.last_entry);
}

/// Adds the shares' row, which must be the one that was sealed in.
Status read_shares(LedgerStore& store, SettlementRecord& record) {
  const std::string key = key_of(kSharesPrefix, record);
  const auto value = store.get(Family::Credits, key);
  if (!value) return value.error();
  if (!*value) return bad_row(key, "the shares of a settlement are missing");
  if (sha256(bytes_of(**value)) != record.shares_digest)
    return bad_row(key, "the shares are not those that were settled");
  auto shares = decode_shares(bytes_of(**value));
  if (!shares || shares->size() != record.share_count)
    return bad_row(key, "broken shares of a settlement");
  record.shares = *std::move(shares);
  return {};
}

}  // namespace

std::string_view settlement_state_name(SettlementState state) {
  for (const auto& [known, name] : kStates)
    if (known == state) return name;
  UNREACHABLE();
}

std::optional<SettlementState> settlement_state_from(std::string_view name) {
  for (const auto& [state, known] : kStates)
    if (known == name) return state;
  return std::nullopt;
}

std::string settled_block_key(std::uint32_t height, const BlockHash& hash) {
  auto shown = hash.bytes;
  std::reverse(shown.begin(), shown.end());
  return key_u32(height).append(text_of(shown));
}

ByteVec encode_shares(const std::vector<PlanShare>& shares) {
  ByteVec out(shares.size() * kShareSize);
  std::uint8_t* at = out.data();
  for (const PlanShare& share : shares) {
    store_le(at, share.account.value());
    store_le(at + 8, share.work);
    store_le(at + 24, share.entitled.value());
    store_le(at + 32, share.carry.value());
    store_le(at + 40, share.paid.value());
    at += kShareSize;
  }
  return out;
}

std::optional<std::vector<PlanShare>> decode_shares(Bytes bytes) {
  if (bytes.size() % kShareSize != 0) return std::nullopt;
  std::vector<PlanShare> shares;
  shares.reserve(bytes.size() / kShareSize);
  AccountId last;
  for (const std::uint8_t* at = bytes.data(); at != bytes.data() + bytes.size(); at += kShareSize) {
    const AccountId account(load_le<std::uint32_t>(at));
    if (account <= last || load_le<std::uint32_t>(at + 4) != 0) return std::nullopt;
    last = account;
    shares.push_back({account, load_le<Uint128>(at + 8), Satoshi(load_le<std::int64_t>(at + 24)),
                      Satoshi(load_le<std::int64_t>(at + 32)),
                      Satoshi(load_le<std::int64_t>(at + 40))});
  }
  return shares;
}

void SettlementRecord::put(LedgerBatch& batch, bool with_shares) {
  if (with_shares) {
    const ByteVec rows = encode_shares(shares);
    share_count = static_cast<std::uint32_t>(shares.size());
    shares_digest = sha256(rows);
    batch.put(Family::Credits, key_of(kSharesPrefix, *this), std::string(text_of(rows)));
  }
  JsonWriter w;
  w.begin_object().key("block").string(block.hex()).key("height").number(height);
  w.key("first_slice").number_u64(first_slice).key("slice").number_u64(slice);
  w.key("slices").string(slices.text());
  w.key("plan_entry").number_u64(plan_entry).key("plan_weight").number_u64(plan_weight);
  w.key("terms").string(terms.text());
  w.key("pool_script").string(to_hex(pool_script));
  w.key("value").number(value.value()).key("pool_work").string(Work(pool_work).decimal());
  w.key("pool_entitled").number(pool_entitled.value());
  w.key("pool_paid").number(pool_paid.value()).key("unknown_paid").number(unknown_paid.value());
  w.key("state").string(settlement_state_name(state));
  w.key("first_entry").number_u64(first_entry).key("last_entry").number_u64(last_entry);
  w.key("shares").number(share_count);
  w.key("shares_sha256").string(to_hex(shares_digest)).end_object();
  batch.put(Family::Credits, key_of(kSettlementPrefix, *this), seal_json(w.take()));
}

Result<SettlementRecord> settlement_of(std::string_view key, std::string_view value) {
  const auto fields = open_sealed_json(value);
  if (!fields) return bad_row(key, "broken JSON or seal");
  SettlementRecord record;
  const auto block = BlockHash::from_hex(fields->string("block").value_or(""));
  const auto terms = PayoutTerms::parse(fields->string("terms").value_or(""));
  const auto state = settlement_state_from(fields->string("state").value_or(""));
  auto slices = SliceSet::parse(fields->string("slices").value_or("?"));
  auto pool_script = from_hex(fields->string("pool_script").value_or("?"));
  const auto pool_work = Work::from_decimal(fields->string("pool_work").value_or(""));
  if (!block || !terms || !state || !slices || !pool_script || !pool_work ||
      !read_numbers(*fields, record) ||
      !from_hex(fields->string("shares_sha256").value_or(""), record.shares_digest))
    return bad_row(key, "a field is missing or wrong");
  record.block = *block, record.terms = *terms, record.state = *state;
  record.slices = *std::move(slices);
  record.pool_script = *std::move(pool_script);
  record.pool_work = pool_work->value();
  if (key_of(kSettlementPrefix, record) != key)
    return bad_row(key, "stands under another block's key");
  return record;
}

Result<std::optional<SettlementRecord>> read_settlement(LedgerStore& store,
                                                        const BlockRecord& block,
                                                        bool with_shares) {
  const std::string key = kSettlementPrefix + settled_block_key(block.height, block.hash);
  const auto value = store.get(Family::Credits, key);
  if (!value) return value.error();
  if (!*value) return std::optional<SettlementRecord>();
  auto record = settlement_of(key, **value);
  if (!record) return record.error();
  if (with_shares)
    if (const Status s = read_shares(store, *record); !s) return s.error();
  return std::optional<SettlementRecord>(*std::move(record));
}

Status for_each_settlement(LedgerStore& store, bool with_shares,
                           const std::function<bool(const SettlementRecord&)>& visit) {
  Status verdict;
  const Status scanned =
      scan_prefix(store, kSettlementPrefix, "", [&](std::string_view key, std::string_view value) {
        auto record = settlement_of(key, value);
        if (!record)
          verdict = record.error();
        else if (with_shares)
          verdict = read_shares(store, *record);
        return verdict.ok() && visit(*record);
      });
  return scanned ? verdict : scanned;
}

}  // namespace adit
