// SPDX-License-Identifier: MIT
// Decoder: see decode.h.
#include "stratum/v1/decode.h"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "adit/base/check.h"
#include "adit/base/json.h"

namespace adit::v1 {

namespace {

namespace dom = simdjson::dom;

struct Named {
  std::string_view name;
  Method method;
};
constexpr Named kMethods[] = {
    {"mining.submit", Method::Submit},
    {"mining.subscribe", Method::Subscribe},
    {"mining.authorize", Method::Authorize},
    {"mining.configure", Method::Configure},
    {"mining.suggest_difficulty", Method::SuggestDifficulty},
    {"mining.suggest_target", Method::SuggestTarget},
    {"mining.extranonce.subscribe", Method::ExtranonceSubscribe},
    {"mining.multi_version", Method::MultiVersion},
    {"mining.get_transactions", Method::GetTransactions},
    {"mining.ping", Method::Ping},
    {"pong", Method::Pong},
    {"mining.pong", Method::Pong},
};

/// In a line known to be valid JSON: steps over the string that starts at `at`.
std::size_t after_string(std::string_view line, std::size_t at) {
  for (++at; line[at] != '"'; ++at)
    if (line[at] == '\\') ++at;
  return at + 1;
}

/// The source text of the number that is the value of the top-level key "id", in a line known to be
/// a valid object with such a value. (The DOM keeps the value, not its spelling.) Empty if the key
/// is written with escapes.
std::string_view id_as_written(std::string_view line) {
  int depth = 0;
  for (std::size_t at = 0; at < line.size();) {
    const char c = line[at];
    if (c == '"') {
      const std::size_t end = after_string(line, at);
      const bool is_id = depth == 1 && line.substr(at, end - at) == "\"id\"";
      at = end;
      if (!is_id) continue;
      const std::size_t colon = line.find_first_not_of(" \t\r", at);
      if (colon == std::string_view::npos || line[colon] != ':') continue;
      const std::size_t start = line.find_first_not_of(" \t\r", colon + 1);
      const std::size_t stop = line.find_first_of(" \t\r,}", start);
      return line.substr(start, stop - start);
    }
    if (c == '{' || c == '[') ++depth;
    if (c == '}' || c == ']') --depth;
    ++at;
  }
  return {};
}

/// simdjson takes no whole number above 64 bits, though JSON has them. Writes each anew, with an
/// exponent, in the room it has; true if there was one. The text may be anything.
bool shorten_integers(char* text, std::size_t size) {
  constexpr std::size_t kLong = 20, kKept = 17;  // 2^64 has 20 digits
  bool found = false;
  for (std::size_t at = 0; at < size;) {
    const std::string_view rest(text + at, size - at);
    if (rest[0] == '"') {
      std::size_t end = 1;
      while (end < rest.size() && rest[end] != '"') end += rest[end] == '\\' ? 2 : 1;
      at += end + 1;
      continue;
    }
    const std::size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
    const std::size_t token = std::min(rest.find_first_not_of("0123456789.eE+-"), rest.size());
    if (digits == token && digits >= kLong) {
      char* const kept = text + at + kKept;
      std::fill(kept, text + at + digits, ' ');
      *kept = 'e';
      std::to_chars(kept + 1, text + at + digits, digits - kKept);
      found = true;
    }
    at += std::max<std::size_t>(token, 1);
  }
  return found;
}

template <class Integer>
void set_number(std::string& out, Integer value) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  out.assign(digits, static_cast<std::size_t>(end - digits));
}

}  // namespace

Method method_named(std::string_view name) {
  for (const Named& known : kMethods)
    if (known.name == name) return known.method;
  return Method::Unknown;
}

Decoder::Decoder() : parser_(LineFramer::kCap) {
  CHECK(parser_.allocate(LineFramer::kCap, kDepth) == simdjson::SUCCESS);
  CHECK(parser_.doc.allocate(LineFramer::kCap) == simdjson::SUCCESS);
}

bool Decoder::read_id(const dom::element& value, std::string_view line) {
  switch (value.type()) {
    case dom::element_type::INT64:
      set_number(id_, value.get_int64().value_unsafe());
      return true;
    case dom::element_type::UINT64:
      set_number(id_, value.get_uint64().value_unsafe());
      return true;
    case dom::element_type::DOUBLE:
      id_ = id_as_written(line);
      return !id_.empty() && id_.size() <= kIdDigits;
    case dom::element_type::STRING: {
      const std::string_view text = value.get_string().value_unsafe();
      if (text.size() > kIdBytes) return false;
      id_.clear();
      append_json_string(id_, text);
      return true;
    }
    case dom::element_type::NULL_VALUE:
      id_ = "null";
      return true;
    default:
      return false;
  }
}

Decoded Decoder::read_object(const dom::object& object, std::string_view line, Request& request) {
  std::optional<dom::element> id, method, params;
  bool answer = false;
  for (const dom::key_value_pair field : object) {
    std::optional<dom::element>* place = nullptr;
    if (field.key == "id") place = &id;
    if (field.key == "method") place = &method;
    if (field.key == "params") place = &params;
    if (field.key == "result" || field.key == "error") answer = true;
    if (place == nullptr) continue;
    if (place->has_value()) return Decoded::DuplicateKey;
    *place = field.value;
  }
  if (id && !read_id(*id, line)) return Decoded::BadId;
  if (id) request.id = id_;
  if (!method) return answer ? Decoded::Response : Decoded::NoMethod;
  std::string_view name;
  if (method->get_string().get(name) != simdjson::SUCCESS) return Decoded::BadMethod;
  request.method = method_named(name);
  request.method_size = name.size();
  if (!params || params->is_null()) return Decoded::Request;
  request.params_kind = params->get_array().get(request.params) == simdjson::SUCCESS
                            ? ParamsKind::Array
                            : ParamsKind::Other;
  return Decoded::Request;
}

Decoded Decoder::decode(std::string_view line, Request& request) {
  CHECK(line.size() < LineFramer::kCap);
  request = Request{};
  std::memcpy(padded_.data(), line.data(), line.size());
  std::memset(padded_.data() + line.size(), ' ', simdjson::SIMDJSON_PADDING);
  dom::element root;
  auto error = parser_.parse(padded_.data(), line.size(), false).get(root);
  // Its name for that differs: NUMBER_ERROR in Debian 12, BIGINT_ERROR in 13.
  if (error != simdjson::SUCCESS && shorten_integers(padded_.data(), line.size()))
    error = parser_.parse(padded_.data(), line.size(), false).get(root);
  if (error == simdjson::NUMBER_ERROR) return Decoded::BadNumber;
  if (error != simdjson::SUCCESS) return Decoded::ParseError;
  if (root.is_array()) return Decoded::Batch;
  dom::object object;
  if (root.get_object().get(object) != simdjson::SUCCESS) return Decoded::NotAnObject;
  return read_object(object, line, request);
}

}  // namespace adit::v1
