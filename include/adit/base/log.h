// SPDX-License-Identifier: MIT
// The only door to spdlog. Lines go to stderr, one event a line; nothing is logged per share.
// Any thread; non-blocking once started (overruns are dropped and counted).
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace adit {

enum class LogLevel { Debug, Info, Warn, Error };

struct LogOptions {
  LogLevel level = LogLevel::Info;
  bool json = false;  ///< one JSON object a line, for machines
};

/// Call once, before threads start. Lines before it are lost. May be called again after log_stop.
void log_start(const LogOptions& options);
/// Flushes and stops; later lines are lost.
void log_stop();
bool log_enabled(LogLevel level);
void log_write(LogLevel level, std::string_view room, std::string_view text);

/// Text from strangers, made harmless: printable ASCII only, others and the backslash as \xNN, cut
/// to `max` bytes of output.
std::string log_escape(std::string_view text, std::size_t max = 64);

template <class... Args>
void log_debug(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::Debug))
    log_write(LogLevel::Debug, room, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_info(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::Info))
    log_write(LogLevel::Info, room, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_warn(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::Warn))
    log_write(LogLevel::Warn, room, fmt::format(format, std::forward<Args>(args)...));
}
template <class... Args>
void log_error(std::string_view room, fmt::format_string<Args...> format, Args&&... args) {
  if (log_enabled(LogLevel::Error))
    log_write(LogLevel::Error, room, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace adit
