// SPDX-License-Identifier: MIT
// JSON-RPC: a request's body, and an answer of either shape (1.0 with both keys, 2.0 with one) or
// of none (a login page, half a body, a work queue that is full) as a value.
#include <fmt/format.h>

#include "adit/base/json.h"
#include "adit/base/log.h"
#include "adit/node/node_link.h"
#include "node/json_text.h"
#include "node/rpc_limits.h"

namespace adit {
namespace {

RpcResult no_rpc(std::string why) { return {RpcError{0, std::move(why)}, {}}; }

std::string_view http_meaning(int status) {
  switch (status) {
    case 401:
      return "HTTP 401: user, password or cookie refused";
    case 403:
      return "HTTP 403: address or method not allowed";
    case 503:
      return "HTTP 503: work queue full";
    default:
      return {};
  }
}

/// What a body that is no JSON-RPC answer amounts to.
RpcResult not_json_rpc(const RpcAnswer& answer, std::string_view what) {
  if (const auto known = http_meaning(answer.http_status); !known.empty())
    return no_rpc(std::string(known));
  if (answer.body.empty()) return no_rpc(fmt::format("HTTP {}: empty answer", answer.http_status));
  return no_rpc(fmt::format("HTTP {}: {}: {}", answer.http_status, what, log_escape(answer.body)));
}

struct Members {
  std::string_view result, error, id;
  bool twice = false;
};

Members members_of(std::string_view body) {
  Members members;
  for_each_member(body, [&](std::string_view key, std::string_view value) {
    std::string_view* slot = nullptr;
    if (key == "result") slot = &members.result;
    if (key == "error") slot = &members.error;
    if (key == "id") slot = &members.id;
    if (slot == nullptr) return;
    if (!slot->empty()) members.twice = true;
    *slot = value;
  });
  return members;
}

/// A proxy may turn the number into text or drop it; another request's answer is refused.
bool id_fits(std::string_view id, std::uint64_t token) {
  if (id.empty() || id == "null") return true;
  if (id.size() >= 2 && id.front() == '"') id = id.substr(1, id.size() - 2);
  return id == std::to_string(token);
}

RpcResult error_of(const RpcAnswer& answer, const simdjson::dom::element& root) {
  simdjson::dom::element error;
  if (root["error"].get(error) != simdjson::SUCCESS || !error.is_object())
    return not_json_rpc(answer, "odd error");
  const auto code = json_integer(error, "code");
  const auto message = json_string(error, "message");
  const bool fits = code && *code >= INT32_MIN && *code <= INT32_MAX;
  if (!fits || *code == 0) return not_json_rpc(answer, "odd error");
  return {RpcError{static_cast<int>(*code), log_escape(message.value_or(""), 300)}, {}};
}

}  // namespace

RpcResult parse_rpc_answer(const RpcAnswer& answer) {
  if (answer.transport_error) return no_rpc(*answer.transport_error);
  if (answer.body.size() > kMaxTemplateAnswer) return no_rpc("answer too large");
  const JsonText json(answer.body);
  if (!json.root()) return not_json_rpc(answer, "not JSON");
  if (!json.root()->is_object()) return not_json_rpc(answer, "not a JSON-RPC answer");
  const Members members = members_of(answer.body);
  if (members.twice) return not_json_rpc(answer, "a key stands twice");
  if (!id_fits(members.id, answer.token)) return no_rpc("answer to another request");
  if (!members.error.empty() && members.error != "null") return error_of(answer, *json.root());
  if (members.result.empty()) return not_json_rpc(answer, "neither result nor error");
  if (answer.http_status != 200) return not_json_rpc(answer, "a result without HTTP 200");
  return {std::nullopt, std::string(members.result)};
}

std::string rpc_body(const RpcRequest& request) {
  // "1.0" gives one behaviour on all versions: nodes before 28 know no other.
  JsonWriter json;
  json.begin_object().key("jsonrpc").string("1.0").key("id").number_u64(request.token);
  json.key("method").string(request.method).key("params").raw(request.params).end_object();
  return json.take();
}

std::string_view node_health_name(NodeHealth health) {
  switch (health) {
    case NodeHealth::Unknown:
      return "unknown";
    case NodeHealth::Ready:
      return "ready";
    case NodeHealth::NotReady:
      return "not ready";
    case NodeHealth::WrongChain:
      return "wrong chain";
    case NodeHealth::Down:
      return "down";
  }
  UNREACHABLE();
}

}  // namespace adit
