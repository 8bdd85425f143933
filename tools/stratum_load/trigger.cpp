// SPDX-License-Identifier: MIT
// Signals and one small JSON-RPC call: see trigger.h.
#include "stratum_load/trigger.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "adit/base/json.h"

namespace adit::load {

namespace {

using namespace std::chrono_literals;

std::string base64(std::string_view text) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j)
      group = group << 8 | (i + j < text.size() ? static_cast<std::uint8_t>(text[i + j]) : 0u);
    for (std::size_t j = 0; j < 4; ++j)
      out += i + j <= text.size() ? kDigits[group >> (18 - 6 * j) & 63] : '=';
  }
  return out;
}

}  // namespace

std::int64_t wall_ns() {
  return std::chrono::duration_cast<Duration>(std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<Trigger> Trigger::make(const Options& options) {
  Trigger trigger;
  trigger.pid_ = options.signal_pid;
  if (trigger.pid_ != 0) return trigger;
  std::string_view url = options.rpc_url;
  if (url.empty())
    return Error{ErrorCode::Invalid, "name --trigger-rpc or --trigger-signal for a new job"};
  if (url.starts_with("http://")) url.remove_prefix(7);
  std::string login;
  if (const std::size_t at = url.rfind('@'); at != url.npos) {
    login = url.substr(0, at);
    url.remove_prefix(at + 1);
  }
  const auto node = client::parse_endpoint(url);
  if (!node) return Error{ErrorCode::Invalid, "--trigger-rpc: http://USER:PASSWORD@HOST:PORT"};
  const auto address = client::resolve(*node);
  if (!address) return address.error();
  if (!address->is_loopback()) return Error{ErrorCode::Refused, "--trigger-rpc: loopback only"};
  trigger.node_ = *node;
  JsonWriter body;
  body.begin_object().key("id").number(1).key("method").string(options.rpc_method);
  body.key("params").begin_array().end_array().end_object();
  trigger.request_ = fmt::format(
      "POST / HTTP/1.1\r\nHost: {}\r\nAuthorization: Basic {}\r\nConnection: close\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      node->text(), base64(login), body.text().size(), body.text());
  return trigger;
}

Result<std::int64_t> Trigger::pull() {
  if (pid_ != 0) {
    const std::int64_t at = wall_ns();
    if (kill(pid_, SIGUSR1) == 0) return at;
    return Error{ErrorCode::Unavailable, fmt::format("kill: {}", std::strerror(errno))};
  }
  const auto fd = client::dial(node_, 5s);
  if (!fd) return fd.error();
  fd_ = *fd;
  const std::int64_t at = wall_ns();
  const ssize_t sent = send(fd_, request_.data(), request_.size(), MSG_NOSIGNAL);
  if (sent == static_cast<ssize_t>(request_.size())) return at;
  return Error{ErrorCode::Unavailable, "the node does not take the call"};
}

Status Trigger::finish() {
  if (fd_ < 0) return {};
  const int fd = std::exchange(fd_, -1);
  std::string answer;
  char bytes[4096];
  pollfd waiting{fd, POLLIN, 0};
  while (answer.size() < 65536 && poll(&waiting, 1, 10'000) > 0) {
    const ssize_t got = recv(fd, bytes, sizeof bytes, 0);
    if (got <= 0) break;
    answer.append(bytes, static_cast<std::size_t>(got));
  }
  close(fd);
  if (answer.starts_with("HTTP/1.1 200") || answer.starts_with("HTTP/1.0 200")) return {};
  return Error{ErrorCode::Refused,
               "the node does not do it: " + answer.substr(0, answer.find('\r'))};
}

}  // namespace adit::load
