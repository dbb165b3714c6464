#include "kernels/cpu/integer_product.hpp"

#include "kernels/cpu/onednn/program.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"
#include "kernels/reference/quantize.hpp"

#include <algorithm>

namespace shoal::kernels {
namespace {

using onednn::whole_lines;

/// y[j * y_step] = the dot product of `row` and row j of b, which both have `length` elements.
SHOAL_MULTIVERSION void multiply_row(const std::int16_t* row, const std::int16_t* b,
                                     std::int64_t columns, std::int64_t length, std::int32_t* y,
                                     std::int64_t y_step) {
  for (std::int64_t j = 0; j < columns; ++j) {
    const auto* column = b + j * length;
    std::int32_t sum = 0;
    for (std::int64_t k = 0; k < length; ++k)
      sum += static_cast<std::int32_t>(row[k]) * static_cast<std::int32_t>(column[k]);
    y[j * y_step] = sum;
  }
}

/// Element (i, k) of a matrix of bytes lies at i * row_step + k * step; to rows of 16-bit integers,
/// each less its zero point.
void widen(const const_view& from, std::int64_t offset, std::int64_t rows, std::int64_t length,
           std::int64_t row_step, std::int64_t step, const const_view& zero, std::int16_t* to) {
  const bool per_row = zero.data != nullptr && zero.element_count() > 1;
  visit_bytes(from.type, [&]<class T>(std::type_identity<T>) {
    const auto* source = from.as<T>() + offset;
    parallel_pieces(rows, parallel_threshold / std::max<std::int64_t>(length, 1),
                    [&](std::int64_t first, std::int64_t last) {
                      for (auto i = first; i < last; ++i) {
                        const auto z = reference::integer(zero, per_row ? i : 0);
                        for (std::int64_t k = 0; k < length; ++k)
                          to[i * length + k] =
                              static_cast<std::int16_t>(source[i * row_step + k * step] - z);
                      }
                    });
  });
}

class integer_matmul final : public kernel {
 public:
  explicit integer_matmul(const integer_matmul_problem& p) : p_(p) {}

  void run(const kernel_io& io) override {
    auto* a = reinterpret_cast<std::int16_t*>(io.scratch);
    auto* b = reinterpret_cast<std::int16_t*>(io.scratch + a_bytes());
    auto* y = io.outputs[0].as<std::int32_t>();
    const const_view none;
    const auto& a_zero = io.inputs.size() > 2 ? io.inputs[2] : none;
    const auto& b_zero = io.inputs.size() > 3 ? io.inputs[3] : none;
    const int axes = p_.a_batch.rank();
    std::int64_t calls = 1;
    for (int i = 0; i < axes; ++i) calls *= batch(i);
    std::int64_t widened_b = -1;
    for (std::int64_t call = 0; call < calls; ++call) {
      std::int64_t rest = call, at_a = 0, at_b = 0, a_step = 1, b_step = 1;
      for (int i = axes - 1; i >= 0; --i) {
        const auto index = rest % batch(i);
        rest /= batch(i);
        at_a += p_.a_batch[i] == 1 ? 0 : index * a_step;
        at_b += p_.b_batch[i] == 1 ? 0 : index * b_step;
        a_step *= p_.a_batch[i];
        b_step *= p_.b_batch[i];
      }
      widen(io.inputs[0], at_a * p_.rows * p_.length, p_.rows, p_.length,
            p_.transpose_a ? 1 : p_.length, p_.transpose_a ? p_.rows : 1, a_zero, a);
      if (at_b != widened_b)
        widen(io.inputs[1], at_b * p_.length * p_.columns, p_.columns, p_.length,
              p_.transpose_b ? p_.length : 1, p_.transpose_b ? 1 : p_.columns, b_zero, b);
      widened_b = at_b;
      multiply(a, b, y + call * p_.rows * p_.columns);
    }
  }

  std::size_t scratch_bytes() const override {
    return a_bytes() + whole_lines(static_cast<std::size_t>(p_.columns * p_.length) * 2);
  }

 private:
  std::int64_t batch(int i) const { return p_.a_batch[i] == 1 ? p_.b_batch[i] : p_.a_batch[i]; }
  std::size_t a_bytes() const {
    return whole_lines(static_cast<std::size_t>(p_.rows * p_.length) * 2);
  }

  /// In tiles of columns that stay in the cache while all rows meet them.
  void multiply(const std::int16_t* a, const std::int16_t* b, std::int32_t* y) const {
    const auto tile =
        std::clamp<std::int64_t>(65536 / std::max<std::int64_t>(p_.length, 1), 1, p_.columns);
    const auto tiles = (p_.columns + tile - 1) / tile;
    parallel_pieces(tiles, parallel_threshold / (tile * p_.length * p_.rows + 1),
                    [&](std::int64_t first, std::int64_t last) {
                      for (auto t = first; t < last; ++t)
                        for (std::int64_t i = 0; i < p_.rows; ++i)
                          multiply_row(a + i * p_.length, b + t * tile * p_.length,
                                       std::min(tile, p_.columns - t * tile), p_.length,
                                       y + i * p_.columns + t * tile, 1);
                    });
  }

  integer_matmul_problem p_;
};

class integer_convolution final : public kernel {
 public:
  explicit integer_convolution(const integer_convolution_problem& p)
      : p_(p), in_(last_three(p.source.span().subspan(2), 1)),
        out_(last_three(p.target.span().subspan(2), 1)), taps_(last_three(p.at.kernel.span(), 1)),
        stride_(last_three(p.at.stride.span(), 1)), dilation_(last_three(p.at.dilation.span(), 1)),
        pad_(last_three(p.at.pad_begin.span(), 0)) {}

  void run(const kernel_io& io) override {
    auto* weights = reinterpret_cast<std::int16_t*>(io.scratch);
    auto* rows = reinterpret_cast<std::int16_t*>(io.scratch + weight_bytes());
    const const_view none;
    const auto& zero = io.inputs.size() > 2 ? io.inputs[2] : none;
    widen(io.inputs[1], 0, p_.weights[0], length(), length(), 1,
          io.inputs.size() > 3 ? io.inputs[3] : none, weights);
    const auto maps = p_.weights[0] / p_.groups, pixels = volume(out_);
    auto* y = io.outputs[0].as<std::int32_t>();
    for (std::int64_t n = 0; n < p_.source[0]; ++n)
      for (std::int64_t g = 0; g < p_.groups; ++g)
        for (std::int64_t pixel = 0; pixel < pixels; pixel += tile()) {
          const auto count = std::min(tile(), pixels - pixel);
          gather(io.inputs[0], n, g, pixel, count, reference::integer(zero, 0), rows);
          auto* target = y + (n * p_.weights[0] + g * maps) * pixels + pixel;
          parallel_pieces(count, parallel_threshold / (maps * length() + 1),
                          [&](std::int64_t first, std::int64_t last) {
                            for (auto i = first; i < last; ++i)
                              multiply_row(rows + i * length(), weights + g * maps * length(), maps,
                                           length(), target + i, pixels);
                          });
        }
  }

  std::size_t scratch_bytes() const override {
    return weight_bytes() + whole_lines(static_cast<std::size_t>(tile() * length()) * 2);
  }

 private:
  using triple = std::array<std::int64_t, 3>;
  static std::int64_t volume(const triple& t) { return t[0] * t[1] * t[2]; }
  /// Products per sum.
  std::int64_t length() const { return p_.weights.element_count(1, p_.weights.rank()); }
  /// Pixels that are gathered at a time: scratch stays within a few MiB.
  std::int64_t tile() const {
    constexpr std::int64_t most = 1 << 20;
    return std::clamp<std::int64_t>(most / std::max<std::int64_t>(length(), 1), 1,
                                    std::max<std::int64_t>(volume(out_), 1));
  }
  std::size_t weight_bytes() const {
    return whole_lines(static_cast<std::size_t>(p_.weights.element_count()) * 2);
  }

  /// One row for each of `count` output pixels: the elements of group `g` that it sees, zero point
  /// subtracted.
  void gather(const const_view& x, std::int64_t n, std::int64_t g, std::int64_t start,
              std::int64_t count, std::int32_t zero, std::int16_t* rows) const {
    const auto channels = p_.weights[1];
    visit_bytes(x.type, [&]<class T>(std::type_identity<T>) {
      const auto* source = x.as<T>() + (n * p_.source[1] + g * channels) * volume(in_);
      parallel_pieces(count, parallel_threshold / (length() + 1),
                      [&](std::int64_t first, std::int64_t last) {
                        for (auto pixel = first; pixel < last; ++pixel)
                          gather_pixel(source, start + pixel, zero, rows + pixel * length());
                      });
    });
  }

  template <class T>
  void gather_pixel(const T* source, std::int64_t pixel, std::int32_t zero,
                    std::int16_t* row) const {
    const triple o{pixel / (out_[1] * out_[2]), pixel / out_[2] % out_[1], pixel % out_[2]};
    for (std::int64_t c = 0; c < p_.weights[1]; ++c)
      for (std::int64_t k0 = 0; k0 < taps_[0]; ++k0)
        for (std::int64_t k1 = 0; k1 < taps_[1]; ++k1)
          for (std::int64_t k2 = 0; k2 < taps_[2]; ++k2) {
            const auto i0 = at(o[0], k0, 0), i1 = at(o[1], k1, 1), i2 = at(o[2], k2, 2);
            const bool inside =
                i0 >= 0 && i0 < in_[0] && i1 >= 0 && i1 < in_[1] && i2 >= 0 && i2 < in_[2];
            *row++ = inside ? static_cast<std::int16_t>(
                                  source[((c * in_[0] + i0) * in_[1] + i1) * in_[2] + i2] - zero)
                            : std::int16_t{0};
          }
  }
  std::int64_t at(std::int64_t o, std::int64_t k, std::size_t axis) const {
    return o * stride_[axis] - pad_[axis] + k * dilation_[axis];
  }

  integer_convolution_problem p_;
  triple in_, out_, taps_, stride_, dilation_, pad_;
};

} // namespace

std::unique_ptr<kernel> make_integer_matmul(const integer_matmul_problem& p) {
  if (p.length > longest_integer_sum || p.columns < 1) return nullptr;
  return std::make_unique<integer_matmul>(p);
}

std::unique_ptr<kernel> make_integer_convolution(const integer_convolution_problem& p) {
  const auto length = p.weights.element_count(1, p.weights.rank());
  if (length > longest_integer_sum || p.source.element_count() == 0) return nullptr;
  return std::make_unique<integer_convolution>(p);
}

} // namespace shoal::kernels
