// SPDX-License-Identifier: MIT
// Silence never counts as a refusal, and no word but a known refusal does.
#include "node/submit_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "adit/base/log.h"
#include "node/json_text.h"

namespace adit {
namespace {

constexpr std::size_t kMaxText = 200;
constexpr int kDecodeFailed = -22;

bool is_refusal(std::string_view word) {
  constexpr std::array<std::string_view, 7> kWords{
      "high-hash", "unexpected-witness", "duplicate-invalid", "rejected",
      "invalid",   "stale-prevblk",      "stale-work"};
  if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) return true;
  return word.starts_with("bad-") || word.starts_with("time-") ||
         word.find("script-verify-flag-failed") != std::string_view::npos;
}

SubmitMeaning meaning_of(std::string_view word) {
  if (word == "duplicate") return SubmitMeaning::Accepted;
  if (word == "inconclusive" || word == "duplicate-inconclusive") return SubmitMeaning::Side;
  if (word == "prev-blk-not-found") return SubmitMeaning::ParentUnknown;
  return is_refusal(word) ? SubmitMeaning::Refused : SubmitMeaning::Unknown;
}

}  // namespace

SubmitAnswer read_submit_answer(const RpcResult& result) {
  if (result.error) {
    const RpcError& error = *result.error;
    if (error.code == 0) return {SubmitMeaning::NoAnswer, error.message};
    const auto meaning =
        error.code == kDecodeFailed ? SubmitMeaning::Refused : SubmitMeaning::NoAnswer;
    return {meaning, fmt::format("error {}: {}", error.code, error.message)};
  }
  if (result.result == "null") return {SubmitMeaning::Accepted, "null"};
  const JsonText json(result.result);
  std::string_view word;
  if (!json.root() || json.root()->get(word) != simdjson::SUCCESS)
    return {SubmitMeaning::Unknown, log_escape(result.result, kMaxText)};
  return {meaning_of(word), log_escape(word, kMaxText)};
}

}  // namespace adit
