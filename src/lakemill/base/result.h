#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "lakemill/base/check.h"

namespace lakemill {

/// What the caller can do about it. A code exists only if some caller branches on it.
enum class ErrorCode : std::uint8_t {
  invalid,      ///< the request or config is wrong; fix it, do not retry
  not_found,    ///< the named object, table or version is absent
  exists,       ///< put-if-absent lost: somebody else wrote it first
  denied,       ///< credentials missing, expired or too weak
  unavailable,  ///< the peer refused or was busy; nothing happened; retry
  unknown,      ///< the peer may or may not have acted (timeout after send)
  corrupt,      ///< bytes on disk break the format; stop and report
  unsupported,  ///< a valid feature that lakemill does not implement
  cancelled,    ///< a stop was requested
};

/// One failure: a code to branch on, and a sentence that a person can act on.
class [[nodiscard]] Error {
 public:
  Error(ErrorCode code, std::string message)
      : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }
  bool retryable() const { return code_ == ErrorCode::unavailable; }

  /// Adds what the caller was doing: "read version 7: object not found: ...".
  Error while_doing(std::string_view activity) && {
    message_.insert(0, ": ").insert(0, activity);
    return std::move(*this);
  }

 private:
  ErrorCode code_;
  std::string message_;
};

/// Either a `T` or an `Error`. Dropping one on the floor does not compile (-Werror).
/// Member names follow std::expected, so that C++23 can replace it later.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT
  Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& value() & {
    LAKEMILL_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& value() const& {
    LAKEMILL_CHECK(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& value() && {
    LAKEMILL_CHECK(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  const Error& error() const& {
    LAKEMILL_CHECK(!has_value());
    return *std::get_if<1>(&state_);
  }
  Error&& error() && {
    LAKEMILL_CHECK(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }

 private:
  std::variant<T, Error> state_;
};

/// Success, or an `Error`.
template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : error_(std::move(error)) {}  // NOLINT

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const Error& error() const& {
    LAKEMILL_CHECK(error_.has_value());
    return *error_;
  }
  Error&& error() && {
    LAKEMILL_CHECK(error_.has_value());
    return std::move(*error_);
  }

 private:
  std::optional<Error> error_;
};

using Status = Result<void>;

}  // namespace lakemill

#define LAKEMILL_JOIN_IMPL(a, b) a##b
#define LAKEMILL_JOIN(a, b) LAKEMILL_JOIN_IMPL(a, b)

/// `LAKEMILL_TRY(auto bytes, store.get(url));` binds the value, or returns the error.
#define LAKEMILL_TRY(binding, expression) \
  LAKEMILL_TRY_IMPL(LAKEMILL_JOIN(lakemill_result_, __COUNTER__), binding, expression)
#define LAKEMILL_TRY_IMPL(result, binding, expression) \
  auto result = (expression);                          \
  if (!result) [[unlikely]] {                          \
    return std::move(result).error();                  \
  }                                                    \
  binding = std::move(result).value()

/// `LAKEMILL_TRY_OK(store.remove(url));` goes on, or returns the error.
#define LAKEMILL_TRY_OK(expression)                                           \
  do {                                                                        \
    if (auto lakemill_status = (expression); !lakemill_status) [[unlikely]] { \
      return std::move(lakemill_status).error();                              \
    }                                                                         \
  } while (false)
