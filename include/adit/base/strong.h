// SPDX-License-Identifier: MIT
// Strong<T, Tag>: a number with a role. A job id and a session id do not compile as each other.
#pragma once

#include <compare>
#include <cstddef>
#include <functional>

namespace adit {

template <class T, class Tag>
class Strong {
 public:
  using value_type = T;
  constexpr Strong() = default;
  constexpr explicit Strong(T value) : value_(value) {}
  constexpr T value() const { return value_; }
  constexpr auto operator<=>(const Strong&) const = default;

 private:
  T value_{};
};

}  // namespace adit

template <class T, class Tag>
struct std::hash<adit::Strong<T, Tag>> {
  std::size_t operator()(const adit::Strong<T, Tag>& s) const noexcept {
    return std::hash<T>{}(s.value());
  }
};
