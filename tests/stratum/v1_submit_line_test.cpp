// SPDX-License-Identifier: MIT
// The short way of reading a submit beside the JSON reader: whatever the short way takes, the JSON
// reader takes too and reads the same.
#include "stratum/v1/submit_line.h"

#include <doctest/doctest.h>

#include <optional>
#include <random>
#include <vector>

#include "stratum/v1/decode.h"

using namespace adit::v1;

namespace {

const std::vector<std::string> kPlain = {
    R"({"id":4,"method":"mining.submit","params":["bc1.rig","0001","0001","65000000","dead"]})",
    R"({"params": ["bc1.rig", "0001", "00", "65000000", "dead", "00e0"], )"
    R"("id": 123456789012345678, "method": "mining.submit"})",
    R"({"method": "mining.submit", "params": ["a", "b", "c", "d", "e"], "id":0})",
    R"(  { "id" : 7 , "method" : "mining.submit" , "params" : [ "" , "b" , "c" , "d" , "e" ] }  )",
    R"({"id":9,"params":["{}[],:","id","params","method","~!@#$%^","x"],"method":"mining.submit"})",
};

const std::vector<std::string> kNotPlain = {
    "",
    "{}",
    R"({"id":4,"method":"mining.submit","params":["a","b","c","d"]})",
    R"({"id":4,"method":"mining.submit","params":["a","b","c","d","e","f","g"]})",
    R"({"id":4,"method":"mining.submit","params":["a","b","c","d",5]})",
    R"({"id":4,"method":"mining.submit","params":["a","b","c","d","e",]})",
    R"({"id":4,"id":4,"method":"mining.submit","params":["a","b","c","d","e"]})",
    R"({"id":4,"method":"mining.submit","params":["a","b","c","d","e"],"x":1})",
    R"({"id":4,"method":"mining.submit","params":["a","b","c","d","e"]}})",
    R"({"id":4,"method":"mining.submit","params":["a","b","c","d","e"]} x)",
    R"({"id":04,"method":"mining.submit","params":["a","b","c","d","e"]})",
    R"({"id":-4,"method":"mining.submit","params":["a","b","c","d","e"]})",
    R"({"id":4.0,"method":"mining.submit","params":["a","b","c","d","e"]})",
    R"({"id":4e0,"method":"mining.submit","params":["a","b","c","d","e"]})",
    R"({"id":1234567890123456789,"method":"mining.submit","params":["a","b","c","d","e"]})",
    R"({"id":"4","method":"mining.submit","params":["a","b","c","d","e"]})",
    R"({"id":null,"method":"mining.submit","params":["a","b","c","d","e"]})",
    R"({"id":4,"method":"mining.submit ","params":["a","b","c","d","e"]})",
    R"({"id":4,"method":"mining.submit","params":["\u0061","b","c","d","e"]})",
    "{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"\xc3\xa4\",\"b\",\"c\",\"d\",\"e\"]}",
    "{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"\t\",\"b\",\"c\",\"d\",\"e\"]}",
    std::string(
        "{\"id\":4,\"method\":\"mining.submit\",\"params\":[\"\0\",\"b\",\"c\",\"d\",\"e\"]}", 64),
};

/// True when the short way takes the line; it must then say what the JSON reader says.
bool taken_alike(Decoder& decoder, const std::string& line) {
  SubmitLine plain;
  if (!read_submit_line(line, plain)) return false;
  CAPTURE(line);
  Request request;
  REQUIRE(decoder.decode(line, request) == Decoded::Request);
  REQUIRE(request.method == Method::Submit);
  REQUIRE(request.id == plain.id);
  REQUIRE(request.params_kind == ParamsKind::Array);
  REQUIRE(request.params.size() == plain.params.count);
  for (std::size_t i = 0; i < plain.params.count; ++i) {
    std::string_view text;
    REQUIRE(request.params.at(i).get_string().get(text) == simdjson::SUCCESS);
    REQUIRE(text == plain.params.text[i]);
    REQUIRE(plain.params.text[i].data() != nullptr);
  }
  return true;
}

}  // namespace

TEST_CASE("the forms of firmware are taken, and read as JSON") {
  Decoder decoder;
  for (const std::string& line : kPlain) {
    CAPTURE(line);
    CHECK(taken_alike(decoder, line));
  }
}

TEST_CASE("what is not plain is left to the JSON reader") {
  SubmitLine plain;
  for (const std::string& line : kNotPlain) {
    CAPTURE(line);
    CHECK_FALSE(read_submit_line(line, plain));
  }
}

TEST_CASE("mutated lines: what is taken is JSON, and means the same") {
  const std::string alphabet = "\"\\{}[]:, 0159aefuxz-+.~\t\r\x01\x7f\x80\xc3\n";
  std::mt19937 random(7);
  const auto pick = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  Decoder decoder;
  int taken = 0;
  for (int round = 0; round < 200'000; ++round) {
    std::string line = kPlain[pick(kPlain.size())];
    for (std::size_t changes = 1 + pick(3); changes > 0 && !line.empty(); --changes) {
      const std::size_t at = pick(line.size());
      const char c = alphabet[pick(alphabet.size())];
      switch (pick(5)) {
        case 0:
          line[at] = c;
          break;
        case 1:
          line.insert(at, 1, c);
          break;
        case 2:
          line.erase(at, 1 + pick(4));
          break;
        case 3:
          line.insert(pick(line.size()), line.substr(at, 1 + pick(12)));
          break;
        default:
          std::swap(line[at], line[pick(line.size())]);
      }
    }
    taken += taken_alike(decoder, line) ? 1 : 0;
  }
  CHECK(taken > 10'000);
  CHECK(taken < 150'000);
}

TEST_CASE("every single byte in every place") {
  Decoder decoder;
  for (const std::string& line : kPlain) {
    for (std::size_t at = 0; at < line.size(); ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string changed = line;
        changed[at] = static_cast<char>(byte);
        taken_alike(decoder, changed);
      }
    }
  }
}
