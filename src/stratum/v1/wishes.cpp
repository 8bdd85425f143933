// SPDX-License-Identifier: MIT
// Wishes about difficulty: see wishes.h.
#include "stratum/v1/wishes.h"

#include <algorithm>
#include <charconv>

namespace adit::v1 {

namespace {

namespace dom = simdjson::dom;

Difficulty least() { return *Difficulty::parse("1e-30"); }
Difficulty greatest() { return *Difficulty::parse("1e30"); }

/// By way of the shortest decimal text, so that 0.00016 stays exactly that.
std::optional<Difficulty> from_double(double value) {
  if (value < 0) return std::nullopt;
  if (value < 1e-20) return least();
  if (value > 1e30) return greatest();
  char text[64];
  const auto end = std::to_chars(text, text + sizeof text, value, std::chars_format::fixed).ptr;
  return Difficulty::parse({text, std::min<std::size_t>(static_cast<std::size_t>(end - text), 40)});
}

bool is_plain_decimal(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 40 || !is_digit(text.front()) || !is_digit(text.back()))
    return false;
  return std::ranges::all_of(text, [&](char c) { return is_digit(c) || c == '.'; }) &&
         std::ranges::count(text, '.') <= 1;
}

std::optional<Difficulty> from_text(std::string_view text) {
  if (!is_plain_decimal(text)) return std::nullopt;
  // In 40 characters nothing is too great; zero and what is next to it is too small.
  return Difficulty::parse(text).value_or(least());
}

}  // namespace

std::optional<Difficulty> difficulty_wish(const dom::element& value) {
  switch (value.type()) {
    case dom::element_type::INT64: {
      const std::int64_t number = value.get_int64().value_unsafe();
      if (number < 0) return std::nullopt;
      return number == 0 ? least() : Difficulty::from_u64(static_cast<std::uint64_t>(number));
    }
    case dom::element_type::UINT64:
      return Difficulty::from_u64(value.get_uint64().value_unsafe());
    case dom::element_type::DOUBLE:
      return from_double(value.get_double().value_unsafe());
    case dom::element_type::STRING:
      return from_text(value.get_string().value_unsafe());
    default:
      return std::nullopt;
  }
}

std::optional<Difficulty> target_wish(const dom::element& value) {
  std::string_view text;
  if (value.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  const auto target = Target::from_hex(text);
  if (!target || target->value().is_zero()) return std::nullopt;
  if (target->value().bit_length() < 128) return greatest();
  return Difficulty::of(*target);
}

std::optional<Difficulty> wish_in_name(std::string_view user) {
  const std::size_t plus = user.find('+');
  if (plus == user.npos) return std::nullopt;
  return Difficulty::parse(user.substr(plus + 1));
}

PasswordWishes parse_password(std::string_view password) {
  PasswordWishes wishes;
  password = password.substr(0, 256);
  while (!password.empty()) {
    const std::size_t end = std::min(password.find_first_of(",; "), password.size());
    const std::string_view word = password.substr(0, end);
    password.remove_prefix(std::min(end + 1, password.size()));
    const std::size_t equals = word.find('=');
    if (equals == word.npos) continue;
    const auto value = Difficulty::parse(word.substr(equals + 1));
    if (!value) continue;
    const std::string_view key = word.substr(0, equals);
    if (key == "d") wishes.start = value;
    if (key == "md") wishes.minimum = value;
    if (key == "fd") wishes.fixed = value;
  }
  return wishes;
}

}  // namespace adit::v1
