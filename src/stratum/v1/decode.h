// SPDX-License-Identifier: MIT
// Decoder: one line of JSON from a stranger into a Request, strictly: one object, depth at most 8,
// no key twice, UTF-8, no number out of range. simdjson's DOM does the reading; one parser serves a
// whole thread and allocates only once. Keys and methods are compared, not hashed.
#pragma once

#include <simdjson.h>

#include <array>
#include <memory>
#include <string>
#include <string_view>

#include "stratum/v1/framer.h"

namespace adit::v1 {

enum class Method : std::uint8_t {
  Submit,
  Subscribe,
  Authorize,
  Configure,
  SuggestDifficulty,
  SuggestTarget,
  ExtranonceSubscribe,
  MultiVersion,
  GetTransactions,
  Ping,
  Pong,
  Unknown,
};
Method method_named(std::string_view name);

enum class ParamsKind : std::uint8_t { Missing, Array, Other };

struct Request {
  std::string_view id = "null";  ///< as JSON, to be echoed
  Method method = Method::Unknown;
  std::size_t method_size = 0;
  ParamsKind params_kind = ParamsKind::Missing;
  simdjson::dom::array params;  ///< valid when params_kind is Array
};

enum class Decoded : std::uint8_t {
  Request,
  Response,     ///< an answer to something: no method, but a result or an error
  ParseError,   ///< not JSON; the stream cannot be trusted any more
  BadNumber,    ///< a number out of range
  Batch,        ///< an array
  NotAnObject,  ///< a string, a number, null, true, false
  DuplicateKey,
  BadId,      ///< not a string of 64 bytes, a number of 20 characters, or null
  NoMethod,   ///< an object without method, result and error
  BadMethod,  ///< the method is not a string
};

class Decoder {
 public:
  static constexpr std::size_t kDepth = 8;
  static constexpr std::size_t kIdBytes = 64;
  static constexpr std::size_t kIdDigits = 20;

  Decoder();
  /// `line` is shorter than LineFramer::kCap. The request and all it points to are valid until the
  /// next call. After BadMethod and NoMethod the request's id is valid.
  Decoded decode(std::string_view line, Request& request);

 private:
  Decoded read_object(const simdjson::dom::object& object, std::string_view line, Request& request);
  bool read_id(const simdjson::dom::element& value, std::string_view line);

  simdjson::dom::parser parser_;
  std::array<char, LineFramer::kCap + simdjson::SIMDJSON_PADDING> padded_{};
  std::string id_;
};

}  // namespace adit::v1
