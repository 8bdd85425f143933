// SPDX-License-Identifier: MIT
// Result, Status, Strong, and what a failed CHECK does.
#include "adit/base/result.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdint>
#include <memory>
#include <type_traits>

#include "adit/base/json.h"
#include "adit/base/strong.h"

using namespace adit;

namespace {

template <class Body>
bool aborts(Body body) {
  const pid_t child = fork();
  if (child == 0) {
    std::signal(SIGABRT, SIG_DFL);  // doctest's handler would report a crash of the test
    close(STDERR_FILENO);
    body();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace

TEST_CASE("Result: value, error, move-only") {
  Result<std::unique_ptr<int>> good(std::make_unique<int>(7));
  REQUIRE(good.ok());
  const std::unique_ptr<int> taken = *std::move(good);
  CHECK(*taken == 7);
  const Result<int> bad = Error{ErrorCode::Io, "disk"};
  CHECK_FALSE(bad.ok());
  CHECK(bad.error().code == ErrorCode::Io);
  CHECK(bad.error().text == "disk");
  CHECK(Status{}.ok());
  CHECK(Status(Error{ErrorCode::Limit, "full"}).error().text == "full");
}

TEST_CASE("CHECK: misuse aborts, in every build") {
  CHECK(aborts([] { check_failed("x", "f", 1); }));
  CHECK(aborts([] { Result<int>(Error{}).value(); }));
  CHECK(aborts([] { (void)Result<int>(1).error(); }));
  CHECK_FALSE(aborts([] { (void)Result<int>(1).value(); }));
}

TEST_CASE("JsonWriter: misuse aborts") {
  CHECK(aborts([] { JsonWriter().begin_object().number(1); }));
  CHECK(aborts([] { JsonWriter().begin_array().key("k"); }));
  CHECK(aborts([] { JsonWriter().begin_array().end_object(); }));
  CHECK(aborts([] { JsonWriter().number(1).number(2); }));
  CHECK(aborts([] { JsonWriter().begin_object().key("k").end_object(); }));
  CHECK(aborts([] { (void)JsonWriter().begin_array().text(); }));
  CHECK(aborts([] { JsonWriter().raw(""); }));
}

TEST_CASE("Strong: roles do not mix") {
  using JobId = Strong<std::uint32_t, struct JobTag>;
  using OtherId = Strong<std::uint32_t, struct OtherTag>;
  static_assert(!std::is_convertible_v<JobId, OtherId>);
  static_assert(!std::is_convertible_v<std::uint32_t, JobId>);
  CHECK(JobId(1) < JobId(2));
  CHECK(std::hash<JobId>{}(JobId(9)) == std::hash<std::uint32_t>{}(9));
}
