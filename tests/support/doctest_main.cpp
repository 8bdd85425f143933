// SPDX-License-Identifier: MIT
// The one main() of every unit test executable. Like `adit` it takes a closed peer for an error,
// not for its own end.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include <csignal>

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  return doctest::Context(argc, argv).run();
}
