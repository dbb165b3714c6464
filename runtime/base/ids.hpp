#pragma once

#include "runtime/base/bytes.hpp"

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace shoal {

/// 128 random bits that name one life of a node process: a node that restarts is another node.
struct incarnation {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  /// From the operating system's random source. Simulations pass their own.
  static incarnation random();
  friend auto operator<=>(const incarnation&, const incarnation&) = default;
};

/// 32 lower-case hex digits.
std::string to_string(const incarnation& id);

/// The SHA-256 of some content, its name in the store.
struct digest {
  std::array<std::uint8_t, 32> bytes{};

  friend auto operator<=>(const digest&, const digest&) = default;
};

/// 64 lower-case hex digits.
std::string to_string(const digest& name);

} // namespace shoal

template <>
struct std::hash<shoal::incarnation> {
  std::size_t operator()(const shoal::incarnation& id) const noexcept { return id.high ^ id.low; }
};

template <>
struct std::hash<shoal::digest> {
  std::size_t operator()(const shoal::digest& name) const noexcept {
    std::size_t h = 0; // the digest is uniform already
    for (int i = 0; i < 8; ++i) h = h << 8 | name.bytes[static_cast<std::size_t>(i)];
    return h;
  }
};
