// SPDX-License-Identifier: MIT
// spdlog's asynchronous logger behind our four functions. The logger object outlives log_stop, so
// that a thread that logs late finds a live object that drops its line.
#include "adit/base/log.h"

#include <spdlog/async.h>
#include <spdlog/async_logger.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <future>
#include <memory>
#include <thread>

#include "adit/base/check.h"
#include "adit/base/json.h"

namespace adit {
namespace {

constexpr std::size_t kQueueLines = 8192;
constexpr std::chrono::seconds kStopPatience{1};
constexpr int kOff = 1 + static_cast<int>(LogLevel::Error);
constexpr char kTextPattern[] = "%Y-%m-%dT%H:%M:%S.%eZ %-7l %v";
constexpr char kJsonPattern[] = R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";

struct LogState {
  std::atomic<int> level{kOff};
  bool json = false;
  std::shared_ptr<spdlog::details::thread_pool> pool;
  std::shared_ptr<spdlog::async_logger> logger;
};

LogState& state() {
  // Never destroyed: threads may log while the process leaves main.
  static auto* const the_state = new LogState;
  return *the_state;
}

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::Debug:
      return spdlog::level::debug;
    case LogLevel::Info:
      return spdlog::level::info;
    case LogLevel::Warn:
      return spdlog::level::warn;
    case LogLevel::Error:
      return spdlog::level::err;
  }
  UNREACHABLE();
}

void append_escaped_byte(std::string& out, unsigned char byte) {
  constexpr char kDigits[] = "0123456789abcdef";
  out += "\\x";
  out += kDigits[byte >> 4];
  out += kDigits[byte & 15];
}

std::string json_body(std::string_view room, std::string_view text) {
  std::string body = R"("room":)";
  append_json_string(body, room);
  body += R"(,"text":)";
  append_json_string(body, text);
  return body;
}

/// One event is one line, whatever its text holds.
std::string text_body(std::string_view room, std::string_view text) {
  std::string body(room);
  body += ": ";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7f) {
      append_escaped_byte(body, byte);
    } else {
      body += c;
    }
  }
  return body;
}

}  // namespace

void log_start(const LogOptions& options) {
  LogState& s = state();
  CHECK(s.level == kOff);
  s.json = options.json;
  s.pool = std::make_shared<spdlog::details::thread_pool>(kQueueLines, 1);
  s.logger = std::make_shared<spdlog::async_logger>(
      "adit", std::make_shared<spdlog::sinks::stderr_sink_mt>(), s.pool,
      spdlog::async_overflow_policy::overrun_oldest);
  s.logger->set_pattern(options.json ? kJsonPattern : kTextPattern, spdlog::pattern_time_type::utc);
  s.logger->set_level(spdlog::level::trace);
  s.logger->set_error_handler([](const std::string&) {});  // a late line after log_stop
  s.level = static_cast<int>(options.level);
}

void log_stop() {
  LogState& s = state();
  if (s.level.exchange(kOff) == kOff) return;
  const std::size_t dropped = s.pool->overrun_counter();
  // Its destructor writes what is queued, then joins. Where nobody reads our stderr that never
  // ends, and a process that should end must not stay for its log.
  std::promise<void> written;
  const std::future<void> done = written.get_future();
  std::thread([pool = std::move(s.pool), written = std::move(written)]() mutable {
    pool.reset();
    written.set_value();
  }).detach();
  if (done.wait_for(kStopPatience) == std::future_status::timeout) return;
  if (dropped != 0) std::fprintf(stderr, "adit: %zu log lines were dropped\n", dropped);
}

bool log_enabled(LogLevel level) {
  return static_cast<int>(level) >= state().level.load(std::memory_order_relaxed);
}

void log_write(LogLevel level, std::string_view room, std::string_view text) {
  if (!log_enabled(level)) return;
  LogState& s = state();
  const std::string body = s.json ? json_body(room, text) : text_body(room, text);
  s.logger->log(to_spdlog(level), spdlog::string_view_t(body.data(), body.size()));
}

std::string log_escape(std::string_view text, std::size_t max) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte >= 0x20 && byte < 0x7f && c != '\\';
    if (out.size() + (plain ? 1 : 4) > max) break;
    if (plain) {
      out += c;
    } else {
      append_escaped_byte(out, byte);
    }
  }
  return out;
}

}  // namespace adit
