#include "runtime/base/ids.hpp"

#include <fmt/format.h>

#include <random>

namespace shoal {

incarnation incarnation::random() {
  std::random_device source;
  const auto word = [&source] { return std::uint64_t{source()} << 32 | source(); };
  return {word(), word()};
}

std::string to_string(const incarnation& id) {
  return fmt::format("{:016x}{:016x}", id.high, id.low);
}

std::string to_string(const digest& name) {
  std::string text;
  text.reserve(64);
  for (auto byte : name.bytes) fmt::format_to(std::back_inserter(text), "{:02x}", byte);
  return text;
}

} // namespace shoal
