// SPDX-License-Identifier: MIT
// JSON-RPC answers of both shapes and of none (G-01 to G-12, G-25 to G-28).
#include <doctest/doctest.h>

#include "fixture.h"

using namespace adit;

namespace {

RpcResult parse(std::string body, int status = 200) {
  RpcAnswer answer;
  answer.token = 42;
  answer.http_status = status;
  answer.body = std::move(body);
  return parse_rpc_answer(answer);
}

}  // namespace

TEST_CASE("answers of both shapes") {
  struct Row {
    const char* body;
    const char* result;
  };
  for (const Row& row : {
           Row{R"({"result":null,"error":null,"id":42})", "null"},
           Row{R"({"jsonrpc":"2.0","result":[1,{"a":"}]\\\""}],"id":42})", R"([1,{"a":"}]\\\""}])"},
           Row{R"({"id":"42","error":null,"result":"high-hash"})", R"("high-hash")"},
           Row{" {\n \"result\" : 7 ,\n \"error\" : null }\n", "7"},
           Row{R"({"result":{"id":1,"error":2},"id":null})", R"({"id":1,"error":2})"},
       }) {
    CAPTURE(row.body);
    const RpcResult parsed = parse(row.body);
    CHECK(!parsed.error);
    CHECK(parsed.result == row.result);
  }
}

TEST_CASE("errors keep their code, with any status") {
  const RpcResult warm = parse(
      R"({"result":null,"error":{"code":-28,"message":"Loading block index\u2026"},"id":42})", 500);
  REQUIRE(warm.error);
  CHECK(warm.error->code == -28);
  CHECK(warm.error->message.starts_with("Loading block index"));
  CHECK(warm.result.empty());
  const RpcResult two = parse(R"({"jsonrpc":"2.0","error":{"code":-8,"message":"x"},"id":42})");
  REQUIRE(two.error);
  CHECK(two.error->code == -8);
}

TEST_CASE("what is no answer has code 0 and says what it was") {
  struct Row {
    const char* body;
    int status;
    const char* says;
  };
  for (const Row& row : {
           Row{"", 200, "HTTP 200: empty answer"},                                        // G-01
           Row{"null", 200, "not a JSON-RPC answer"},                                     // G-02
           Row{"<html><form>Password</form>", 200, "not JSON: <html>"},                   // G-03
           Row{R"({"result":{"a":1)", 200, "not JSON"},                                   // G-04
           Row{R"({"result":1,"error":null,"id":42}x)", 200, "not JSON"},                 // G-05
           Row{R"({"result":1,"error":null,"id":4)", 200, "not JSON"},                    // G-06
           Row{"5\r\n{\"res\r\n", 200, "not JSON"},                                       // G-07
           Row{"\x1f\x8b\x08", 200, "not JSON"},                                          // G-09
           Row{"", 401, "HTTP 401: user, password or cookie"},                            // G-10
           Row{"Work queue depth exceeded", 503, "HTTP 503: work queue full"},            // G-11
           Row{R"({"result":1,"error":null,"id":41})", 200, "another request"},           // G-27
           Row{R"([{"result":1,"id":42},{"result":2,"id":43}])", 200, "not a JSON-RPC"},  // G-28
           Row{R"({"id":42})", 200, "neither result nor error"},
           Row{R"({"error":null,"id":42})", 200, "neither result nor error"},
           Row{R"({"error":"no","id":42})", 200, "odd error"},
           Row{R"({"error":{"code":"x"},"id":42})", 200, "odd error"},
           Row{R"({"error":{"code":0},"id":42})", 200, "odd error"},
           Row{R"({"result":1,"result":2,"id":42})", 200, "stands twice"},
           Row{R"({"result":1,"id":42})", 404, "without HTTP 200"},
       }) {
    CAPTURE(row.body);
    const RpcResult parsed = parse(row.body, row.status);
    REQUIRE(parsed.error);
    CHECK(parsed.error->code == 0);
    CHECK_MESSAGE(parsed.error->message.find(row.says) != std::string::npos, parsed.error->message);
    CHECK(parsed.result.empty());
  }
  CHECK(parse(std::string(8'500'000, ' ')).error->message == "answer too large");  // G-08
  CHECK(parse(std::string(100'000, '[')).error->code == 0);
  RpcAnswer reset;  // G-12
  reset.transport_error = "connection reset after 100 bytes";
  CHECK(parse_rpc_answer(reset).error->message == "connection reset after 100 bytes");
}

TEST_CASE("a request's body") {
  RpcRequest request;
  request.token = 9;
  request.method = "getblockhash";
  request.params = "[0]";
  CHECK(rpc_body(request) == R"({"jsonrpc":"1.0","id":9,"method":"getblockhash","params":[0]})");
}
