#include "kernels/reference/convolution.hpp"

#include "kernels/reference/floating.hpp"

#include <algorithm>
#include <cmath>

namespace shoal::reference {
namespace {

using triple = std::array<std::int64_t, 3>;

/// What both loops need, widened to three spatial axes.
struct extents {
  extents(const const_view& x, const view& y, const window& at)
      : in(last_three(x.dims.span().subspan(2), 1)), out(last_three(y.dims.span().subspan(2), 1)),
        kernel(last_three(at.kernel.span(), 1)), stride(last_three(at.stride.span(), 1)),
        dilation(last_three(at.dilation.span(), 1)), pad(last_three(at.pad_begin.span(), 0)) {}

  static std::int64_t volume(const triple& t) { return t[0] * t[1] * t[2]; }

  triple in, out, kernel, stride, dilation, pad;
};

/// Calls f(index) for every index of a box, in row-major order.
template <class F>
void for_each_index(const triple& box, F&& f) {
  triple i;
  for (i[0] = 0; i[0] < box[0]; ++i[0])
    for (i[1] = 0; i[1] < box[1]; ++i[1])
      for (i[2] = 0; i[2] < box[2]; ++i[2]) f(i);
}

std::int64_t offset(const triple& i, const triple& box) {
  return (i[0] * box[1] + i[1]) * box[2] + i[2];
}

/// The input element that tap `k` of output `o` reads; false in the padding.
bool source_of(const extents& e, const triple& o, const triple& k, triple& i) {
  for (int a = 0; a < 3; ++a) {
    i[a] = o[a] * e.stride[a] - e.pad[a] + k[a] * e.dilation[a];
    if (i[a] < 0 || i[a] >= e.in[a]) return false;
  }
  return true;
}

/// The input element that adds to output `o` through tap `k`; false where there is none.
bool transposed_source_of(const extents& e, const triple& o, const triple& k, triple& i) {
  for (int a = 0; a < 3; ++a) {
    const auto at = o[a] + e.pad[a] - k[a] * e.dilation[a];
    if (at < 0 || at % e.stride[a] != 0) return false;
    i[a] = at / e.stride[a];
    if (i[a] >= e.in[a]) return false;
  }
  return true;
}

} // namespace

double apply(const activation& f, double x) {
  switch (f.function) {
  case activation::kind::none:
    break;
  case activation::kind::relu:
    return std::max(x, 0.0);
  case activation::kind::leaky_relu:
    return x < 0 ? f.alpha * x : x;
  case activation::kind::clip:
    return std::min<double>(std::max<double>(x, f.alpha), f.beta);
  case activation::kind::sigmoid:
    return 1 / (1 + std::exp(-x));
  case activation::kind::tanh:
    return std::tanh(x);
  case activation::kind::hard_sigmoid:
    return std::clamp(static_cast<double>(f.alpha) * x + f.beta, 0.0, 1.0);
  }
  return x;
}

void convolution(const const_view& x, const const_view& w, const const_view& bias,
                 const const_view& z, const view& y, const window& at, std::int64_t groups,
                 const activation& f) {
  const extents e(x, y, at);
  const auto channels = x.dims[1], per_group = w.dims[1], maps = y.dims[1];
  const auto in = e.volume(e.in), out = e.volume(e.out), taps = e.volume(e.kernel);
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t n = 0; n < y.dims[0]; ++n)
      for (std::int64_t m = 0; m < maps; ++m) {
        const auto* source = x.as<T>() + (n * channels + m / (maps / groups) * per_group) * in;
        const auto* weights = w.as<T>() + m * per_group * taps;
        for_each_index(e.out, [&](const triple& o) {
          const auto target = (n * maps + m) * out + offset(o, e.out);
          double sum = bias.data == nullptr ? 0 : static_cast<double>(bias.as<T>()[m]);
          for_each_index(e.kernel, [&](const triple& k) {
            triple i;
            if (!source_of(e, o, k, i)) return;
            for (std::int64_t c = 0; c < per_group; ++c)
              sum += static_cast<double>(source[c * in + offset(i, e.in)]) *
                     static_cast<double>(weights[c * taps + offset(k, e.kernel)]);
          });
          if (z.data != nullptr) sum += static_cast<double>(z.as<T>()[target]);
          y.as<T>()[target] = rounded<T>(apply(f, sum));
        });
      }
  });
}

void transposed_convolution(const const_view& x, const const_view& w, const const_view& bias,
                            const view& y, const window& at, std::int64_t groups) {
  const extents e(x, y, at);
  const auto channels = x.dims[1], maps = y.dims[1];
  const auto in_group = channels / groups, out_group = maps / groups;
  const auto in = e.volume(e.in), out = e.volume(e.out), taps = e.volume(e.kernel);
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t n = 0; n < y.dims[0]; ++n)
      for (std::int64_t m = 0; m < maps; ++m) {
        const auto first = m / out_group * in_group;
        for_each_index(e.out, [&](const triple& o) {
          double sum = bias.data == nullptr ? 0 : static_cast<double>(bias.as<T>()[m]);
          for_each_index(e.kernel, [&](const triple& k) {
            triple i;
            if (!transposed_source_of(e, o, k, i)) return;
            for (std::int64_t c = first; c < first + in_group; ++c)
              sum += static_cast<double>(x.as<T>()[(n * channels + c) * in + offset(i, e.in)]) *
                     static_cast<double>(
                         w.as<T>()[(c * out_group + m % out_group) * taps + offset(k, e.kernel)]);
          });
          y.as<T>()[(n * maps + m) * out + offset(o, e.out)] = rounded<T>(sum);
        });
      }
  });
}

} // namespace shoal::reference
