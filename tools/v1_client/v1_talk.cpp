// SPDX-License-Identifier: MIT
// Lines to events: see v1_talk.h.
#include "v1_client/v1_talk.h"

#include <charconv>

namespace adit::client {

namespace {

/// The usual answer to a share: {"id":N,"result":true...
std::optional<std::uint64_t> plain_yes(std::string_view line) {
  constexpr std::string_view kHead = "{\"id\":", kTail = ",\"result\":true,\"error\":null}";
  if (!line.starts_with(kHead)) return std::nullopt;
  std::uint64_t id = 0;
  const char* end = line.data() + line.size();
  const auto number = std::from_chars(line.data() + kHead.size(), end, id);
  if (std::string_view(number.ptr, static_cast<std::size_t>(end - number.ptr)) != kTail)
    return std::nullopt;
  return id;
}

/// Reading the whole line would cost more than receiving it.
bool is_clean_notify(std::string_view line) {
  if (line.find("\"mining.notify\"") == line.npos) return false;
  line = line.substr(0, line.find_last_of(']'));
  return line.substr(0, line.find_last_not_of(' ') + 1).ends_with("true");
}

}  // namespace

std::optional<Event> V1Talk::hear(Bytes& wire, UnixSeconds, std::string& out) {
  if (!wire.empty()) lines_.feed(text_of(wire));
  wire = {};
  while (const auto line = lines_.next())
    if (!line->empty()) return on_line(*line, out);
  if (lines_.overflowed()) {
    lines_.clear();
    return Event{.what = Heard::Broken, .text = "a line without end"};
  }
  return std::nullopt;
}

Event V1Talk::on_line(std::string_view line, std::string& out) {
  if (dozing()) return {.what = is_clean_notify(line) ? Heard::NewTip : Heard::Nothing};
  if (talk_.authorised())
    if (const auto id = plain_yes(line)) return {.what = Heard::Accepted, .id = *id};
  Event event = talk_.hear(line, parser_);
  if (event.what == Heard::Malformed) event.text = line;
  if (event.what != Heard::Asked) return event;
  out += event.text;
  return {};
}

std::uint64_t V1Talk::append_submit(std::string& out, const MinerWork& work, Bytes extranonce2,
                                    std::uint32_t nonce, std::uint32_t version_bits) {
  talk_.append_submit(out, next_id_, work, extranonce2, nonce, version_bits);
  return next_id_++;
}

}  // namespace adit::client
