#include "kernels/reference/quantized_elementwise.hpp"

namespace shoal::reference {

void quantized_binary(bool multiply, const loop_nest& nest, const byte_format& fa, const void* a,
                      const byte_format& fb, const void* b, const byte_format& fy, void* y) {
  const auto real = [](const byte_format& f, const void* data, std::int64_t i) {
    return static_cast<float>(integer({data, f.type, layout::plain, {}}, i) - f.zero) * f.scale;
  };
  loop_position at(nest, nest.depth(), 0);
  for (std::int64_t i = 0; i < nest.iterations(); ++i, at.next()) {
    const float x = real(fa, a, at[0]), z = real(fb, b, at[1]);
    // u8 and i8 alike: one byte.
    static_cast<std::uint8_t*>(y)[at[2]] = static_cast<std::uint8_t>(
        quantized(fy.type, (multiply ? x * z : x + z) / fy.scale, fy.zero));
  }
}

} // namespace shoal::reference
