// SPDX-License-Identifier: MIT
// What reaches stderr: one event a line, levels, JSON, and nothing outside start and stop.
#include "adit/base/log.h"

#include <doctest/doctest.h>
#include <simdjson.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <functional>
#include <thread>
#include <vector>

using namespace adit;

namespace {

/// Runs `body` between log_start and log_stop and returns what stderr got.
std::string captured(const LogOptions& options, const std::function<void()>& body) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  const int saved = dup(STDERR_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  log_start(options);
  body();
  log_stop();
  dup2(saved, STDERR_FILENO);
  close(saved);
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

std::size_t lines(const std::string& text) {
  std::size_t count = 0;
  for (const char c : text) count += c == '\n';
  return count;
}

}  // namespace

TEST_CASE("log: text lines carry ISO time, level and room, and stay one line") {
  const std::string text = captured({}, [] {
    log_debug("base", "hidden {}", 1);
    log_info("base", "shown {} {}", 2, "%v{}");
    log_error("uv", "two\nlines\x1b[2J");
  });
  CHECK(lines(text) == 2);
  CHECK(text.find("hidden") == std::string::npos);
  CHECK(text.find("Z info    base: shown 2 %v{}\n") == 23);
  CHECK(text[4] == '-');
  CHECK(text[10] == 'T');
  CHECK(text.find("error   uv: two\\x0alines\\x1b[2J\n") != std::string::npos);
}

TEST_CASE("log: where nobody reads stderr, a process ends all the same") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    log_start({});
    for (int i = 0; i < 5'000; ++i) log_info("base", "{}", std::string(100, 'x'));  // 64 KiB fit
    log_stop();
    _exit(7);
  }
  int status = -1;
  for (int i = 0; i < 500 && waitpid(child, &status, WNOHANG) == 0; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  const bool ended = WIFEXITED(status) && WEXITSTATUS(status) == 7;
  CHECK(ended);
  if (!ended) kill(child, SIGKILL), waitpid(child, &status, 0);
  close(ends[0]);
  close(ends[1]);
}

TEST_CASE("log: json lines are JSON") {
  const std::string text = captured({.level = LogLevel::Debug, .json = true}, [] {
    log_debug("node", "a \"quoted\" \n {}", "\xff");
    log_warn("node", "second");
  });
  REQUIRE(lines(text) == 2);
  simdjson::dom::parser parser;
  simdjson::dom::element line;
  REQUIRE(parser.parse(text.substr(0, text.find('\n'))).get(line) == simdjson::SUCCESS);
  CHECK(std::string_view(line["level"]) == "debug");
  CHECK(std::string_view(line["room"]) == "node");
  CHECK(std::string_view(line["text"]) == "a \"quoted\" \n \xEF\xBF\xBD");
  CHECK(std::string_view(line["time"]).size() == 24);
}

TEST_CASE("log: outside start and stop nothing is written or enabled") {
  CHECK_FALSE(log_enabled(LogLevel::Error));
  log_error("base", "lost");
  const std::string text = captured({.level = LogLevel::Warn}, [] {
    CHECK_FALSE(log_enabled(LogLevel::Info));
    CHECK(log_enabled(LogLevel::Warn));
  });
  CHECK(text.empty());
  CHECK_FALSE(log_enabled(LogLevel::Error));
  log_stop();
}

TEST_CASE("log: threads write whole lines and lose none within the queue") {
  const std::string text = captured({}, [] {
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([t] {
        for (int i = 0; i < 1000; ++i) log_info("flood", "{}:{}", t, i);
      });
    }
    for (auto& thread : threads) thread.join();
  });
  CHECK(lines(text) == 4000);
}

TEST_CASE("log_escape: printable ASCII stays, the rest is spelled out, never above max") {
  CHECK(log_escape("plain text~") == "plain text~");
  CHECK(log_escape(std::string_view("a\0\n\x7f\xff\\", 6)) == "a\\x00\\x0a\\x7f\\xff\\x5c");
  CHECK(log_escape(std::string(100, 'a')).size() == 64);
  CHECK(log_escape("abcdef", 3) == "abc");
  CHECK(log_escape("ab\n", 5) == "ab");
  CHECK(log_escape("ab\n", 6) == "ab\\x0a");
  CHECK(log_escape("x", 0).empty());
}
