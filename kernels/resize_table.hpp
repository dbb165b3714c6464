#pragma once

#include "kernels/shape.hpp"

#include <cstdint>
#include <vector>

namespace shoal {

/// How a value between elements is made: of the nearest, of two by a line, of four by a cubic.
enum class interpolation : std::uint8_t { nearest, linear, cubic };

/// Where output element `o` lies between the input's, `s` being the scale (ONNX's names).
enum class resize_coordinates : std::uint8_t {
  half_pixel,           ///< (o + 1/2) / s - 1/2
  half_pixel_symmetric, ///< the same, centred where `out` is not exactly `in` s
  pytorch_half_pixel,   ///< the same as half_pixel, but 0 for an output of one element
  align_corners,        ///< o (in - 1) / (in s - 1): in s need not be whole, as `out` is
  crop,                 ///< the same between the places `begin` and `end` of the axis
  asymmetric,           ///< o / s
  half_pixel_for_nn     ///< (o + 1/2) / s
};

/// Which way a position is rounded to the nearest element.
enum class nearest_rounding : std::uint8_t { prefer_floor, prefer_ceil, floor, ceil };

struct resize_rule {
  interpolation mode = interpolation::nearest;
  resize_coordinates coordinates = resize_coordinates::half_pixel;
  nearest_rounding rounding = nearest_rounding::prefer_floor;
  bool antialias = false;       ///< smaller outputs are made of all elements that they cover
  bool exclude_outside = false; ///< weights outside of the input are dropped, not given to the edge
  double cubic_a = -0.75;       ///< Keys' parameter of the cubic
};

/// One axis to be resized.
struct resize_axis {
  std::int64_t in = 1, out = 1;
  double scale = 1;
  double begin = 0, end = 1; ///< of what `crop` keeps, as parts of in - 1
};

/// What one axis of the output is made of: output o is the sum over t < taps of weight[o taps + t]
/// times the input at index[o taps + t]. With `crop` it may lie outside of the input: then it is
/// marked, and what it is made of means nothing.
struct resize_table {
  int taps = 1;
  std::vector<std::int64_t> index;
  std::vector<float> weight;
  std::vector<bool> outside; ///< per output; empty when none is

  bool is_outside(std::int64_t output) const {
    return !outside.empty() && outside[static_cast<std::size_t>(output)];
  }
};

/// The table for the outputs first .. last. Positions are rounded to 2^-28 of an element, so that a
/// shift by whole elements, as between a tile and its image, gives the same weights. Taps of weight
/// 0 are left out where every output takes one element as it is, unless they are to be kept.
resize_table make_resize_table(const resize_rule& rule, const resize_axis& axis, std::int64_t first,
                               std::int64_t last, bool keep_idle_taps = false);

/// The small fraction that `scale` is the nearest float to, as a double; else `scale`. Models write
/// 1/3 as 0.33333334; taken literally, positions would drift from the grid that is meant.
double intended_scale(float scale);

} // namespace shoal
