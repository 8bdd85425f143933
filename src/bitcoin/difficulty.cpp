// SPDX-License-Identifier: MIT
// Difficulty as an exact decimal: text and doubles in, targets and text out.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <system_error>

#include "adit/base/check.h"
#include "adit/bitcoin/target.h"
#include "bitcoin/wide.h"

namespace adit {
namespace {

constexpr int kDigits = 18;
constexpr int kMaxExponent = 30;
constexpr std::uint64_t kMantissaEnd = 1'000'000'000'000'000'000;  // 10^18
constexpr std::size_t kMaxText = 40;
// Where plain text gives way to an exponent: as in ECMAScript's Number::toString.
constexpr int kPlainWhole = 21;
constexpr int kPlainZeros = 6;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::uint64_t power_of_ten(int exponent) {
  std::uint64_t power = 1;
  while (exponent-- > 0) power *= 10;
  return power;
}

int digits_of(std::uint64_t value) {
  int digits = 0;
  for (; value != 0; value /= 10) ++digits;
  return digits;
}

/// The significant digits of a text on their way to mantissa and exponent.
struct Scan {
  std::uint64_t mantissa = 0;
  int exponent = 0;

  void whole_digit(char c) {
    if (!push(c)) ++exponent;
  }
  void fraction_digit(char c) {
    if (push(c)) --exponent;
  }

 private:
  bool push(char c) {
    if (mantissa >= kMantissaEnd / 10) return false;
    mantissa = mantissa * 10 + static_cast<unsigned>(c - '0');
    return true;
  }
};

/// "e-10" and its like at `at` up to the end of the text; nullopt unless that is all there is.
std::optional<int> parse_exponent(std::string_view text, std::size_t at) {
  if (at == text.size()) return 0;
  if (text[at] != 'e' && text[at] != 'E') return std::nullopt;
  ++at;
  const bool negative = at < text.size() && text[at] == '-';
  if (negative || (at < text.size() && text[at] == '+')) ++at;
  if (at == text.size() || text.size() - at > 4) return std::nullopt;
  int value = 0;
  for (; at < text.size(); ++at) {
    if (!is_digit(text[at])) return std::nullopt;
    value = value * 10 + (text[at] - '0');
  }
  return negative ? -value : value;
}

void multiply_by_ten_to(Wide& wide, int exponent) {
  for (; exponent > kDigits; exponent -= kDigits) wide.multiply(kMantissaEnd);
  wide.multiply(power_of_ten(exponent));
}

void divide_by_ten_to(Wide& wide, int exponent) {
  for (; exponent > kDigits; exponent -= kDigits) wide.divide(kMantissaEnd);
  wide.divide(power_of_ten(exponent));
}

}  // namespace

std::optional<Difficulty> Difficulty::make(std::uint64_t mantissa, std::int32_t exponent) {
  if (mantissa == 0) return std::nullopt;
  while (mantissa % 10 == 0 && exponent < kMaxExponent) {
    mantissa /= 10;
    ++exponent;
  }
  while (exponent > kMaxExponent && mantissa < kMantissaEnd / 10) {
    mantissa *= 10;
    --exponent;
  }
  if (exponent > kMaxExponent || exponent < -kMaxExponent || mantissa >= kMantissaEnd) {
    return std::nullopt;
  }
  Difficulty d;
  d.mantissa_ = mantissa;
  d.exponent_ = exponent;
  return d;
}

std::optional<Difficulty> Difficulty::parse(std::string_view text) {
  if (text.size() > kMaxText) return std::nullopt;
  Scan scan;
  std::size_t at = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) scan.whole_digit(text[at]);
  if (at == 0) return std::nullopt;
  if (at < text.size() && text[at] == '.') {
    const std::size_t first = ++at;
    for (; at < text.size() && is_digit(text[at]); ++at) scan.fraction_digit(text[at]);
    if (at == first) return std::nullopt;
  }
  const auto exponent = parse_exponent(text, at);
  if (!exponent) return std::nullopt;
  return make(scan.mantissa, scan.exponent + *exponent);
}

Difficulty Difficulty::from_u64(std::uint64_t value) {
  CHECK(value >= 1);
  int exponent = 0;
  for (; value >= kMantissaEnd; value /= 10) ++exponent;
  return *make(value, exponent);
}

Difficulty Difficulty::from_estimate(double value) {
  CHECK(std::isfinite(value) && value > 0);
  if (value >= 1 && value < 9e15) return from_u64(static_cast<std::uint64_t>(std::llround(value)));
  if (value <= 1e-30) return *make(1, -kMaxExponent);
  if (value >= 1e47) return *make(kMantissaEnd - 1, kMaxExponent);
  // Above 2^53 every double is whole and its shortest text names it; below 1 six digits are kept,
  // fewer where the exponent's limit is near.
  char buffer[40];
  const double places = std::floor(std::log10(value));
  const int precision = std::min(5, static_cast<int>(places) + kMaxExponent);
  const auto end = value > 1 ? std::to_chars(buffer, buffer + sizeof buffer, value)
                             : std::to_chars(buffer, buffer + sizeof buffer, value,
                                             std::chars_format::scientific, std::max(precision, 0));
  const auto parsed = parse(std::string_view(buffer, static_cast<std::size_t>(end.ptr - buffer)));
  CHECK(end.ec == std::errc{} && parsed.has_value());
  return *parsed;
}

Difficulty Difficulty::of(const Target& target) {
  const U256& t = target.value();
  const U256 one = Target::difficulty_one().value();
  if (t.is_zero()) return *make(kMantissaEnd - 1, kMaxExponent);
  U256 quotient = divide(one, t);
  bool overflow = false;
  Wide rest = Wide::from(one - multiply(quotient, t, overflow));
  CHECK(!overflow);
  int exponent = 0;
  for (; quotient >= U256::from(kMantissaEnd); ++exponent) {
    quotient = divide(quotient, U256::from(10));
    rest = {};
  }
  std::uint64_t mantissa = quotient.limb[0];
  while (exponent <= 0 && mantissa < kMantissaEnd / 10 && !rest.is_zero()) {
    rest.multiply(10);
    mantissa *= 10;
    while (rest.subtract_if_not_less(t)) ++mantissa;
    --exponent;
  }
  const auto made = make(mantissa, exponent);
  return made ? *made : *make(kMantissaEnd - 1, kMaxExponent);
}

Difficulty Difficulty::whole(std::uint64_t for_a_fraction) const {
  // A mantissa does not end in 0, so a negative exponent is a fraction.
  if (exponent_ >= 0 || digits_of(mantissa_) + exponent_ <= 0) return *this;
  return *make(mantissa_ / power_of_ten(-exponent_) + for_a_fraction, 0);
}

Target Difficulty::to_target() const {
  Wide wide = Wide::from(Target::difficulty_one().value());
  if (exponent_ < 0) multiply_by_ten_to(wide, -exponent_);
  wide.divide(mantissa_);
  // floor(floor(a / m) / n) == floor(a / (m * n)): dividing twice loses nothing.
  if (exponent_ > 0) divide_by_ten_to(wide, exponent_);
  if (!wide.fits_u256()) return Target::max();
  return wide.is_zero() ? Target(U256::from(1)) : Target(wide.low_u256());
}

std::string Difficulty::text() const {
  const std::string digits = std::to_string(mantissa_);
  const int count = static_cast<int>(digits.size());
  const int point = count + exponent_;  // the decimal point stands before digit number `point`
  if (exponent_ >= 0 && point <= kPlainWhole) return digits + std::string(exponent_, '0');
  if (exponent_ < 0 && point > 0) {
    const auto whole = static_cast<std::size_t>(point);
    return digits.substr(0, whole) + '.' + digits.substr(whole);
  }
  if (exponent_ < 0 && point > -kPlainZeros) return "0." + std::string(-point, '0') + digits;
  const std::string first = count == 1 ? digits : digits.substr(0, 1) + '.' + digits.substr(1);
  return first + 'e' + std::to_string(point - 1);
}

double Difficulty::approximate() const {
  // Through text, because the library rounds that correctly: 1e-10 gives the double 1e-10.
  const std::string exact = std::to_string(mantissa_) + 'e' + std::to_string(exponent_);
  double value = 0;
  std::from_chars(exact.data(), exact.data() + exact.size(), value);
  return value;
}

std::strong_ordering Difficulty::operator<=>(const Difficulty& other) const {
  if (exponent_ == other.exponent_) return mantissa_ <=> other.mantissa_;
  const int digits = digits_of(mantissa_);
  const int other_digits = digits_of(other.mantissa_);
  const int size = digits + exponent_;
  const int other_size = other_digits + other.exponent_;
  if (size != other_size) return size <=> other_size;
  return mantissa_ * power_of_ten(kDigits - digits) <=>
         other.mantissa_ * power_of_ten(kDigits - other_digits);
}

}  // namespace adit
