// SPDX-License-Identifier: MIT
// Result<T>: a value, or an Error whose text an operator can act on. For operations that may fail;
// expected outcomes of the domain (a rejected share) have enums of their own.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "adit/base/check.h"

namespace adit {

enum class ErrorCode : unsigned char {
  Invalid,      ///< input breaks its rules
  NotFound,     ///< a named thing does not exist
  Unavailable,  ///< a peer or node did not answer; trying again may help
  Refused,      ///< a peer answered no
  Io,           ///< disk or socket
  Corrupt,      ///< stored bytes are not what was written
  Conflict,     ///< somebody else holds it (lock, port, second instance)
  Limit,        ///< a stated bound was reached
};

struct Error {
  ErrorCode code = ErrorCode::Invalid;
  std::string text;
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}
  explicit operator bool() const { return state_.index() == 0; }
  bool ok() const { return state_.index() == 0; }
  T& value() & {
    ADIT_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    ADIT_CHECK(ok());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    ADIT_CHECK(ok());
    return std::move(*std::get_if<0>(&state_));
  }
  const Error& error() const {
    ADIT_CHECK(!ok());
    return *std::get_if<1>(&state_);
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

 private:
  std::variant<T, Error> state_;
};

/// An operation without a value: `return Status{}` is success.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Error error) : error_(std::move(error)) {}
  explicit operator bool() const { return !error_; }
  bool ok() const { return !error_; }
  const Error& error() const {
    ADIT_CHECK(error_.has_value());
    return *error_;
  }

 private:
  std::optional<Error> error_;
};

}  // namespace adit
