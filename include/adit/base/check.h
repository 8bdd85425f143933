// SPDX-License-Identifier: MIT
// CHECK: an assertion that stays on in release. It guards against our own bugs only: what a peer,
// a file or an operator can cause is a value, never a failed CHECK.
#pragma once

namespace adit {

/// Prints the failed expression with its place to stderr and aborts. Any thread.
[[noreturn]] void check_failed(const char* expression, const char* file, int line) noexcept;

}  // namespace adit

// Public headers write ADIT_CHECK, because in a test CHECK is doctest's.
#define ADIT_CHECK(expression) \
  (static_cast<bool>(expression) ? void(0) : ::adit::check_failed(#expression, __FILE__, __LINE__))
#define UNREACHABLE() ::adit::check_failed("unreachable", __FILE__, __LINE__)
#ifndef DOCTEST_LIBRARY_INCLUDED
#define CHECK(expression) ADIT_CHECK(expression)
#endif
