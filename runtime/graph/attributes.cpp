#include "runtime/graph/attributes.hpp"

#include <algorithm>

namespace shoal {
namespace {

auto position(auto& entries, std::string_view name) {
  return std::lower_bound(
      entries.begin(), entries.end(), name,
      [](const auto& entry, std::string_view key) { return entry.first < key; });
}

} // namespace

void attributes::set(std::string name, attribute value) {
  auto at = position(entries_, name);
  if (at != entries_.end() && at->first == name)
    at->second = std::move(value);
  else
    entries_.emplace(at, std::move(name), std::move(value));
}

void attributes::erase(std::string_view name) {
  auto at = position(entries_, name);
  if (at != entries_.end() && at->first == name) entries_.erase(at);
}

const attribute* attributes::find(std::string_view name) const {
  const auto at = position(entries_, name);
  return at != entries_.end() && at->first == name ? &at->second : nullptr;
}

std::int64_t attributes::get_int(std::string_view name, std::int64_t fallback) const {
  const auto* value = get<std::int64_t>(name);
  return value == nullptr ? fallback : *value;
}

float attributes::get_float(std::string_view name, float fallback) const {
  const auto* value = get<float>(name);
  return value == nullptr ? fallback : *value;
}

std::string_view attributes::get_string(std::string_view name, std::string_view fallback) const {
  const auto* value = get<std::string>(name);
  return value == nullptr ? fallback : std::string_view(*value);
}

std::span<const std::int64_t> attributes::get_ints(std::string_view name) const {
  const auto* value = get<std::vector<std::int64_t>>(name);
  return value == nullptr ? std::span<const std::int64_t>() : std::span<const std::int64_t>(*value);
}

} // namespace shoal
