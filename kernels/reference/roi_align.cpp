#include "kernels/reference/roi_align.hpp"

#include "kernels/kernel.hpp"
#include "kernels/reference/floating.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace shoal::reference {
namespace {

/// One axis of a region: where its bins begin, how large they are and how often they are sampled.
struct binned_axis {
  double start = 0, size = 0;
  std::int64_t samples = 0;

  double place(std::int64_t bin, std::int64_t sample) const {
    const auto step = size / static_cast<double>(samples);
    return start + static_cast<double>(bin) * size + (static_cast<double>(sample) + 0.5) * step;
  }
};

binned_axis bin(const roi_align_rule& rule, double first, double last, std::int64_t bins) {
  constexpr double most_samples = 4096; // of a bin that is as large as many images
  const double offset = rule.half_pixel ? 0.5 : 0;
  binned_axis axis;
  axis.start = first * rule.scale - offset;
  double length = last * rule.scale - offset - axis.start;
  if (!rule.half_pixel) length = std::fmax(length, 1.0);
  axis.size = length / static_cast<double>(bins);
  const double samples =
      rule.samples > 0 ? static_cast<double>(rule.samples) : std::ceil(axis.size);
  if (!(samples <= most_samples) || !std::isfinite(axis.start))
    throw kernel_error("a region is out of all measure");
  axis.samples = std::max<std::int64_t>(static_cast<std::int64_t>(samples), 0);
  return axis;
}

/// Two neighbours along an axis and their weights; none when the place is outside.
struct neighbours {
  bool inside = false;
  std::array<std::int64_t, 2> index{};
  std::array<double, 2> weight{};
};

neighbours around(double place, std::int64_t extent) {
  neighbours n;
  n.inside = place >= -1 && place <= static_cast<double>(extent);
  if (!n.inside) return n;
  place = std::fmax(place, 0.0);
  const auto low = std::min(static_cast<std::int64_t>(place), extent - 1);
  const double fraction = low == extent - 1 ? 0 : place - static_cast<double>(low);
  n.index = {low, std::min(low + 1, extent - 1)};
  n.weight = {1 - fraction, fraction};
  return n;
}

template <class T>
class sampler {
 public:
  sampler(const roi_align_rule& rule, const T* plane, std::int64_t height, std::int64_t width)
      : rule_(rule), plane_(plane), height_(height), width_(width) {}

  double bin(const binned_axis& rows, const binned_axis& columns, std::int64_t row,
             std::int64_t column) const {
    double sum = 0;
    bool any = false;
    for (std::int64_t i = 0; i < rows.samples; ++i) {
      const auto v = around(rows.place(row, i), height_);
      for (std::int64_t j = 0; j < columns.samples; ++j) {
        const auto h = around(columns.place(column, j), width_);
        for (std::size_t corner = 0; corner < 4; ++corner) {
          const double part = v.inside && h.inside ? weighted(v, h, corner) : 0;
          sum = !rule_.takes_max ? sum + part : any ? std::fmax(sum, part) : part;
          any = true;
        }
      }
    }
    const auto count = std::max<std::int64_t>(rows.samples * columns.samples, 1);
    return rule_.takes_max ? sum : sum / static_cast<double>(count);
  }

 private:
  double weighted(const neighbours& v, const neighbours& h, std::size_t corner) const {
    const auto row = corner / 2, column = corner % 2;
    return v.weight[row] * h.weight[column] *
           static_cast<double>(plane_[v.index[row] * width_ + h.index[column]]);
  }

  const roi_align_rule& rule_;
  const T* plane_;
  std::int64_t height_, width_;
};

} // namespace

void roi_align(const roi_align_rule& rule, const const_view& x, const const_view& regions,
               const const_view& batch, const view& y) {
  const auto channels = x.dims[1], height = x.dims[2], width = x.dims[3];
  const auto bins = y.dims[2] * y.dims[3];
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t r = 0; r < y.dims[0]; ++r) {
      const auto image = batch.as<std::int64_t>()[r];
      if (image < 0 || image >= x.dims[0])
        throw kernel_error("region " + std::to_string(r) + " is of image " + std::to_string(image) +
                           " of " + std::to_string(x.dims[0]));
      const auto corner = [&](std::int64_t i) { return element(regions, 4 * r + i); };
      const auto columns = bin(rule, corner(0), corner(2), y.dims[3]);
      const auto rows = bin(rule, corner(1), corner(3), y.dims[2]);
      for (std::int64_t c = 0; c < channels; ++c) {
        const auto* plane = x.as<T>() + (image * channels + c) * height * width;
        const sampler<T> of(rule, plane, height, width);
        for (std::int64_t b = 0; b < bins; ++b)
          y.as<T>()[(r * channels + c) * bins + b] =
              rounded<T>(of.bin(rows, columns, b / y.dims[3], b % y.dims[3]));
      }
    }
  });
}

} // namespace shoal::reference
