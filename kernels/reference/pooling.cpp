#include "kernels/reference/pooling.hpp"

#include "kernels/kernel.hpp"
#include "kernels/reference/floating.hpp"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

namespace shoal::reference {
namespace {

using triple = std::array<std::int64_t, 3>;

/// Calls begin(), tap(x index within the plane) for every tap inside x, and end(y index, taps
/// inside x and its stated padding), for every output.
template <class Begin, class Tap, class End>
void slide(const const_view& x, const view& y, const window& at, Begin begin, Tap tap, End end) {
  const auto in = last_three(x.dims.span().subspan(2), 1);
  const auto out = last_three(y.dims.span().subspan(2), 1);
  const auto kernel = last_three(at.kernel.span(), 1), stride = last_three(at.stride.span(), 1);
  const auto dilation = last_three(at.dilation.span(), 1);
  const auto pad = last_three(at.pad_begin.span(), 0), pad_end = last_three(at.pad_end.span(), 0);
  const auto planes = x.dims[0] * x.dims[1];
  std::int64_t target = 0;
  triple o, k, i;
  for (std::int64_t plane = 0; plane < planes; ++plane)
    for (o[0] = 0; o[0] < out[0]; ++o[0])
      for (o[1] = 0; o[1] < out[1]; ++o[1])
        for (o[2] = 0; o[2] < out[2]; ++o[2]) {
          std::int64_t counted = 0;
          begin();
          for (k[0] = 0; k[0] < kernel[0]; ++k[0])
            for (k[1] = 0; k[1] < kernel[1]; ++k[1])
              for (k[2] = 0; k[2] < kernel[2]; ++k[2]) {
                bool inside = true, in_padding = true;
                for (int a = 0; a < 3; ++a) {
                  i[a] = o[a] * stride[a] - pad[a] + k[a] * dilation[a];
                  inside = inside && i[a] >= 0 && i[a] < in[a];
                  in_padding = in_padding && i[a] < in[a] + pad_end[a];
                }
                counted += in_padding ? 1 : 0;
                if (inside) tap(((plane * in[0] + i[0]) * in[1] + i[1]) * in[2] + i[2]);
              }
          end(target++, counted);
        }
}

} // namespace

void max_pool(const const_view& x, const view& y, const window& at) {
  visit_dtype(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (!std::is_same_v<T, bool>) {
      const T* best = nullptr;
      slide(
          x, y, at, [&] { best = nullptr; },
          [&](std::int64_t i) {
            if (best == nullptr || x.as<T>()[i] > *best) best = x.as<T>() + i;
          },
          [&](std::int64_t o, std::int64_t) {
            if (best != nullptr)
              y.as<T>()[o] = *best;
            else if constexpr (std::is_same_v<T, half> || std::is_same_v<T, bfloat16>)
              y.as<T>()[o] = T(-std::numeric_limits<float>::infinity());
            else
              y.as<T>()[o] = std::numeric_limits<T>::lowest();
          });
    }
  });
}

void max_pool_indices(const const_view& x, const view& indices, const window& at,
                      bool column_major) {
  const auto in = last_three(x.dims.span().subspan(2), 1);
  const auto plane = in[0] * in[1] * in[2];
  const auto place = [&](std::int64_t i) {
    if (i < 0 || !column_major) return i;
    const auto rest = i % plane, column = rest % in[2], row = rest / in[2] % in[1];
    return i - rest + rest / (in[1] * in[2]) + in[0] * (row + in[1] * column);
  };
  visit_dtype(x.type, [&]<class T>(std::type_identity<T>) {
    if constexpr (!std::is_same_v<T, bool>) {
      std::int64_t best = -1;
      slide(
          x, indices, at, [&] { best = -1; },
          [&](std::int64_t i) {
            if (best < 0 || x.as<T>()[i] > x.as<T>()[best]) best = i;
          },
          [&](std::int64_t o, std::int64_t) { indices.as<std::int64_t>()[o] = place(best); });
    }
  });
}

void max_unpool(std::size_t size, const const_view& x, const const_view& indices,
                const shape& pooled, const view& y) {
  const auto strides = y.dims.dense_strides();
  const auto places = pooled.element_count();
  if (y.element_count() > 0)
    std::memset(y.data, 0, static_cast<std::size_t>(y.element_count()) * size);
  for (std::int64_t i = 0; i < x.element_count(); ++i) {
    auto place = indices.as<std::int64_t>()[i];
    if (place < 0 || place >= places)
      throw kernel_error("index " + std::to_string(place) + " of " + std::to_string(places) +
                         " elements");
    std::int64_t offset = 0;
    for (int axis = pooled.rank() - 1; axis >= 0; --axis) {
      offset += place % pooled[axis] * strides[axis];
      place /= pooled[axis];
    }
    std::memcpy(y.as<std::byte>() + static_cast<std::size_t>(offset) * size,
                x.as<std::byte>() + static_cast<std::size_t>(i) * size, size);
  }
}

void lp_pool(const const_view& x, const view& y, const window& at, double p) {
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    double sum = 0;
    slide(
        x, y, at, [&] { sum = 0; },
        [&](std::int64_t i) { sum += std::pow(std::fabs(static_cast<double>(x.as<T>()[i])), p); },
        [&](std::int64_t o, std::int64_t) { y.as<T>()[o] = rounded<T>(std::pow(sum, 1 / p)); });
  });
}

void average_pool(const const_view& x, const view& y, const window& at, bool count_padding) {
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    double sum = 0;
    std::int64_t taps = 0;
    slide(
        x, y, at,
        [&] {
          sum = 0;
          taps = 0;
        },
        [&](std::int64_t i) {
          sum += static_cast<double>(x.as<T>()[i]);
          ++taps;
        },
        [&](std::int64_t o, std::int64_t counted) {
          const auto divisor = count_padding ? counted : taps;
          y.as<T>()[o] = rounded<T>(divisor == 0 ? 0 : sum / static_cast<double>(divisor));
        });
  });
}

} // namespace shoal::reference
