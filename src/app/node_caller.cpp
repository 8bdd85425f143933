// SPDX-License-Identifier: MIT
#include "app/node_caller.h"

#include <fmt/format.h>

#include "adit/node/node_link.h"
#include "app/credentials.h"

namespace adit {

Result<std::string> NodeCaller::call(const NodeConfig& node, const std::string& method,
                                     const std::string& params) {
  RpcRequest request;
  request.token = ++token_;
  request.method = method;
  request.params = params;
  const auto login = node_login(node);
  if (!login) return login.error();
  uv::HttpRequest http{node.rpc, *login, rpc_body(request), std::chrono::seconds(10), 64u << 20};
  RpcAnswer answer;
  http_.post(std::move(http), [&](uv::HttpAnswer got) {
    answer = {request.token, std::move(got.transport_error), got.status, std::move(got.body)};
    loop_.stop();
  });
  loop_.run();
  RpcResult result = parse_rpc_answer(answer);
  if (result.error)
    return Error{ErrorCode::Unavailable,
                 fmt::format("{}: {}: {}", node.rpc, method, result.error->message)};
  return std::move(result.result);
}

}  // namespace adit
