// SPDX-License-Identifier: MIT
// What all routes share: refusals, and numbers in paths and queries.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

#include "adit/api/routes.h"
#include "adit/base/json.h"

namespace adit {

inline ApiReply json_reply(std::string body) {
  return {200, "application/json", std::move(body) + "\n"};
}

inline ApiReply refusal(int status, std::string_view text) {
  return {status, "application/json",
          JsonWriter().begin_object().key("error").string(text).end_object().take() + "\n"};
}

/// Books that cannot be read, a pool that does not answer: trying again may help.
inline ApiReply unavailable(const Error& error) { return refusal(503, error.text); }

/// Plain digits without a leading zero.
inline std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  const bool plain = read.ec == std::errc() && read.ptr == end && text.front() != '0';
  return plain ? std::optional(value) : std::nullopt;
}

/// `rest`: what follows "/api/v1/accounts/".
ApiReply account_route(const ApiSources& sources, std::string_view rest, const ApiRequest& request);

}  // namespace adit
