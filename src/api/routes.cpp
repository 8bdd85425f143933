// SPDX-License-Identifier: MIT
#include "adit/api/routes.h"

#include <algorithm>
#include <optional>

#include "adit/ledger/reader.h"
#include "api/reply.h"

namespace adit {
namespace {

constexpr std::string_view kSlices = "/api/v1/slices", kAccounts = "/api/v1/accounts/";

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
  if (!slice) return unavailable(slice.error());
  if (!*slice) return refusal(404, "there is no such slice, or it is no longer kept");
  JsonWriter json;
  write_slice(json, **slice);
  return json_reply(json.take());
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
    if (!newest) return unavailable(newest.error());
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
  if (!read) return unavailable(read.error());
  return json_reply(json.end_array().end_object().take());
}

}  // namespace

ApiReply answer_api(const ApiSources& sources, const ApiRequest& request) {
  const std::string_view path = request.path;
  if (path == "/healthz") return {200, "text/plain", "ok\n"};
  if (path == "/metrics" && request.query.empty())
    return {200, std::string(kMetricsType), metrics_text(sources.live.metrics())};
  if (path.starts_with(kAccounts))
    return account_route(sources, path.substr(kAccounts.size()), request);
  if (path == kSlices) return slices(sources.books, request);
  if (path.starts_with(kSlices) && path[kSlices.size()] == '/' && request.query.empty())
    return one_slice(sources.books, path.substr(kSlices.size() + 1));
  return refusal(404, "nothing is here");
}

}  // namespace adit
