#include "kernels/pad_table.hpp"

#include <algorithm>

namespace shoal {
namespace {

/// The remainder of at / n in 0 .. n - 1.
std::int64_t modulo(std::int64_t at, std::int64_t n) {
  return (at % n + n) % n;
}

std::int64_t source(pad_mode mode, std::int64_t at, std::int64_t extent) {
  if (at >= 0 && at < extent) return at;
  switch (mode) {
  case pad_mode::constant:
    return -1;
  case pad_mode::edge:
    return at < 0 ? 0 : extent - 1;
  case pad_mode::wrap:
    return modulo(at, extent);
  default: {
    if (extent == 1) return 0;
    const auto folded = modulo(at, 2 * (extent - 1)); // there and back again
    return std::min(folded, 2 * (extent - 1) - folded);
  }
  }
}

} // namespace

std::vector<std::int64_t> pad_table(pad_mode mode, std::int64_t extent, std::int64_t begin,
                                    std::int64_t end) {
  std::vector<std::int64_t> table(
      static_cast<std::size_t>(std::max<std::int64_t>(begin + extent + end, 0)));
  for (std::size_t i = 0; i < table.size(); ++i)
    table[i] = source(mode, static_cast<std::int64_t>(i) - begin, extent);
  return table;
}

} // namespace shoal
