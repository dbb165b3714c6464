#pragma once

#include "runtime/base/error.hpp"

#include <cassert>
#include <concepts>
#include <optional>
#include <utility>
#include <variant>

namespace shoal {

/// A value, or the error that took its place. For everything that can fail because of input or the
/// world; our own mistakes are asserts.
template <class T>
class [[nodiscard]] result {
 public:
  using value_type = T;

  result(T value) : state_(std::in_place_index<0>, std::move(value)) {}
  /// From what converts to `T`, as a pointer to a derived class does.
  template <class U>
  requires(std::convertible_to<U&&, T> && !std::convertible_to<U&&, shoal::error>) result(U&& value)
      : state_(std::in_place_index<0>, std::forward<U>(value)) {}
  result(shoal::error failure) : state_(std::in_place_index<1>, std::move(failure)) {}

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }

  T& operator*() & {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  const T& operator*() const& {
    assert(has_value());
    return *std::get_if<0>(&state_);
  }
  T&& operator*() && {
    assert(has_value());
    return std::move(*std::get_if<0>(&state_));
  }
  T* operator->() { return &**this; }
  const T* operator->() const { return &**this; }

  const shoal::error& error() const& {
    assert(!has_value());
    return *std::get_if<1>(&state_);
  }
  shoal::error&& error() && {
    assert(!has_value());
    return std::move(*std::get_if<1>(&state_));
  }

 private:
  std::variant<T, shoal::error> state_;
};

/// Success, or an error.
template <>
class [[nodiscard]] result<void> {
 public:
  using value_type = void;

  result() = default;
  result(shoal::error failure) : failure_(std::move(failure)) {}

  bool has_value() const { return !failure_; }
  explicit operator bool() const { return has_value(); }
  const shoal::error& error() const& { return *failure_; }
  shoal::error&& error() && { return std::move(*failure_); }

 private:
  std::optional<shoal::error> failure_;
};

} // namespace shoal

#define SHOAL_CONCAT_INNER(a, b) a##b
#define SHOAL_CONCAT(a, b) SHOAL_CONCAT_INNER(a, b)

/// `SHOAL_TRY(auto x, f());` declares or assigns `x` with the value of `f()`, or returns its error.
#define SHOAL_TRY(target, ...)                                                                     \
  auto SHOAL_CONCAT(shoal_try_, __LINE__) = (__VA_ARGS__);                                         \
  if (!SHOAL_CONCAT(shoal_try_, __LINE__))                                                         \
    return std::move(SHOAL_CONCAT(shoal_try_, __LINE__)).error();                                  \
  target = *std::move(SHOAL_CONCAT(shoal_try_, __LINE__))

/// `SHOAL_CHECK(f());` returns the error of `f()`, if it has one, and drops its value.
#define SHOAL_CHECK(...)                                                                           \
  do {                                                                                             \
    if (auto shoal_check_ = (__VA_ARGS__); !shoal_check_) return std::move(shoal_check_).error();  \
  } while (false)
