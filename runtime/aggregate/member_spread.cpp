#include "runtime/aggregate/member_spread.hpp"

#include "runtime/aggregate/element_values.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace shoal {

result<void> spread_meter::fold(const tensor& values) {
  if (members_ == 0) {
    SHOAL_TRY(means_, zeros_f64(values.dims()));
    SHOAL_TRY(squares_, zeros_f64(values.dims()));
  }
  ++members_;
  const auto n = static_cast<double>(members_);
  auto* means = means_.mutable_values<double>().data();
  auto* squares = squares_.mutable_values<double>().data();
  for_each_piece(values.element_count(), [&](std::int64_t first, std::size_t count) {
    std::array<double, piece_elements> piece;
    read_elements(values, first, {piece.data(), count});
    for (std::size_t i = 0; i < count; ++i) {
      const auto at = static_cast<std::size_t>(first) + i;
      const double before = piece[i] - means[at];
      means[at] += before / n;
      squares[at] += before * (piece[i] - means[at]);
    }
  });
  return {};
}

member_spread spread_meter::spread() const {
  member_spread out;
  if (members_ == 0) return out;
  double sum = 0;
  std::int64_t counted = 0;
  for (const double square : squares_.values<double>()) {
    const double deviation = std::sqrt(square / static_cast<double>(members_));
    if (!std::isfinite(deviation)) {
      ++out.left_out;
      continue;
    }
    ++counted;
    sum += deviation;
    out.max = std::max(out.max, deviation);
  }
  if (counted > 0) out.mean = sum / static_cast<double>(counted);
  return out;
}

} // namespace shoal
