// SPDX-License-Identifier: MIT
// JSON text out of values; UTF-8 is checked byte by byte, because names come from strangers.
#include "adit/base/json.h"

#include <charconv>

#include "adit/base/check.h"

namespace adit {
namespace {

constexpr char kDigits[] = "0123456789abcdef";
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_continuation(std::string_view text, std::size_t at) {
  return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80;
}

/// Bytes of the well-formed UTF-8 sequence at `at` (Unicode table 3-7: no overlong forms, no
/// surrogates, nothing above U+10FFFF), or 0.
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) return 1;
  if (!is_continuation(text, at + 1)) return 0;
  const auto second = static_cast<unsigned char>(text[at + 1]);
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first < 0xe0 || first > 0xf4 || !is_continuation(text, at + 2)) return 0;
  if (first <= 0xef) {
    const bool overlong = first == 0xe0 && second < 0xa0;
    const bool surrogate = first == 0xed && second > 0x9f;
    return overlong || surrogate ? 0 : 3;
  }
  const bool overlong = first == 0xf0 && second < 0x90;
  const bool too_high = first == 0xf4 && second > 0x8f;
  return overlong || too_high || !is_continuation(text, at + 3) ? 0 : 4;
}

void append_ascii(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const auto byte = static_cast<unsigned char>(c);
  if (byte >= 0x20 && byte != 0x7f) {
    out += c;
    return;
  }
  out += "\\u00";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

template <class T>
void append_number(std::string& out, T value) {
  char buffer[24];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = utf8_length(text, at);
    if (length == 0) {
      out += kReplacement;
    } else if (length == 1) {
      append_ascii(out, text[at]);
    } else {
      out += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  out += '"';
}

void JsonWriter::before_value() {
  CHECK(!done_);
  if (after_key_) {
    after_key_ = false;
    return;
  }
  CHECK(open_.empty() || open_.back() == '[');
  if (need_comma_) out_ += ',';
}

void JsonWriter::after_value() {
  need_comma_ = true;
  done_ = open_.empty();
}

JsonWriter& JsonWriter::begin(char bracket) {
  before_value();
  out_ += bracket;
  open_ += bracket;
  need_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end(char bracket) {
  CHECK(!after_key_ && !open_.empty() && open_.back() == bracket);
  open_.pop_back();
  out_ += bracket == '{' ? '}' : ']';
  after_value();
  return *this;
}

JsonWriter& JsonWriter::begin_object() { return begin('{'); }
JsonWriter& JsonWriter::end_object() { return end('{'); }
JsonWriter& JsonWriter::begin_array() { return begin('['); }
JsonWriter& JsonWriter::end_array() { return end('['); }

JsonWriter& JsonWriter::key(std::string_view name) {
  CHECK(!after_key_ && !open_.empty() && open_.back() == '{');
  if (need_comma_) out_ += ',';
  append_json_string(out_, name);
  out_ += ':';
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  before_value();
  append_json_string(out_, text);
  after_value();
  return *this;
}

JsonWriter& JsonWriter::number(std::int64_t value) {
  before_value();
  append_number(out_, value);
  after_value();
  return *this;
}

JsonWriter& JsonWriter::number_u64(std::uint64_t value) {
  before_value();
  append_number(out_, value);
  after_value();
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) { return raw(value ? "true" : "false"); }
JsonWriter& JsonWriter::null() { return raw("null"); }

JsonWriter& JsonWriter::raw(std::string_view text) {
  CHECK(!text.empty());
  before_value();
  out_ += text;
  after_value();
  return *this;
}

const std::string& JsonWriter::text() const {
  CHECK(open_.empty() && !after_key_);
  return out_;
}

std::string JsonWriter::take() {
  CHECK(open_.empty() && !after_key_);
  done_ = need_comma_ = false;
  return std::exchange(out_, {});
}

}  // namespace adit
