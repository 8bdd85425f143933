// SPDX-License-Identifier: MIT
// The way into a thread: bounded, and what does not fit stays with its sender.
#include "adit/runtime/mailbox.h"

#include <doctest/doctest.h>

#include <string>
#include <variant>

using namespace adit;

using Letter = std::variant<int, std::string, std::vector<int>>;

TEST_CASE("one wake-up for all that waits") {
  int woken = 0;
  Mailbox<Letter> box(10, [&] { ++woken; });
  CHECK(box.post(1));
  CHECK(box.post(std::string("two")));
  CHECK(woken == 1);
  std::vector<Letter> got;
  box.drain(got);
  REQUIRE(got.size() == 2);
  CHECK(std::get<std::string>(got[1]) == "two");
  CHECK(box.post(3));
  CHECK(woken == 2);
}

TEST_CASE("a full box takes nothing, not even what a message was made of") {
  Mailbox<Letter> box(1, [] {});
  CHECK(box.post(1));
  std::vector<int> shares{1, 2, 3};
  CHECK_FALSE(box.post(std::move(shares)));
  CHECK(shares.size() == 3);
  Letter letter = std::string("kept");
  CHECK_FALSE(box.post(std::move(letter)));
  CHECK(std::get<std::string>(letter) == "kept");
  std::vector<Letter> got;
  box.drain(got);
  CHECK(box.post(std::move(shares)));
  box.drain(got);
  CHECK(std::get<std::vector<int>>(got[0]).size() == 3);
}
