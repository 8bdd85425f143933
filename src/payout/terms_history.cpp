// SPDX-License-Identifier: MIT
#include "payout/terms_history.h"

#include <algorithm>

#include "adit/base/json.h"
#include "adit/ledger/json_fields.h"
#include "payout/journal_rows.h"

namespace adit {
namespace {

constexpr char kTermsPrefix = 'r';
constexpr std::string_view kPricedKey = "q";

std::string terms_key(std::uint64_t from, std::uint32_t change) {
  return kTermsPrefix + key_u64(from) + key_u32(change);
}

Result<TermsInForce> terms_of(std::string_view key, std::string_view value) {
  const auto fields = open_sealed_json(value);
  if (!fields) return bad_row(key, "broken JSON or seal");
  const std::uint64_t from = fields->u64("from_slice").value_or(0);
  const auto change = fields->u32("change");
  const auto terms = PayoutTerms::parse(fields->string("terms").value_or(""));
  auto pool_script = from_hex(fields->string("pool_script").value_or("?"));
  if (from == 0 || !change || !terms || !pool_script || terms_key(from, *change) != key)
    return bad_row(key, "broken terms");
  return TermsInForce{SliceNumber(from), *terms, *std::move(pool_script)};
}

}  // namespace

bool pays_slices(SchemeKind kind) { return kind == SchemeKind::Pps || kind == SchemeKind::Fpps; }

Result<TermsHistory> TermsHistory::read(LedgerStore& store) {
  TermsHistory history;
  Status verdict;
  const Status scanned =
      scan_prefix(store, kTermsPrefix, "", [&](std::string_view key, std::string_view value) {
        auto terms = terms_of(key, value);
        if (terms)
          history.all_.push_back(*std::move(terms));
        else
          verdict = terms.error();
        return verdict.ok();
      });
  if (!scanned) return scanned.error();
  if (!verdict) return verdict.error();
  return history;
}

const TermsInForce* TermsHistory::newest() const { return all_.empty() ? nullptr : &all_.back(); }

const TermsInForce* TermsHistory::at(SliceNumber slice) const {
  const TermsInForce* found = nullptr;
  for (const TermsInForce& terms : all_)
    if (terms.from <= slice) found = &terms;
  return found;
}

bool TermsHistory::knows(const PayoutTerms& terms, const Script& pool_script) const {
  return std::any_of(all_.begin(), all_.end(), [&](const TermsInForce& known) {
    return known.terms.text() == terms.text() && known.pool_script == pool_script;
  });
}

bool TermsHistory::held(SliceNumber slice, const PayoutTerms& terms,
                        const Script& pool_script) const {
  const TermsInForce* filling = at(slice);
  for (const TermsInForce& known : all_)
    if ((&known == filling || known.from.value() == slice.value() + 1) &&
        known.terms.text() == terms.text() && known.pool_script == pool_script)
      return true;
  return false;
}

SliceNumber TermsHistory::paid_at_once(SliceNumber last) const {
  SliceNumber paid;
  for (auto at = all_.begin(); at != all_.end() && at->from <= last; ++at) {
    if (!pays_slices(at->terms.scheme.kind)) continue;
    const auto next = std::next(at);
    const SliceNumber end =
        next == all_.end() ? last : std::min(last, SliceNumber(next->from.value() - 1));
    if (end >= at->from) paid = end;
  }
  return paid;
}

void TermsHistory::add(LedgerBatch& batch, const TermsInForce& terms) {
  const std::uint64_t from = terms.from.value();
  const auto change = static_cast<std::uint32_t>(
      std::count_if(all_.begin(), all_.end(),
                    [&](const TermsInForce& known) { return known.from == terms.from; }));
  all_.push_back(terms);
  JsonWriter w;
  w.begin_object().key("from_slice").number_u64(from).key("change").number(change);
  w.key("terms").string(terms.terms.text());
  w.key("pool_script").string(to_hex(terms.pool_script)).end_object();
  batch.put(Family::Credits, terms_key(from, change), seal_json(w.take()));
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
