#include "runtime/plan/units.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

namespace shoal {

namespace {

/// Three significant digits where there are fractions.
std::string three_digits(double value) {
  if (value >= 99.95) return fmt::format("{:.0f}", value);
  if (value >= 9.995) return fmt::format("{:.1f}", value);
  return fmt::format("{:.2f}", value);
}

std::string scaled(double value, double step, std::string_view first,
                   const std::array<std::string_view, 6>& prefixes, std::string_view unit) {
  if (value < step) return fmt::format("{:.0f} {}", value, first);
  std::size_t prefix = 0;
  value /= step;
  while (value >= step * 0.9995 && prefix + 1 < prefixes.size()) {
    value /= step;
    ++prefix;
  }
  return fmt::format("{} {}{}", three_digits(value), prefixes[prefix], unit);
}

bool continues(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0) == 0x80;
}

/// Where each character starts.
std::vector<std::size_t> starts(std::string_view text) {
  std::vector<std::size_t> positions;
  for (std::size_t i = 0; i < text.size(); ++i)
    if (i == 0 || !continues(text[i])) positions.push_back(i);
  return positions;
}

} // namespace

std::string human_bytes(std::uint64_t bytes) {
  return scaled(static_cast<double>(bytes), 1024, "B", {"Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}, "B");
}

std::string human_flops(std::uint64_t flops) {
  return scaled(static_cast<double>(flops), 1000, "FLOP", {"k", "M", "G", "T", "P", "E"}, "FLOP");
}

std::string human_seconds(double seconds) {
  if (seconds <= 0) return "0 s";
  if (seconds < 0.9995e-3) return three_digits(seconds * 1e6) + " µs";
  if (seconds < 0.9995) return three_digits(seconds * 1e3) + " ms";
  return three_digits(seconds) + " s";
}

std::size_t character_count(std::string_view text) {
  return starts(text).size();
}

std::string shorten_middle(std::string_view text, std::size_t limit) {
  const auto positions = starts(text);
  if (positions.size() <= limit) return std::string(text);
  if (limit < 3) return limit == 0 ? "" : "…";
  const auto head = (limit - 1) / 2;
  const auto tail = limit - 1 - head;
  std::string shortened(text.substr(0, positions[head]));
  shortened += "…";
  shortened += text.substr(positions[positions.size() - tail]);
  return shortened;
}

} // namespace shoal
