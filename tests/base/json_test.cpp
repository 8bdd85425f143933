// SPDX-License-Identifier: MIT
// JSON output, read back with simdjson.
#include "adit/base/json.h"

#include <doctest/doctest.h>
#include <simdjson.h>

#include <limits>

using namespace adit;

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

/// The string that simdjson reads out of our JSON string.
std::string round_trip(std::string_view text) {
  simdjson::dom::parser parser;
  const std::string json = "[" + quoted(text) + "]";
  std::string_view back;
  REQUIRE(parser.parse(json).at(0).get(back) == simdjson::SUCCESS);
  return std::string(back);
}

}  // namespace

TEST_CASE("json string: escapes") {
  CHECK(quoted("a\"b\\c/") == R"("a\"b\\c/")");
  CHECK(quoted("\n\r\t") == R"("\n\r\t")");
  CHECK(quoted(std::string_view("\0\x1f\x7f", 3)) == R"("\u0000\u001f\u007f")");
  CHECK(quoted("") == R"("")");
}

TEST_CASE("json string: well-formed UTF-8 passes, the rest becomes U+FFFD") {
  for (const char* good : {"\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                           "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "caf\xC3\xA9"}) {
    CHECK(quoted(good) == std::string("\"") + good + "\"");
    CHECK(round_trip(good) == good);
  }
  const std::string r = "\xEF\xBF\xBD";
  CHECK(quoted("\x80") == "\"" + r + "\"");
  CHECK(quoted("\xC0\xAF") == "\"" + r + r + "\"");                  // overlong
  CHECK(quoted("\xE0\x80\xAF") == "\"" + r + r + r + "\"");          // overlong
  CHECK(quoted("\xED\xA0\x80") == "\"" + r + r + r + "\"");          // surrogate
  CHECK(quoted("\xF4\x90\x80\x80") == "\"" + r + r + r + r + "\"");  // above U+10FFFF
  CHECK(quoted("\xE2\x82") == "\"" + r + r + "\"");                  // cut short
  CHECK(quoted("\xC3\"") == "\"" + r + "\\\"\"");                    // does not eat the quote
}

TEST_CASE("json string: every pair of bytes gives JSON that simdjson accepts") {
  std::string all = "[";
  for (int a = 0; a < 256; ++a) {
    for (int b = 0; b < 256; ++b) {
      const char pair[] = {static_cast<char>(a), static_cast<char>(b)};
      append_json_string(all, std::string_view(pair, 2));
      all += ',';
    }
  }
  all.back() = ']';
  simdjson::dom::parser parser;
  CHECK(parser.parse(all).error() == simdjson::SUCCESS);
}

TEST_CASE("JsonWriter: nesting and commas") {
  JsonWriter w;
  w.begin_object().key("a").number(-1).key("b").begin_array();
  w.number(1).string("x").null().begin_object().end_object().begin_array().end_array();
  w.end_array().key("c").boolean(true).key("d").begin_object().key("e").raw("1e-10");
  w.end_object().key("f").boolean(false).end_object();
  CHECK(w.text() == R"({"a":-1,"b":[1,"x",null,{},[]],"c":true,"d":{"e":1e-10},"f":false})");
  CHECK(w.take() == R"({"a":-1,"b":[1,"x",null,{},[]],"c":true,"d":{"e":1e-10},"f":false})");
  CHECK(w.begin_array().string("again").end_array().take() == R"(["again"])");
}

TEST_CASE("JsonWriter: numbers at their limits") {
  JsonWriter w;
  w.begin_array().number(std::numeric_limits<std::int64_t>::min());
  w.number(std::numeric_limits<std::int64_t>::max());
  w.number_u64(std::numeric_limits<std::uint64_t>::max()).end_array();
  CHECK(w.text() == "[-9223372036854775808,9223372036854775807,18446744073709551615]");
}
