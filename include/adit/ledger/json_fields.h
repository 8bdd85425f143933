// SPDX-License-Identifier: MIT
// Reads back the flat JSON objects that the books and the block vault write. Strict, so that a
// flipped byte is found; what strangers send is read elsewhere, with simdjson.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace adit {

/// One flat object of strings, whole numbers and booleans, without blanks.
class JsonFields {
 public:
  static constexpr std::size_t kMaxFields = 32;
  /// nullopt for nesting, fractions, a key twice, blanks, anything after the object.
  static std::optional<JsonFields> parse(std::string_view text);

  std::optional<std::string_view> string(std::string_view key) const;
  std::optional<std::uint64_t> u64(std::string_view key) const;
  std::optional<std::uint32_t> u32(std::string_view key) const;
  std::optional<std::int64_t> i64(std::string_view key) const;

 private:
  struct Field {
    std::string key;
    std::string text;
    bool quoted = false;
  };
  const Field* find(std::string_view key, bool quoted) const;
  std::vector<Field> fields_;
};

/// Closes a JSON object with a last field "seal": 16 hex digits of the SHA-256 of all text before
/// it. It finds bit rot and careless edits; against an insider the share chain stands.
std::string seal_json(std::string json);
/// The fields of a sealed object; nullopt if the text is no flat object or the seal does not fit.
std::optional<JsonFields> open_sealed_json(std::string_view text);

}  // namespace adit
