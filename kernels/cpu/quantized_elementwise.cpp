#include "kernels/cpu/quantized_elementwise.hpp"

#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"

namespace shoal::kernels {
namespace {

/// Bytes as real numbers; `flip` turns i8 into u8, whose zero point then is 128 more.
struct side {
  std::uint8_t flip;
  std::int32_t zero;
  float scale;
};

side side_of(const byte_format& f) {
  const bool is_signed = f.type == dtype::i8;
  return {static_cast<std::uint8_t>(is_signed ? 0x80 : 0), f.zero + (is_signed ? 128 : 0), f.scale};
}

template <bool Multiply, bool StepA, bool StepB>
SHOAL_INLINE void row(const std::uint8_t* a, side sa, const std::uint8_t* b, side sb,
                      std::uint8_t* y, side sy, std::int64_t n) {
  constexpr float shift = 12582912.0f;
  const auto low = static_cast<float>(-sy.zero), high = static_cast<float>(255 - sy.zero);
  for (std::int64_t i = 0; i < n; ++i) {
    const float p =
        static_cast<float>(static_cast<std::uint8_t>(a[StepA ? i : 0] ^ sa.flip) - sa.zero) *
        sa.scale;
    const float q =
        static_cast<float>(static_cast<std::uint8_t>(b[StepB ? i : 0] ^ sb.flip) - sb.zero) *
        sb.scale;
    float v = (Multiply ? p * q : p + q) / sy.scale;
    v = v > low ? v : low;
    v = v < high ? v : high;
    const auto rounded = static_cast<std::int32_t>((v + shift) - shift) + sy.zero;
    y[i] = static_cast<std::uint8_t>(rounded ^ sy.flip);
  }
}

template <bool Multiply>
SHOAL_INLINE void any_row(const std::uint8_t* a, side sa, bool step_a, const std::uint8_t* b,
                          side sb, bool step_b, std::uint8_t* y, side sy, std::int64_t n) {
  if (step_a && step_b) return row<Multiply, true, true>(a, sa, b, sb, y, sy, n);
  if (step_a) return row<Multiply, true, false>(a, sa, b, sb, y, sy, n);
  if (step_b) return row<Multiply, false, true>(a, sa, b, sb, y, sy, n);
  row<Multiply, false, false>(a, sa, b, sb, y, sy, n);
}

SHOAL_MULTIVERSION void add_row(const std::uint8_t* a, side sa, bool step_a, const std::uint8_t* b,
                                side sb, bool step_b, std::uint8_t* y, side sy, std::int64_t n) {
  any_row<false>(a, sa, step_a, b, sb, step_b, y, sy, n);
}
SHOAL_MULTIVERSION void multiply_row(const std::uint8_t* a, side sa, bool step_a,
                                     const std::uint8_t* b, side sb, bool step_b, std::uint8_t* y,
                                     side sy, std::int64_t n) {
  any_row<true>(a, sa, step_a, b, sb, step_b, y, sy, n);
}

/// The innermost loop as several shorter ones, so that threads can share it.
loop_nest in_pieces(const loop_nest& nest) {
  constexpr std::int64_t piece = 4096;
  const int last = nest.depth() - 1;
  const auto n = nest.extent(last);
  if (nest.depth() > 1 || n <= piece || n % piece != 0) return nest;
  loop_nest out(3);
  out.push(n / piece, {nest.stride(0, last) * piece, nest.stride(1, last) * piece,
                       nest.stride(2, last) * piece});
  out.push(piece, {nest.stride(0, last), nest.stride(1, last), nest.stride(2, last)});
  return out;
}

} // namespace

void quantized_binary(bool multiply, const loop_nest& whole, const byte_format& fa, const void* a,
                      const byte_format& fb, const void* b, const byte_format& fy, void* y) {
  const auto nest = in_pieces(whole);
  const int outer = nest.depth() - 1;
  const auto n = nest.extent(outer);
  const bool simple = nest.stride(2, outer) == 1 && nest.stride(0, outer) <= 1 &&
                      nest.stride(0, outer) >= 0 && nest.stride(1, outer) <= 1 &&
                      nest.stride(1, outer) >= 0;
  if (!simple || n == 0) return reference::quantized_binary(multiply, nest, fa, a, fb, b, fy, y);
  const auto sa = side_of(fa), sb = side_of(fb), sy = side_of(fy);
  const auto run = multiply ? multiply_row : add_row;
  parallel_pieces(nest.iterations(0, outer), parallel_threshold / n,
                  [&](std::int64_t first, std::int64_t last) {
                    loop_position at(nest, outer, first);
                    for (auto i = first; i < last; ++i, at.next())
                      run(static_cast<const std::uint8_t*>(a) + at[0], sa,
                          nest.stride(0, outer) == 1, static_cast<const std::uint8_t*>(b) + at[1],
                          sb, nest.stride(1, outer) == 1, static_cast<std::uint8_t*>(y) + at[2], sy,
                          n);
                  });
}

} // namespace shoal::kernels
