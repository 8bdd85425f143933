// SPDX-License-Identifier: MIT
// Reading and writing Stratum V1 as a miner: see conversation.h.
#include "v1_client/conversation.h"

#include <fmt/format.h>

#include "adit/base/json.h"

namespace adit::client {

namespace {

using Element = simdjson::dom::element;

constexpr std::uint64_t kConfigureId = 1, kSubscribeId = 2, kAuthorizeId = 3;
/// More would not fit any coinbase; a pool that asks for it is broken.
constexpr std::size_t kExtranonceMost = 32;

/// For an element, or for a look-up that may have failed.
std::optional<std::string_view> string_of(const auto& element) {
  std::string_view text;
  if (element.get_string().get(text) != simdjson::SUCCESS) return std::nullopt;
  return text;
}

std::optional<std::uint32_t> word_of(const auto& element) {
  const auto text = string_of(element);
  return text ? hex_u32(*text) : std::nullopt;
}

bool read_hex(const auto& element, ByteVec& out) {
  const auto text = string_of(element);
  auto bytes = text ? from_hex(*text) : std::nullopt;
  if (!bytes) return false;
  out = std::move(*bytes);
  return true;
}

bool read_branch(const simdjson::simdjson_result<Element>& element, MerkleBranch& out) {
  simdjson::dom::array hashes;
  if (element.get_array().get(hashes) != simdjson::SUCCESS) return false;
  for (const Element one : hashes) {
    Hash256 hash;
    std::string_view text;
    if (one.get_string().get(text) != simdjson::SUCCESS || !from_hex(text, hash.bytes))
      return false;
    out.push_back(hash);
  }
  return true;
}

/// A pool's reason, whichever of the usual shapes it has: [code, text, trace], a text, an object.
std::string reason_of(const Element& error) {
  if (const auto text = string_of(error.at_pointer("/1"))) return std::string(*text);
  if (const auto text = string_of(error.at_pointer("/message"))) return std::string(*text);
  if (const auto text = string_of(error)) return std::string(*text);
  return simdjson::minify(error);
}

std::string json_text(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

}  // namespace

std::string Conversation::hello() const {
  return fmt::format(
      "{{\"id\":{},\"method\":\"mining.configure\",\"params\":[[\"version-rolling\",\"subscribe-"
      "extranonce\"],"
      "{{\"version-rolling.mask\":\"ffffffff\",\"version-rolling.min-bit-count\":2}}]}}\n"
      "{{\"id\":{},\"method\":\"mining.subscribe\",\"params\":[{}]}}\n"
      "{{\"id\":{},\"method\":\"mining.authorize\",\"params\":[{},{}]}}\n",
      kConfigureId, kSubscribeId, json_text(login_->agent), kAuthorizeId, json_text(login_->user),
      json_text(login_->password));
}

void Conversation::append_submit(std::string& out, std::uint64_t id, const MinerWork& work,
                                 Bytes extranonce2, std::uint32_t nonce,
                                 std::uint32_t version_bits) const {
  fmt::format_to(std::back_inserter(out), "{{\"id\":{},\"method\":\"mining.submit\",\"params\":[",
                 id);
  append_json_string(out, login_->user);
  out += ',';
  append_json_string(out, work.job.job_id);
  out += ",\"";
  append_hex(out, extranonce2);
  fmt::format_to(std::back_inserter(out), "\",\"{:08x}\",\"{:08x}\"", work.job.ntime, nonce);
  if (work.version_mask)
    fmt::format_to(std::back_inserter(out), ",\"{:08x}\"", version_bits & *work.version_mask);
  out += "]}\n";
}

Event Conversation::hear(std::string_view line, simdjson::dom::parser& parser) {
  Element root;
  if (parser.parse(line.data(), line.size()).get(root) != simdjson::SUCCESS || !root.is_object())
    return {.what = Heard::Malformed};
  if (const auto method = string_of(root["method"])) return on_request(*method, root);
  std::uint64_t id = 0;
  if (root["id"].get_uint64().get(id) != simdjson::SUCCESS) return {.what = Heard::Malformed};
  return on_reply(id, root);
}

Event Conversation::on_request(std::string_view method, const Element& root) {
  Element params;
  if (root["params"].get(params) != simdjson::SUCCESS) params = root;
  if (method == "mining.notify") return on_notify(params);
  if (method == "mining.set_difficulty") {
    Element value;
    const bool number =
        params.at_pointer("/0").get(value) == simdjson::SUCCESS && value.is_number();
    const auto wanted = number ? Difficulty::parse(simdjson::minify(value)) : std::nullopt;
    if (!wanted) return {.what = Heard::Malformed};
    difficulty_ = *wanted;
    return {};
  }
  if (method == "mining.set_version_mask") {
    const auto mask = word_of(params.at_pointer("/0"));
    if (!mask) return {.what = Heard::Malformed};
    if (version_mask_) version_mask_ = mask;
    return {};
  }
  if (method == "mining.set_extranonce") {
    Element first, second;
    const bool both = params.at_pointer("/0").get(first) == simdjson::SUCCESS &&
                      params.at_pointer("/1").get(second) == simdjson::SUCCESS;
    return {.what = both && set_extranonce(first, second) ? Heard::Nothing : Heard::Malformed};
  }
  return on_client_method(method, root, params);
}

Event Conversation::on_client_method(std::string_view method, const Element& root,
                                     const Element& params) {
  if (method == "client.reconnect") {
    Event event{.what = Heard::Reconnect};
    event.text = string_of(params.at_pointer("/0")).value_or("");
    std::uint64_t port = 0, wait = 0;
    if (params.at_pointer("/1").get(port) == simdjson::SUCCESS && port <= 65535)
      event.port = static_cast<std::uint16_t>(port);
    if (params.at_pointer("/2").get(wait) == simdjson::SUCCESS && wait <= 3600)
      event.wait_s = static_cast<std::uint32_t>(wait);
    return event;
  }
  if (method == "client.show_message")
    return {.what = Heard::Message,
            .text = std::string(string_of(params.at_pointer("/0")).value_or(""))};
  Element id;
  if (root["id"].get(id) != simdjson::SUCCESS || id.is_null()) return {};
  const std::string head = "{\"id\":" + std::string(simdjson::minify(id));
  if (method == "client.get_version")
    return {.what = Heard::Asked,
            .text = head + ",\"result\":" + json_text(login_->agent) + ",\"error\":null}\n"};
  if (method == "mining.ping")
    return {.what = Heard::Asked, .text = head + ",\"result\":\"pong\",\"error\":null}\n"};
  return {.what = Heard::Asked,
          .text = head + ",\"result\":null,\"error\":[-3,\"unknown method\",null]}\n"};
}

Event Conversation::on_reply(std::uint64_t id, const Element& root) {
  Element result, error;
  const bool has_result = root["result"].get(result) == simdjson::SUCCESS && !result.is_null();
  const bool has_error = root["error"].get(error) == simdjson::SUCCESS && !error.is_null();
  bool yes = false;
  const bool is_true =
      has_result && !has_error && result.get_bool().get(yes) == simdjson::SUCCESS && yes;
  const std::string reason = has_error ? reason_of(error) : "no reason given";
  if (id == kConfigureId) return has_result && !has_error ? on_configured(result) : Event{};
  if (id == kSubscribeId)
    return has_result && !has_error ? on_subscribed(result)
                                    : Event{.what = Heard::Refused, .text = reason};
  if (id == kAuthorizeId) {
    authorised_ = is_true;
    return is_true ? Event{.what = Heard::Authorised}
                   : Event{.what = Heard::Refused, .text = reason};
  }
  if (is_true) return {.what = Heard::Accepted, .id = id};
  return {.what = Heard::Rejected, .id = id, .text = reason};
}

Event Conversation::on_configured(const Element& result) {
  bool rolling = false;
  version_mask_.reset();
  if (result.at_key("version-rolling").get(rolling) == simdjson::SUCCESS && rolling)
    version_mask_ = word_of(result.at_key("version-rolling.mask"));
  return {};
}

Event Conversation::on_subscribed(const Element& result) {
  Element first, second;
  if (result.at_pointer("/1").get(first) != simdjson::SUCCESS ||
      result.at_pointer("/2").get(second) != simdjson::SUCCESS || !set_extranonce(first, second))
    return {.what = Heard::Malformed};
  subscribed_ = true;
  return {.what = Heard::Subscribed};
}

bool Conversation::set_extranonce(const Element& first, const Element& second) {
  ByteVec prefix;
  std::uint64_t size = 0;
  if (!read_hex(first, prefix) || second.get_uint64().get(size) != simdjson::SUCCESS || size == 0 ||
      size > kExtranonceMost || prefix.size() > kExtranonceMost)
    return false;
  extranonce1_ = std::move(prefix);
  extranonce2_size_ = size;
  return true;
}

Event Conversation::on_notify(const Element& params) {
  auto work = std::make_shared<MinerWork>();
  Notify& job = work->job;
  const auto id = string_of(params.at_pointer("/0"));
  const auto prev_text = string_of(params.at_pointer("/1"));
  const auto prev = prev_text ? parse_prevhash(*prev_text) : std::nullopt;
  const auto version = word_of(params.at_pointer("/5"));
  const auto bits = word_of(params.at_pointer("/6"));
  const auto ntime = word_of(params.at_pointer("/7"));
  if (!subscribed_ || !id || !prev || !version || !bits || !ntime ||
      !read_hex(params.at_pointer("/2"), job.coinbase1) ||
      !read_hex(params.at_pointer("/3"), job.coinbase2) ||
      !read_branch(params.at_pointer("/4"), job.branch) ||
      params.at_pointer("/8").get(job.clean) != simdjson::SUCCESS)
    return {.what = Heard::Malformed};
  job.job_id = *id;
  job.prev = *prev;
  job.version = *version;
  job.bits = CompactTarget(*bits);
  job.ntime = *ntime;
  work->extranonce1 = extranonce1_;
  work->extranonce2_size = extranonce2_size_;
  work->version_mask = version_mask_;
  work->difficulty = difficulty_;
  work->target = difficulty_.to_target();
  work_ = std::move(work);
  return {.what = Heard::NewWork};
}

}  // namespace adit::client
