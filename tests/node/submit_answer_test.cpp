// SPDX-License-Identifier: MIT
// Every row of the table of submitblock's answers.
#include "node/submit_answer.h"

#include <doctest/doctest.h>

using namespace adit;

TEST_CASE("the table of answers") {
  struct Row {
    const char* result;
    SubmitMeaning meaning;
  };
  for (const Row& row : {
           Row{"null", SubmitMeaning::Accepted},
           Row{R"("duplicate")", SubmitMeaning::Accepted},
           Row{R"("inconclusive")", SubmitMeaning::Side},
           Row{R"("duplicate-inconclusive")", SubmitMeaning::Side},
           Row{R"("duplicate-invalid")", SubmitMeaning::Refused},
           Row{R"("prev-blk-not-found")", SubmitMeaning::ParentUnknown},
           Row{R"("high-hash")", SubmitMeaning::Refused},
           Row{R"("bad-cb-amount")", SubmitMeaning::Refused},
           Row{R"("bad-txnmrklroot")", SubmitMeaning::Refused},
           Row{R"("bad-prevblk")", SubmitMeaning::Refused},
           Row{R"("time-too-old")", SubmitMeaning::Refused},
           Row{R"("time-too-new")", SubmitMeaning::Refused},
           Row{R"("unexpected-witness")", SubmitMeaning::Refused},
           Row{R"("rejected")", SubmitMeaning::Refused},
           Row{R"x("mandatory-script-verify-flag-failed (Signature must be zero)")x",
               SubmitMeaning::Refused},
           Row{R"x("block-script-verify-flag-failed (x)")x", SubmitMeaning::Refused},
           Row{R"("stale-prevblk")", SubmitMeaning::Refused},
           Row{R"("something-else")", SubmitMeaning::Unknown},
           Row{R"("")", SubmitMeaning::Unknown},
           Row{"true", SubmitMeaning::Unknown},
           Row{R"({"a":1})", SubmitMeaning::Unknown},
       }) {
    CAPTURE(row.result);
    CHECK(read_submit_answer({std::nullopt, row.result}).meaning == row.meaning);
  }
}

TEST_CASE("errors: only a decode failure decides") {
  for (const int code : {0, -1, -8, -9, -10, -25, -28, -32601, -32603}) {
    CAPTURE(code);
    CHECK(read_submit_answer({RpcError{code, "x"}, {}}).meaning == SubmitMeaning::NoAnswer);
  }
  const auto broken = read_submit_answer({RpcError{-22, "Block decode failed"}, {}});
  CHECK(broken.meaning == SubmitMeaning::Refused);
  CHECK(broken.text == "error -22: Block decode failed");
}

TEST_CASE("texts are verbatim, and harmless") {
  CHECK(read_submit_answer({std::nullopt, R"("bad-cb-amount")"}).text == "bad-cb-amount");
  CHECK(read_submit_answer({std::nullopt, R"("a\nb")"}).text == "a\\x0ab");
  CHECK(read_submit_answer({std::nullopt, '"' + std::string(9'000, 'x') + '"'}).text.size() <= 200);
}
