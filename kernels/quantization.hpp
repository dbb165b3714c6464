#pragma once

#include "kernels/dtype.hpp"

#include <cstdint>

namespace shoal {

/// Which scale (and zero point) belongs to which element of a quantised tensor, seen as
/// [outer, axis, inner]: one for all, one per index along the axis, or one per block of `block`
/// indices. A stored integer q stands for the real number (q - zero point) * scale.
struct scale_map {
  std::int64_t outer = 1, axis = 1, inner = 1;
  std::int64_t block = 1;
  std::int64_t outer_step = 0, axis_step = 0, inner_step = 0; ///< in the scales

  std::int64_t at(std::int64_t o, std::int64_t a, std::int64_t i) const {
    return o * outer_step + a / block * axis_step + i * inner_step;
  }
};

/// Sums of an integer product as [outer, channels, inner]; each channel has its own scale.
struct product_extents {
  std::int64_t outer = 1, channels = 1, inner = 1;
  std::int64_t count() const { return outer * channels * inner; }
};

/// Calls `f(std::type_identity<T>{})` with the type of the quantised integers that `type` stands
/// for: 8, 16 or 32 bits.
template <class F>
void visit_quantized(dtype type, F&& f) {
  switch (type) {
  case dtype::u8:
    return f(std::type_identity<std::uint8_t>{});
  case dtype::i8:
    return f(std::type_identity<std::int8_t>{});
  case dtype::u16:
    return f(std::type_identity<std::uint16_t>{});
  case dtype::i16:
    return f(std::type_identity<std::int16_t>{});
  case dtype::i32:
    return f(std::type_identity<std::int32_t>{});
  default:
    return;
  }
}

/// The same for what can only be of 8 bits.
template <class F>
void visit_bytes(dtype type, F&& f) {
  if (type == dtype::u8)
    f(std::type_identity<std::uint8_t>{});
  else
    f(std::type_identity<std::int8_t>{});
}

} // namespace shoal
