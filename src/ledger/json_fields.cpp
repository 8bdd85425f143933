// SPDX-License-Identifier: MIT
// A strict reader for flat JSON objects, and their seal.
#include "adit/ledger/json_fields.h"

#include <charconv>

#include "adit/base/bytes.h"
#include "adit/base/check.h"
#include "adit/crypto/sha256.h"

namespace adit {
namespace {

constexpr std::string_view kSealField = ",\"seal\":\"";
constexpr std::size_t kSealDigits = 16;

void append_utf8(std::string& out, std::uint32_t code) {
  const auto byte = [&out](std::uint32_t v) { out.push_back(static_cast<char>(v)); };
  if (code < 0x80) return byte(code);
  if (code < 0x800) {
    byte(0xC0 | (code >> 6));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3F));
  } else {
    byte(0xF0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3F));
    byte(0x80 | ((code >> 6) & 0x3F));
  }
  byte(0x80 | (code & 0x3F));
}

class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}
  bool done() const { return rest_.empty(); }
  bool eat(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool peek(char c) const { return !rest_.empty() && rest_.front() == c; }

  bool string(std::string& out) {
    if (!eat('"')) return false;
    while (!rest_.empty()) {
      const char c = rest_.front();
      rest_.remove_prefix(1);
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\')
        out.push_back(c);
      else if (!escape(out))
        return false;
    }
    return false;
  }

  /// A whole number, true or false: the longest run of their characters; judged when it is read.
  bool word(std::string& out) {
    std::size_t n = 0;
    while (n < rest_.size() && (rest_[n] == '-' || (rest_[n] >= '0' && rest_[n] <= '9') ||
                                (rest_[n] >= 'a' && rest_[n] <= 'z')))
      ++n;
    out.assign(rest_.substr(0, n));
    rest_.remove_prefix(n);
    if (out == "true" || out == "false") return true;
    const std::size_t sign = !out.empty() && out[0] == '-' ? 1 : 0;
    if (out.size() == sign || out.find_first_not_of("0123456789", sign) != std::string::npos)
      return false;
    return out[sign] != '0' || out == "0";
  }

 private:
  bool escape(std::string& out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (rest_.empty()) return false;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    if (c != 'u') {
      const std::size_t at = kFrom.find(c);
      if (at == std::string_view::npos) return false;
      out.push_back(kTo[at]);
      return true;
    }
    std::uint32_t code = 0;
    if (!unit(code)) return false;
    if (code >= 0xDC00 && code < 0xE000) return false;
    if (code >= 0xD800 && code < 0xDC00) {
      std::uint32_t low = 0;
      if (!eat('\\') || !eat('u') || !unit(low) || low < 0xDC00 || low >= 0xE000) return false;
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    }
    append_utf8(out, code);
    return true;
  }

  bool unit(std::uint32_t& code) {
    if (rest_.size() < 4) return false;
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + 4, code, 16);
    if (error != std::errc{} || end != rest_.data() + 4) return false;
    rest_.remove_prefix(4);
    return true;
  }

  std::string_view rest_;
};

template <class T>
std::optional<T> number(const std::string* text) {
  if (text == nullptr) return std::nullopt;
  T value{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return value;
}

std::string seal_of(std::string_view text) {
  const Digest digest = sha256(bytes_of(text));
  return to_hex(Bytes(digest).first(kSealDigits / 2));
}

}  // namespace

std::optional<JsonFields> JsonFields::parse(std::string_view text) {
  Scanner in(text);
  JsonFields out;
  if (!in.eat('{')) return std::nullopt;
  if (in.eat('}')) return in.done() ? std::optional(out) : std::nullopt;
  do {
    Field field;
    if (out.fields_.size() == kMaxFields || !in.string(field.key) || !in.eat(':'))
      return std::nullopt;
    field.quoted = in.peek('"');
    if (!(field.quoted ? in.string(field.text) : in.word(field.text))) return std::nullopt;
    for (const Field& other : out.fields_)
      if (other.key == field.key) return std::nullopt;
    out.fields_.push_back(std::move(field));
  } while (in.eat(','));
  if (!in.eat('}') || !in.done()) return std::nullopt;
  return out;
}

const JsonFields::Field* JsonFields::find(std::string_view key, bool quoted) const {
  for (const Field& field : fields_)
    if (field.key == key) return field.quoted == quoted ? &field : nullptr;
  return nullptr;
}

std::optional<std::string_view> JsonFields::string(std::string_view key) const {
  const Field* field = find(key, true);
  return field == nullptr ? std::nullopt : std::optional<std::string_view>(field->text);
}

std::optional<std::uint64_t> JsonFields::u64(std::string_view key) const {
  const Field* field = find(key, false);
  return number<std::uint64_t>(field == nullptr ? nullptr : &field->text);
}

std::optional<std::uint32_t> JsonFields::u32(std::string_view key) const {
  const Field* field = find(key, false);
  return number<std::uint32_t>(field == nullptr ? nullptr : &field->text);
}

std::optional<std::int64_t> JsonFields::i64(std::string_view key) const {
  const Field* field = find(key, false);
  return number<std::int64_t>(field == nullptr ? nullptr : &field->text);
}

std::string seal_json(std::string json) {
  CHECK(json.size() > 2 && json.back() == '}');
  json.pop_back();
  const std::string seal = seal_of(json);
  json.append(kSealField).append(seal).append("\"}");
  return json;
}

std::optional<JsonFields> open_sealed_json(std::string_view text) {
  constexpr std::size_t kTail = kSealField.size() + kSealDigits + 2;
  if (text.size() <= kTail) return std::nullopt;
  const std::string_view body = text.substr(0, text.size() - kTail);
  const std::string_view tail = text.substr(body.size());
  if (!tail.starts_with(kSealField) || !tail.ends_with("\"}")) return std::nullopt;
  if (tail.substr(kSealField.size(), kSealDigits) != seal_of(body)) return std::nullopt;
  return JsonFields::parse(text);
}

}  // namespace adit
