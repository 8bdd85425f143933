// SPDX-License-Identifier: MIT
#include "payout/terms_history.h"

#include "adit/base/json.h"
#include "adit/ledger/json_fields.h"
#include "payout/journal_rows.h"

namespace adit {
namespace {

constexpr char kTermsPrefix = 'r';
constexpr std::string_view kPricedKey = "q";

}  // namespace

bool pays_slices(SchemeKind kind) { return kind == SchemeKind::Pps || kind == SchemeKind::Fpps; }

Result<TermsHistory> TermsHistory::read(LedgerStore& store) {
  TermsHistory history;
  Status verdict;
  const Status scanned =
      scan_prefix(store, kTermsPrefix, "", [&](std::string_view key, std::string_view value) {
        const auto fields = open_sealed_json(value);
        const std::uint64_t from = fields ? fields->u64("from_slice").value_or(0) : 0;
        const auto terms =
            PayoutTerms::parse(fields ? fields->string("terms").value_or("") : std::string_view());
        if (from == 0 || !terms || u64_of_key(key.substr(1)) != from)
          verdict = bad_row(key, "broken terms");
        else
          history.from_[SliceNumber(from)] = *terms;
        return verdict.ok();
      });
  if (!scanned) return scanned.error();
  if (!verdict) return verdict.error();
  return history;
}

const PayoutTerms* TermsHistory::newest() const {
  return from_.empty() ? nullptr : &from_.rbegin()->second;
}

bool TermsHistory::knows(const PayoutTerms& terms) const {
  for (const auto& [from, known] : from_)
    if (known.text() == terms.text()) return true;
  return false;
}

SliceNumber TermsHistory::paid_at_once(SliceNumber last) const {
  SliceNumber paid;
  for (auto at = from_.begin(); at != from_.end() && at->first <= last; ++at) {
    if (!pays_slices(at->second.scheme.kind)) continue;
    const auto next = std::next(at);
    paid = next == from_.end() ? last : std::min(last, SliceNumber(next->first.value() - 1));
  }
  return paid;
}

void TermsHistory::add(LedgerBatch& batch, SliceNumber from, const PayoutTerms& terms) {
  from_[from] = terms;
  JsonWriter w;
  w.begin_object().key("from_slice").number_u64(from.value());
  w.key("terms").string(terms.text()).end_object();
  batch.put(Family::Credits, kTermsPrefix + key_u64(from.value()), seal_json(w.take()));
}

Result<SliceNumber> read_priced_through(LedgerStore& store) {
  const auto value = store.get(Family::Credits, kPricedKey);
  if (!value) return value.error();
  if (!*value) return SliceNumber();
  const auto fields = open_sealed_json(**value);
  const auto last = fields ? fields->u64("priced_through") : std::nullopt;
  if (!last) return bad_row(kPricedKey, "broken JSON or seal");
  return SliceNumber(*last);
}

void put_priced_through(LedgerBatch& batch, SliceNumber last) {
  JsonWriter w;
  w.begin_object().key("priced_through").number_u64(last.value()).end_object();
  batch.put(Family::Credits, std::string(kPricedKey), seal_json(w.take()));
}

}  // namespace adit
