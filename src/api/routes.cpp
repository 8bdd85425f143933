// SPDX-License-Identifier: MIT
#include "adit/api/routes.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "adit/base/json.h"
#include "adit/ledger/reader.h"

namespace adit {
namespace {

constexpr std::string_view kSlices = "/api/v1/slices";

ApiReply refusal(int status, std::string_view text) {
  return {status, "application/json",
          JsonWriter().begin_object().key("error").string(text).end_object().take() + "\n"};
}

ApiReply broken(const Error& error) { return refusal(503, error.text); }

/// Plain digits without a leading zero.
std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  const char* end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, value);
  const bool plain = read.ec == std::errc() && read.ptr == end && text.front() != '0';
  return plain ? std::optional(value) : std::nullopt;
}

void write_slice(JsonWriter& json, const SliceRecord& slice) {
  json.begin_object().key("number").number_u64(slice.number.value());
  json.key("first_share").number_u64(slice.first.value());
  json.key("last_share").number_u64(slice.last.value());
  json.key("opened_ms").number(slice.opened.value());
  json.key("closed_ms").number(slice.closed.value());
  json.key("accounts").number_u64(slice.slice.count());
  json.key("work").string(Work(slice.slice.total()).decimal());
  json.key("network_work").string(Work(slice.network.work).decimal());
  if (slice.block != BlockHash{}) json.key("block").string(slice.block.hex());
  json.key("root").string(to_hex(slice.root)).key("previous").string(to_hex(slice.previous));
  json.key("hash").string(to_hex(slice.hash())).end_object();
}

ApiReply one_slice(LedgerStore& books, std::string_view text) {
  const auto number = number_of(text);
  if (!number) return refusal(404, "a slice is named by its number, from 1");
  const auto slice = read_slice(books, SliceNumber(*number));
  if (!slice) return broken(slice.error());
  if (!*slice) return refusal(404, "there is no such slice, or it is no longer kept");
  JsonWriter json;
  write_slice(json, **slice);
  return {200, "application/json", json.take() + "\n"};
}

ApiReply slices(LedgerStore& books, const ApiRequest& request) {
  std::optional<std::uint64_t> from, limit;
  for (const auto& [key, value] : request.query) {
    auto* const known = key == "from" ? &from : key == "limit" ? &limit : nullptr;
    if (known == nullptr || known->has_value()) return refusal(400, "from and limit, once each");
    *known = number_of(value);
    if (!*known) return refusal(400, key + " must be a whole number from 1");
  }
  const std::uint64_t count = std::min(limit.value_or(kApiSlices), kApiSlices);
  if (!from) {
    const auto newest = newest_slice(books);
    if (!newest) return broken(newest.error());
    const std::uint64_t last = *newest ? (*newest)->number.value() : 0;
    from = last > count ? last - count + 1 : 1;
  }
  JsonWriter json;
  json.begin_object().key("slices").begin_array();
  std::uint64_t written = 0;
  const Status read = for_each_slice(books, SliceNumber(*from), [&](const SliceRecord& slice) {
    write_slice(json, slice);
    return ++written < count;
  });
  if (!read) return broken(read.error());
  return {200, "application/json", json.end_array().end_object().take() + "\n"};
}

}  // namespace

ApiReply answer_api(LedgerStore& books, const ApiRequest& request) {
  const std::string_view path = request.path;
  if (path == "/healthz") return {200, "text/plain", "ok\n"};
  if (path == kSlices) return slices(books, request);
  if (path.starts_with(kSlices) && path[kSlices.size()] == '/' && request.query.empty())
    return one_slice(books, path.substr(kSlices.size() + 1));
  return refusal(404, "nothing is here");
}

}  // namespace adit
