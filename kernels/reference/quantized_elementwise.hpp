#pragma once

#include "kernels/loop_nest.hpp"
#include "kernels/quantization.hpp"
#include "kernels/reference/quantize.hpp"
#include "kernels/view.hpp"

namespace shoal::reference {

/// How a tensor of 8-bit integers stands for real numbers.
struct byte_format {
  dtype type = dtype::u8;
  float scale = 1;
  std::int32_t zero = 0;
};

/// y = a + b or, with `multiply`, a * b in real numbers, over the operands (a, b, y) of `nest`:
/// (a - zero) * scale each, their sum or product divided by the scale of y and quantised; all in
/// float.
void quantized_binary(bool multiply, const loop_nest& nest, const byte_format& fa, const void* a,
                      const byte_format& fb, const void* b, const byte_format& fy, void* y);

/// y[i] = f(x[i]) in real numbers: 256 results at most, so they are looked up.
template <class F>
void quantized_unary(std::int64_t count, const byte_format& fx, const void* x,
                     const byte_format& fy, void* y, F&& f) {
  std::uint8_t table[256];
  for (int bits = 0; bits < 256; ++bits) {
    const int value = fx.type == dtype::u8 ? bits : static_cast<std::int8_t>(bits);
    const float real = static_cast<float>(value - fx.zero) * fx.scale;
    table[bits] = static_cast<std::uint8_t>(quantized(fy.type, f(real) / fy.scale, fy.zero));
  }
  const auto* from = static_cast<const std::uint8_t*>(x);
  auto* to = static_cast<std::uint8_t*>(y);
  for (std::int64_t i = 0; i < count; ++i) to[i] = table[from[i]];
}

} // namespace shoal::reference
