// SPDX-License-Identifier: MIT
#include "adit/payout/terms.h"

#include <array>
#include <charconv>

#include "adit/base/check.h"

namespace adit {
namespace {

constexpr std::uint32_t kMaxFee = 10'000;
constexpr std::uint32_t kMaxFactor = 1'000;
constexpr std::uint64_t kBlockWeight = 4'000'000;

constexpr std::array<std::pair<PayWay, std::string_view>, 3> kWays{{
    {PayWay::Wallet, "wallet"},
    {PayWay::Coinbase, "coinbase"},
    {PayWay::Export, "export"},
}};
constexpr std::array<std::pair<SchemeKind, std::string_view>, 5> kSchemes{{
    {SchemeKind::Solo, "solo"},
    {SchemeKind::Pplns, "pplns"},
    {SchemeKind::Prop, "prop"},
    {SchemeKind::Pps, "pps"},
    {SchemeKind::Fpps, "fpps"},
}};

template <class Table, class Value>
std::string_view name_in(const Table& table, Value value) {
  for (const auto& [known, name] : table)
    if (known == value) return name;
  UNREACHABLE();
}

template <class Value, std::size_t kSize>
std::optional<Value> value_in(const std::array<std::pair<Value, std::string_view>, kSize>& table,
                              std::string_view name) {
  for (const auto& [value, known] : table)
    if (known == name) return value;
  return std::nullopt;
}

/// Takes "word" or "name=word" and the blank after it from the front.
class Words {
 public:
  explicit Words(std::string_view text) : rest_(text) {}
  std::string_view word() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    const std::string_view found = rest_.substr(0, end);
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return found;
  }
  std::string_view field(std::string_view name) {
    std::string_view text = word();
    if (!text.starts_with(name) || !text.substr(name.size()).starts_with('=')) return {};
    text.remove_prefix(name.size() + 1);
    return text;
  }
  std::optional<std::uint64_t> number(std::string_view name) {
    const std::string_view text = field(name);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
  }

 private:
  std::string_view rest_;
};

}  // namespace

std::string_view pay_way_name(PayWay way) { return name_in(kWays, way); }
std::optional<PayWay> pay_way_from(std::string_view name) { return value_in(kWays, name); }
std::string_view scheme_name(SchemeKind kind) { return name_in(kSchemes, kind); }
std::optional<SchemeKind> scheme_from(std::string_view name) { return value_in(kSchemes, name); }

std::string PayoutTerms::text() const {
  std::string out(scheme_name(scheme.kind));
  if (scheme.kind == SchemeKind::Pplns) out += " factor=" + std::to_string(scheme.factor);
  out += " fee=" + std::to_string(scheme.fee_basis_points);
  out += " way=" + std::string(pay_way_name(way));
  out += " threshold=" + std::to_string(threshold.value());
  return out + " weight=" + std::to_string(coinbase_weight);
}

std::optional<PayoutTerms> PayoutTerms::parse(std::string_view text) {
  Words words(text);
  PayoutTerms terms;
  const auto kind = scheme_from(words.word());
  if (!kind) return std::nullopt;
  terms.scheme.kind = *kind;
  if (*kind == SchemeKind::Pplns) {
    const auto factor = words.number("factor");
    if (!factor || *factor == 0 || *factor > kMaxFactor) return std::nullopt;
    terms.scheme.factor = static_cast<std::uint32_t>(*factor);
  }
  const auto fee = words.number("fee");
  const auto way = pay_way_from(words.field("way"));
  const auto threshold = words.number("threshold"), weight = words.number("weight");
  if (!fee || *fee > kMaxFee || !way || !threshold || !weight) return std::nullopt;
  if (*threshold > static_cast<std::uint64_t>(kMaxMoney.value()) || *weight > kBlockWeight)
    return std::nullopt;
  terms.scheme.fee_basis_points = static_cast<std::uint32_t>(*fee);
  terms.way = *way;
  terms.threshold = Satoshi(static_cast<std::int64_t>(*threshold));
  terms.coinbase_weight = *weight;
  // One text for one value: zeros in front, blanks at the end and the like are no terms.
  return terms.text() == text ? std::optional(terms) : std::nullopt;
}

}  // namespace adit
