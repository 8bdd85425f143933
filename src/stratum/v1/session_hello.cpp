// SPDX-License-Identifier: MIT
// MinerSession: configure (BIP310), subscribe, authorize. They may come in any order and in one
// packet.
#include <algorithm>
#include <bit>

#include "stratum/names.h"
#include "stratum/v1/session.h"
#include "stratum/v1/wishes.h"

namespace adit::v1 {

namespace {

namespace dom = simdjson::dom;

constexpr std::size_t kExtensions = 16;
constexpr std::size_t kExtensionName = 64;
constexpr std::size_t kAgentMax = 64;
constexpr std::string_view kRolling = "version-rolling", kRollingMask = "version-rolling.mask";

/// The parameter at `index` if it is a string.
std::optional<std::string_view> string_at(const Request& request, std::size_t index) {
  std::string_view text;
  if (request.params_kind != ParamsKind::Array ||
      request.params.at(index).get_string().get(text) != simdjson::SUCCESS)
    return std::nullopt;
  return text;
}

std::optional<dom::element> option(const dom::element* options, std::string_view key) {
  dom::element value;
  if (options == nullptr || options->at_key(key).get(value) != simdjson::SUCCESS)
    return std::nullopt;
  return value;
}

std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, kAgentMax))
    if (c >= ' ' && c <= '~') out += c;
  return out;
}

/// Of whatever size the pool gives out, now or before a reload.
std::optional<ExtranoncePrefix> prefix_from_hex(std::string_view text) {
  ExtranoncePrefix prefix;
  if (text.size() > 2 * prefix.bytes.size()) return std::nullopt;
  prefix.size = static_cast<std::uint8_t>(text.size() / 2);
  if (!from_hex(text, MutableBytes(prefix.bytes).first(prefix.size))) return std::nullopt;
  return prefix;
}

bool has_name(const dom::array& names, std::string_view wanted) {
  for (const dom::element name : names) {
    std::string_view text;
    if (name.get_string().get(text) == simdjson::SUCCESS && text == wanted) return true;
  }
  return false;
}

void append_member(std::string& object, std::string_view key, std::string_view value) {
  object += object.size() == 1 ? "\"" : ",\"";
  object += key;
  object += "\":";
  object += value;
}

}  // namespace

void MinerSession::configure_rolling(const dom::element* options, std::string& result) {
  const std::uint32_t ours = policy_.version_mask;
  std::uint32_t mask = ours;
  if (const auto wanted = option(options, kRollingMask)) {
    std::string_view text;
    std::optional<std::uint32_t> value;
    if (wanted->get_string().get(text) == simdjson::SUCCESS) value = hex_u32(text);
    if (!value) {
      set_version_mask(0);
      return append_member(result, kRolling, "\"invalid mask\"");
    }
    mask &= *value;
  }
  std::uint64_t least_bits = 0;
  if (const auto wanted = option(options, "version-rolling.min-bit-count"))
    if (wanted->get_uint64().get(least_bits) != simdjson::SUCCESS) least_bits = 0;
  const bool agreed = ours != 0 && static_cast<std::uint64_t>(std::popcount(mask)) >= least_bits;
  set_version_mask(agreed ? mask : 0);
  if (!agreed) return append_member(result, kRolling, "false");
  std::uint8_t bytes[4];
  store_be32(bytes, mask);
  append_member(result, kRolling, "true");
  append_member(result, kRollingMask, "\"" + to_hex(bytes) + "\"");
}

/// The latest answer counts: one that refuses ends what was agreed before.
void MinerSession::set_version_mask(std::uint32_t mask) {
  version_mask_ = mask;
  if (channel_) channel_->set_version_mask(mask);
}

bool MinerSession::configure_minimum(const dom::element* options, Instant now) {
  const auto value = option(options, "minimum-difficulty.value");
  if (!value || !value->is_number()) return false;
  const auto wish = difficulty_wish(*value);
  if (!wish) return false;
  if (minimum_ == wish) return true;
  if (!may_wish(now)) return false;
  minimum_ = wish;
  if (channel_) channel_->vardiff().set_floor(*wish);
  return true;
}

/// Answers only what was asked for, because proxies trip over more.
void MinerSession::on_configure(const Request& request, Instant now) {
  dom::array extensions;
  if (request.params_kind != ParamsKind::Array ||
      request.params.at(0).get_array().get(extensions) != simdjson::SUCCESS)
    return refuse(request, {Code::Other, "params", 5}, now);
  dom::element second;
  const bool has_options =
      request.params.at(1).get(second) == simdjson::SUCCESS && second.is_object();
  const dom::element* options = has_options ? &second : nullptr;
  std::string result = "{";
  const bool rolls = has_name(extensions, kRolling);
  bool follows = false;
  std::size_t count = 0;
  for (const dom::element element : extensions) {
    std::string_view name;
    if (element.get_string().get(name) != simdjson::SUCCESS || name.size() > kExtensionName)
      continue;
    if (result.find('"' + std::string(name) + "\":") != result.npos) continue;  // named twice
    // No extension, but a member of another one's answer, which may be still to come.
    if (rolls && name == kRollingMask) continue;
    if (++count > kExtensions) return refuse(request, {Code::Other, "too many extensions", 5}, now);
    if (name == kRolling) {
      configure_rolling(options, result);
    } else if (name == "minimum-difficulty") {
      append_member(result, name, configure_minimum(options, now) ? "true" : "false");
    } else if (name == "subscribe-extranonce" || name == "info") {
      append_member(result, name, "true");
      follows = follows || name == "subscribe-extranonce";
    } else if (printable(name) == name && name.find_first_of("\"\\") == name.npos) {
      append_member(result, name, "false");
    }
  }
  result += '}';
  reply_result(request, result);
  if (follows) follow_extranonce();
}

std::optional<ExtranoncePrefix> MinerSession::new_prefix() const {
  return context_.prefixes->allocate(
      static_cast<std::uint8_t>(kExtranonceSize - context_.extranonce2_size));
}

/// The operator's rule for this firmware, else the port's. A port may have one size for everybody;
/// who works badly with that is told before there is any work.
bool MinerSession::choose_size(const Request& request, Instant now) {
  coinbase_weight_ = policy_.coinbase_weight;
  const auto by_agent = size_by_agent(context_.sizes, agent_);
  if (!by_agent) return true;
  if (policy_.small_coinbases) {
    coinbase_weight_ = *by_agent;
    return true;
  }
  if (*by_agent >= policy_.coinbase_weight) return true;
  const std::string text = "this port's coinbases have " + std::to_string(policy_.coinbase_weight) +
                           " weight units of outputs, this firmware is to get at most " +
                           std::to_string(*by_agent) + ": use another port of this pool";
  refuse(request, {Code::Other, text, 0}, now);
  close("its firmware wants a smaller coinbase than this port's", true);
  return false;
}

bool MinerSession::open_channel(Instant now) {
  const auto prefix = new_prefix();
  if (!prefix) return false;
  // Threads count from the same number on, so theirs are spread too.
  issue_salt_ =
      static_cast<std::uint16_t>((prefix->counter() + prefix->bytes[1] * 0x1f3bu) * 0x9e37u);
  const auto by_agent = start_by_agent(context_.agents, agent_);
  channel_.emplace(policy_, *prefix, by_agent.value_or(policy_.vardiff.start), now,
                   by_agent.has_value());
  channel_->set_version_mask(version_mask_);
  return true;
}

/// Once what was asked until here is answered.
void MinerSession::follow_extranonce() {
  follows_ = true;
  if (!move_held_for_) move_held_for_ = replies_.waiting();
}

/// The operator changed extranonce2_size: who asked to hear of it gets an extranonce1 that leaves
/// him as much. True if so: it counts from the next job on.
bool MinerSession::move_extranonce() {
  const ExtranoncePrefix old = channel_->prefix();
  if (!follows_ || old.size == kExtranonceSize - context_.extranonce2_size) return false;
  const auto prefix = new_prefix();
  if (!prefix) return false;
  const JobPtr& newest = channel_->newest_job();
  context_.v1->resume.remember(old, channel_->vardiff().current());
  context_.prefixes->release(old, newest ? newest->tip : TipNumber{});
  channel_->move_to(*prefix);
  std::string& line = context_.v1->reply;
  line.clear();
  append_set_extranonce(line, prefix->view(), context_.extranonce2_size);
  outbox_.append(line);
  return true;
}

/// The job is clean, as some firmware builds old ones with the new extranonce1; what it found for
/// them before is good all the same.
void MinerSession::refresh_extranonce(Instant now) {
  if (closed_ || !started_) return;
  if (move_held_for_.value_or(0) > 0) return;
  move_held_for_.reset();
  if (move_extranonce()) issue_again(true, now);
}

/// A session id is our extranonce1 in hex. Naming an earlier one brings its difficulty back and
/// nothing else; any other text means a new session (WhatsMiner sends nine hex digits of its own).
void MinerSession::on_subscribe(const Request& request, Instant now) {
  if (request.params_kind == ParamsKind::Other)
    return refuse(request, {Code::Other, "params", 5}, now);
  if (!channel_) {
    agent_ = printable(string_at(request, 0).value_or(""));
    agent_.shrink_to_fit();
    if (!choose_size(request, now)) return;
    if (!open_channel(now)) {
      refuse(request, {Code::Other, "pool is full", 0}, now);
      return close("no extranonce left", true);
    }
    if (const auto earlier = prefix_from_hex(string_at(request, 1).value_or("")))
      resumed_ = context_.v1->resume.find(*earlier);
  }
  const std::string extranonce1 = to_hex(channel_->prefix().view());
  const std::string result = "[[[\"mining.set_difficulty\",\"" + extranonce1 +
                             "\"],[\"mining.notify\",\"" + extranonce1 + "\"]],\"" + extranonce1 +
                             "\"," + std::to_string(kExtranonceSize - channel_->prefix().size) +
                             "]";
  reply_result(request, result);
  if (!workers_.empty() && !started_) begin_difficulty(PasswordWishes{}, now);
}

/// Until there is a worker the last of a few wishes counts; from then on one change in ten seconds,
/// however it is said.
bool MinerSession::may_wish(Instant now) {
  if (!ready()) return true;
  if (wished_ && now < *wished_ + kWishEvery) return false;
  wished_ = now;
  return true;
}

/// What is wished beyond what is granted already.
PasswordWishes MinerSession::new_wishes(PasswordWishes wishes) const {
  if (wishes.minimum == minimum_) wishes.minimum.reset();
  if (fixed_ || wishes.start == wish_) wishes.start.reset();
  if (fixed_ && wishes.fixed == wish_) wishes.fixed.reset();
  return wishes;
}

/// Who rules: the operator's bounds, then fd=, then the latest of d= and suggestions, then what is
/// remembered of the session or worker, then the operator's start for this agent, for this port,
/// for all.
void MinerSession::begin_difficulty(const PasswordWishes& wishes, Instant now) {
  if (wishes.minimum) minimum_ = wishes.minimum;
  if (wishes.fixed) {
    wish_ = wishes.fixed;
    fixed_ = true;
  } else if (wishes.start && !fixed_) {
    wish_ = wishes.start;
  }
  if (!channel_) return;
  if (!ready_since_) ready_since_ = now;
  Vardiff& vardiff = channel_->vardiff();
  if (minimum_) vardiff.set_floor(*minimum_);
  if (fixed_ && (wishes.fixed || !started_)) return vardiff.fix(*wish_, now);
  if (fixed_ || (started_ && !wishes.start)) return;
  if (wish_) return vardiff.suggest(*wish_, now);
  if (resumed_) return vardiff.suggest(*resumed_, now);
  const WorkerEntry& worker = context_.workers->at(workers_[0]);
  if (worker.last_rate > 0)
    vardiff.suggest(difficulty_for_rate(policy_.vardiff, worker.last_rate), now);
}

void MinerSession::on_authorize(const Request& request, Instant now) {
  const auto text = string_at(request, 0);
  if (!text) return refuse(request, {Code::Unauthorised, "no user name", 5}, now, "false");
  auto name =
      parse_worker_name(name_before_wish(*text), context_.network, context_.default_account);
  if (!name) {
    // Mixed case is a slip of the hand; the rest is somebody trying names.
    const bool slip = name.error().text.find("mixed case") != std::string::npos;
    return refuse(request, {Code::Unauthorised, name.error().text, slip ? 2u : 5u}, now, "false");
  }
  const auto is_this = [&](WorkerIndex index) {
    const WorkerEntry& worker = context_.workers->at(index);
    return worker.account == name->account && worker.name == name->worker;
  };
  const bool is_first = workers_.empty();
  if (std::ranges::none_of(workers_, is_this)) {
    if (context_.own_jobs != nullptr && !workers_.empty() &&
        context_.workers->at(workers_[0]).account != name->account)
      return refuse(request, {Code::Unauthorised, "this connection mines for another address", 1},
                    now, "false");
    if (workers_.size() == kWorkersMax)
      return refuse(request, {Code::Other, "too many workers", 5}, now, "false");
    workers_.push_back(context_.workers->acquire(name->account, name->worker, now));
  }
  reply_result(request, "true");
  PasswordWishes wishes = parse_password(string_at(request, 1).value_or(""));
  if (!wishes.start) wishes.start = wish_in_name(*text);
  wishes = new_wishes(wishes);
  // Those of the first worker are where the work begins, and no change.
  if (!is_first && wishes.any() && !may_wish(now)) wishes = {};
  begin_difficulty(wishes, now);
}

}  // namespace adit::v1
