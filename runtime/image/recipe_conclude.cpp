#include "runtime/base/fail.hpp"
#include "runtime/image/recipe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace shoal {
namespace {

/// A tensor around one axis: index = (outer · length + i) · inner + position.
struct axis_view {
  std::int64_t outer = 1;
  std::int64_t length = 1;
  std::int64_t inner = 1;
};

result<axis_view> around_axis(const tensor& values, int axis, std::string_view step) {
  const int rank = values.dims().rank();
  const int at = axis < 0 ? axis + rank : axis;
  if (values.element_type() != dtype::f32 || at < 0 || at >= rank)
    return fail(errc::invalid_argument, "{}: expected float32 with an axis {}, got {}", step, axis,
                to_string(values.type()));
  axis_view view;
  for (int i = 0; i < rank; ++i)
    (i < at ? view.outer : i == at ? view.length : view.inner) *= values.dims()[i];
  return view;
}

/// exp(v - max) / sum along the axis, in double precision.
result<tensor> apply(const softmax_step& step, const tensor& values) {
  SHOAL_TRY(const auto view, around_axis(values, step.axis, "softmax"));
  SHOAL_TRY(auto made, tensor::allocate(values.type()));
  const float* from = values.values<float>().data();
  float* to = made.mutable_values<float>().data();
  for (std::int64_t outer = 0; outer < view.outer; ++outer)
    for (std::int64_t inner = 0; inner < view.inner; ++inner) {
      const auto first = outer * view.length * view.inner + inner;
      double top = -std::numeric_limits<double>::infinity(), sum = 0;
      for (std::int64_t i = 0; i < view.length; ++i)
        top = std::fmax(top, from[first + i * view.inner]); // passes over NaN
      for (std::int64_t i = 0; i < view.length; ++i)
        sum += std::exp(from[first + i * view.inner] - top);
      for (std::int64_t i = 0; i < view.length; ++i)
        to[first + i * view.inner] =
            static_cast<float>(std::exp(from[first + i * view.inner] - top) / sum);
    }
  return made;
}

/// The mean over axis 0, which keeps an extent of 1; added in the order of the crops.
result<tensor> apply(const average_crops_step&, const tensor& values) {
  SHOAL_TRY(const auto view, around_axis(values, 0, "average_crops"));
  if (view.length < 1)
    return fail(errc::invalid_argument, "average_crops: expected crops, got {}",
                to_string(values.type()));
  auto type = values.type();
  type.dims[0] = 1;
  SHOAL_TRY(auto made, tensor::allocate(type));
  const float* from = values.values<float>().data();
  auto to = made.mutable_values<float>();
  for (std::size_t i = 0; i < to.size(); ++i) {
    double sum = 0;
    for (std::int64_t crop = 0; crop < view.length; ++crop)
      sum += from[static_cast<std::size_t>(crop * view.inner) + i];
    to[i] = static_cast<float>(sum / static_cast<double>(view.length));
  }
  return made;
}

/// Of every item of the batch, which is axis 0 of what has two axes or more.
result<recipe_answer> apply(const top_classes_step& step, const tensor& values,
                            std::span<const std::string> labels) {
  std::vector<std::vector<scored_class>> answers;
  const auto& dims = values.dims();
  const std::int64_t items = dims.rank() < 2 ? 1 : dims[0];
  if (items < 1 || values.element_count() < 1)
    return fail(errc::invalid_argument, "top_k: expected scores, got {}", to_string(values.type()));
  shape one = dims;
  if (one.rank() >= 2) one[0] = 1;
  const std::size_t bytes = values.byte_size() / static_cast<std::size_t>(items);
  for (std::int64_t i = 0; i < items; ++i) {
    const tensor item({values.element_type(), one}, values.bytes_owner(),
                      values.byte_offset() + static_cast<std::size_t>(i) * bytes);
    SHOAL_TRY(answers.emplace_back(), top_classes(item, step.count, labels));
  }
  return recipe_answer(std::move(answers));
}

/// One side of a box, back into the picture: two numbers that are either its ends, or its begin or
/// centre and its length.
void map_side(float& a, float& b, boxes_step::format format, double scale, double offset,
              double normal, double most, bool clip) {
  double low = a, high = b;
  if (format == boxes_step::format::centre_size) low -= 0.5 * b;
  if (format != boxes_step::format::corners) high = low + b;
  low = (low * normal - offset) / scale;
  high = (high * normal - offset) / scale;
  if (clip) {
    low = std::clamp(low, 0.0, most);
    high = std::clamp(high, 0.0, most);
  }
  const bool sized = format != boxes_step::format::corners;
  a = static_cast<float>(format == boxes_step::format::centre_size ? (low + high) / 2 : low);
  b = static_cast<float>(sized ? high - low : high);
}

result<tensor> apply(const boxes_step& step, const tensor& values,
                     std::span<const image_placement> placements) {
  if (placements.size() != 1)
    return fail(errc::invalid_argument, "boxes: expected the placement of one picture, got {}",
                placements.size());
  SHOAL_TRY(const auto view, around_axis(values, step.axis, "boxes"));
  if (view.length < step.first + 4)
    return fail(errc::invalid_argument, "boxes: expected 4 numbers from {} on along axis {} of {}",
                step.first, step.axis, to_string(values.type()));
  const auto& place = placements.front();
  auto made = values.clone();
  float* numbers = made.mutable_values<float>().data();
  const double x_normal = step.normalised ? place.input_width : 1;
  const double y_normal = step.normalised ? place.input_height : 1;
  for (std::int64_t outer = 0; outer < view.outer; ++outer)
    for (std::int64_t inner = 0; inner < view.inner; ++inner) {
      float* box = numbers + (outer * view.length + step.first) * view.inner + inner;
      map_side(box[0], box[2 * view.inner], step.numbers, place.scale_x, place.offset_x, x_normal,
               place.picture_width, step.clip);
      map_side(box[view.inner], box[3 * view.inner], step.numbers, place.scale_y, place.offset_y,
               y_normal, place.picture_height, step.clip);
    }
  return made;
}

} // namespace

result<recipe_answer> conclude(const recipe& how, const tensor& output,
                               std::span<const image_placement> placements) {
  tensor values = output;
  for (const auto& step : how.outputs) {
    if (const auto* average = std::get_if<average_crops_step>(&step)) {
      SHOAL_TRY(values, apply(*average, values));
    } else if (const auto* softmax = std::get_if<softmax_step>(&step)) {
      SHOAL_TRY(values, apply(*softmax, values));
    } else if (const auto* classes = std::get_if<top_classes_step>(&step)) {
      return apply(*classes, values, how.labels);
    } else if (const auto* picture = std::get_if<picture_step>(&step)) {
      SHOAL_TRY(auto made, tensor_to_image(values, picture->options));
      return recipe_answer(std::move(made));
    } else if (const auto* boxes = std::get_if<boxes_step>(&step)) {
      SHOAL_TRY(values, apply(*boxes, values, placements));
    }
  }
  return recipe_answer(std::move(values));
}

} // namespace shoal
