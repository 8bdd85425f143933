// SPDX-License-Identifier: MIT
// The short way of reading a submit takes nothing that the JSON reader reads differently.
#include "stratum/v1/submit_line.h"

#include "fuzz.h"
#include "stratum/v1/decode.h"

namespace adit::fuzz {

void one(Bytes input) {
  static v1::Decoder decoder;
  const std::string line(text_of(input.first(std::min<std::size_t>(input.size(), 4000))));
  v1::Request request;
  const v1::Decoded decoded = decoder.decode(line, request);
  v1::SubmitLine plain;
  if (!v1::read_submit_line(line, plain)) return;
  ADIT_CHECK(decoded == v1::Decoded::Request && request.method == v1::Method::Submit);
  ADIT_CHECK(request.id == plain.id);
  ADIT_CHECK(request.params_kind == v1::ParamsKind::Array);
  std::size_t count = 0;
  for (const simdjson::dom::element param : request.params) {
    std::string_view text;
    ADIT_CHECK(param.get(text) == simdjson::SUCCESS && count < plain.params.text.size());
    ADIT_CHECK(text == plain.params.text[count++]);
  }
  ADIT_CHECK(count == plain.params.count);
}

std::vector<std::string> seeds() {
  return {
      R"({"id":4,"method":"mining.submit","params":["bc1.rig","0001","0001","65000000","dead"]})",
      R"( {"params" : ["b", "1", "00", "65", "dead", "00e0"], "id": 12, "method":"mining.submit"})",
      R"({"method": "mining.submit", "params": ["a","b","c","d","e"], "id":0})",
      R"({"id":9,"params":["{}[],:","id","params","method","~!@#$%^"],"method":"mining.submit"})",
  };
}

}  // namespace adit::fuzz
