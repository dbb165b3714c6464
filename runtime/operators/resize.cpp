#include "kernels/cpu/resize.hpp"

#include "kernels/broadcast.hpp"
#include "kernels/reference/convert.hpp"
#include "kernels/reference/resize.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <algorithm>
#include <cmath>

namespace shoal::operators {
namespace {

/// The enumerator that `given` names; the error lists the names.
template <class E>
result<E> parse(const graph_node& node, std::string_view attribute, std::string_view given,
                std::initializer_list<std::pair<std::string_view, E>> names) {
  std::string all;
  for (const auto& [name, value] : names) {
    if (name == given) return value;
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  return node_error(node, errc::unsupported,
                    fmt::format("{} is '{}', supported are {}", attribute, given, all));
}

bool is_upsample(const graph_node& node) {
  return node.definition->name == "Upsample";
}

/// Upsample, and Resize in opset 10, know the mode alone.
result<resize_rule> rule_of(const graph_node& node) {
  const auto& a = node.attrs;
  resize_rule rule;
  SHOAL_TRY(rule.mode, parse<interpolation>(node, "mode", a.get_string("mode", "nearest"),
                                            {{"nearest", interpolation::nearest},
                                             {"linear", interpolation::linear},
                                             {"bilinear", interpolation::linear},
                                             {"cubic", interpolation::cubic}}));
  if (is_upsample(node) || node.opset < 11) {
    rule.coordinates = resize_coordinates::asymmetric;
    rule.rounding = nearest_rounding::floor;
    return rule;
  }
  SHOAL_TRY(
      rule.coordinates,
      parse<resize_coordinates>(node, "coordinate_transformation_mode",
                                a.get_string("coordinate_transformation_mode", "half_pixel"),
                                {{"half_pixel", resize_coordinates::half_pixel},
                                 {"half_pixel_symmetric", resize_coordinates::half_pixel_symmetric},
                                 {"pytorch_half_pixel", resize_coordinates::pytorch_half_pixel},
                                 {"align_corners", resize_coordinates::align_corners},
                                 {"asymmetric", resize_coordinates::asymmetric},
                                 {"tf_crop_and_resize", resize_coordinates::crop},
                                 {"tf_half_pixel_for_nn", resize_coordinates::half_pixel_for_nn}}));
  SHOAL_TRY(rule.rounding,
            parse<nearest_rounding>(node, "nearest_mode",
                                    a.get_string("nearest_mode", "round_prefer_floor"),
                                    {{"round_prefer_floor", nearest_rounding::prefer_floor},
                                     {"round_prefer_ceil", nearest_rounding::prefer_ceil},
                                     {"floor", nearest_rounding::floor},
                                     {"ceil", nearest_rounding::ceil}}));
  rule.antialias = a.get_int("antialias", 0) != 0 && rule.mode != interpolation::nearest;
  rule.exclude_outside = a.get_int("exclude_outside", 0) != 0;
  rule.cubic_a = a.get_float("cubic_coeff_a", -0.75f);
  return rule;
}

result<void> check(const graph_node& node) {
  SHOAL_CHECK(rule_of(node));
  SHOAL_CHECK(parse<int>(node, "keep_aspect_ratio_policy",
                         node.attrs.get_string("keep_aspect_ratio_policy", "stretch"),
                         {{"stretch", 0}, {"not_larger", 1}, {"not_smaller", 2}}));
  return {};
}

/// The numbers of input `i`, which must be known; `what` begins the message otherwise.
result<std::vector<float>> constant_floats(const node_context& c, std::size_t i,
                                           std::string_view what) {
  const tensor* constant = c.inputs[i].constant;
  if (constant == nullptr)
    return arguments::refuse(c, errc::needs_values,
                             "{} on values that are known only while running", what);
  std::vector<float> values;
  visit_dtype(constant->element_type(), [&]<class T>(std::type_identity<T>) {
    for (const T value : constant->values<T>()) values.push_back(reference::convert<float>(value));
  });
  return values;
}

/// Where the scales come from: an input, or the attribute of Upsample in opset 7.
result<std::vector<float>> scales_of(const node_context& c) {
  const std::size_t i = is_upsample(c.node) || c.node.opset < 11 ? 1 : 2;
  if (!c.has(i) || c.dims(i).element_count() == 0) {
    const auto* given = c.attrs().get<std::vector<float>>("scales");
    return given == nullptr ? std::vector<float>() : *given;
  }
  SHOAL_CHECK(arguments::expect_type(c, i, {dtype::f32}));
  return constant_floats(c, i, "the scales depend");
}

bool crops(const node_context& c) {
  return c.attrs().get_string("coordinate_transformation_mode", "") == "tf_crop_and_resize";
}

/// The parts of the named axes that are kept: where they begin, then where they end.
result<void> apply_regions(const node_context& c, const std::vector<int>& axes,
                           std::vector<resize_axis>& all) {
  if (!c.has(1)) return arguments::refuse(c, errc::malformed, "input 1 'roi' is missing");
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_TRY(const auto regions, constant_floats(c, 1, "the regions depend"));
  if (regions.size() != 2 * axes.size())
    return arguments::refuse(c, errc::malformed, "{} numbers in roi for {} axes", regions.size(),
                             axes.size());
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& a = all[static_cast<std::size_t>(axes[i])];
    a.begin = static_cast<double>(regions[i]);
    a.end = static_cast<double>(regions[i + axes.size()]);
    constexpr double largest = 1e6; // images away
    if (!(std::fabs(a.begin) < largest) || !(std::fabs(a.end) < largest))
      return arguments::refuse(c, errc::malformed, "roi from {} to {}", a.begin, a.end);
  }
  return {};
}

/// The axes that scales and sizes are about: all before opset 18.
result<std::vector<int>> axes_of(const node_context& c) {
  std::vector<int> axes;
  const auto given = c.attrs().get_ints("axes");
  for (const auto axis : given) {
    SHOAL_TRY(const int at, arguments::axis_of(c, axis, c.dims(0).rank()));
    axes.push_back(at);
  }
  if (given.empty())
    for (int axis = 0; axis < c.dims(0).rank(); ++axis) axes.push_back(axis);
  return axes;
}

/// One scale for all axes, so that no output is larger (or smaller) than its size asks for.
void keep_aspect_ratio(bool not_larger, const std::vector<int>& axes,
                       std::vector<resize_axis>& all) {
  double scale = not_larger ? INFINITY : 0;
  for (const int axis : axes) {
    const auto& a = all[static_cast<std::size_t>(axis)];
    scale = not_larger ? std::fmin(scale, a.scale) : std::fmax(scale, a.scale);
  }
  for (const int axis : axes) {
    auto& a = all[static_cast<std::size_t>(axis)];
    a.scale = scale;
    a.out = static_cast<std::int64_t>(std::floor(scale * static_cast<double>(a.in) + 0.5));
  }
}

result<void> apply_sizes(const node_context& c, const std::vector<int>& axes,
                         std::vector<resize_axis>& all) {
  SHOAL_TRY(const auto sizes, arguments::constant_ints(c, 3, "sizes"));
  if (sizes.size() != axes.size())
    return arguments::refuse(c, errc::malformed, "{} sizes for {} axes", sizes.size(), axes.size());
  SHOAL_CHECK(arguments::checked_shape(c, sizes));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& a = all[static_cast<std::size_t>(axes[i])];
    a.out = sizes[i];
    a.scale = static_cast<double>(a.out) / static_cast<double>(a.in);
  }
  const auto policy = c.attrs().get_string("keep_aspect_ratio_policy", "stretch");
  if (policy != "stretch") keep_aspect_ratio(policy == "not_larger", axes, all);
  return {};
}

result<void> apply_scales(const node_context& c, const std::vector<int>& axes,
                          std::vector<resize_axis>& all) {
  SHOAL_TRY(const auto scales, scales_of(c));
  if (scales.size() != axes.size())
    return arguments::refuse(c, errc::malformed, "{} scales for {} axes", scales.size(),
                             axes.size());
  constexpr double largest = 1e12;
  for (std::size_t i = 0; i < axes.size(); ++i) {
    auto& a = all[static_cast<std::size_t>(axes[i])];
    a.scale = intended_scale(scales[i]);
    const double out = a.scale * static_cast<double>(a.in);
    if (!(scales[i] > 0) || !(out < largest))
      return arguments::refuse(c, errc::malformed, "scale {} of axis {} of {}", scales[i], axes[i],
                               to_string(c.dims(0)));
    constexpr double rounding = 1e-9; // of a product that is meant to be whole
    a.out = static_cast<std::int64_t>(std::floor(out + rounding));
  }
  return {};
}

result<std::vector<resize_axis>> resized_axes(const node_context& c) {
  std::vector<resize_axis> all;
  for (const auto extent : c.dims(0)) all.push_back({extent, extent, 1});
  SHOAL_TRY(const auto axes, axes_of(c));
  const bool by_sizes = c.has(3) && c.dims(3).element_count() > 0;
  SHOAL_CHECK(by_sizes ? apply_sizes(c, axes, all) : apply_scales(c, axes, all));
  if (crops(c)) SHOAL_CHECK(apply_regions(c, axes, all));
  for (const auto& a : all)
    if (a.in == 0 && a.out != 0)
      return arguments::refuse(c, errc::invalid_argument, "{} has no elements to resize",
                               to_string(c.dims(0)));
  return all;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const auto rule, rule_of(c.node));
  if (c.type(0) == dtype::boolean && rule.mode != interpolation::nearest)
    return arguments::refuse(c, errc::invalid_argument, "booleans cannot be interpolated");
  SHOAL_TRY(const auto axes, resized_axes(c));
  std::vector<std::int64_t> extents;
  for (const auto& axis : axes) extents.push_back(axis.out);
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, extents));
  return arguments::one_output(c.type(0), dims);
}

std::vector<resize_table> tables_of(const node_context& c) {
  const auto rule = *rule_of(c.node); // inferred before, so rule and axes hold
  const auto axes = *resized_axes(c);
  std::vector<resize_table> tables;
  for (const auto& axis : axes) tables.push_back(make_resize_table(rule, axis, 0, axis.out - 1));
  return tables;
}

bool is_identity(const resize_table& table, std::int64_t extent) {
  if (table.taps != 1 || static_cast<std::int64_t>(table.index.size()) != extent) return false;
  for (std::size_t i = 0; i < table.index.size(); ++i)
    if (table.index[i] != static_cast<std::int64_t>(i)) return false;
  return true;
}

/// The images of a node in the layout in which they come, if that can be kept, or plain.
kernels::resize_extents images_of(const prepare_context& c, layout& format) {
  const auto &in = c.dims(0), &out = c.outputs[0].dims;
  const int rows = in.rank() - 2, columns = in.rank() - 1;
  kernels::resize_extents e{
      in.element_count(0, rows), in[rows], in[columns], out[rows], out[columns], 1};
  if (in.rank() != 4 || !broadcasts_in(in, in, format)) format = layout::plain;
  if (format == layout::plain) return e;
  e.lanes = format == layout::blocked_8 ? 8 : format == layout::blocked_16 ? 16 : in[1];
  e.planes /= e.lanes;
  return e;
}

/// Images: all axes but the last two stay as they are.
result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  const int rank = c.dims(0).rank();
  if (c.type(0) != dtype::f32 || rank < 2 || crops(c)) return nullptr;
  auto tables = tables_of(c);
  for (int axis = 0; axis < rank - 2; ++axis)
    if (!is_identity(tables[static_cast<std::size_t>(axis)], c.dims(0)[axis])) return nullptr;
  auto format = c.input_layouts[0];
  const auto e = images_of(c, format);
  const auto scratch = static_cast<std::size_t>(c.threads * e.in_columns * e.lanes) * sizeof(float);
  return function_kernel(
      [e, rows = std::move(tables[static_cast<std::size_t>(rank) - 2]),
       columns = std::move(tables.back())](const kernel_io& io) {
        kernels::resize(e, rows, columns, io.inputs[0].as<float>(), io.outputs[0].as<float>(),
                        reinterpret_cast<float*>(io.scratch));
      },
      {.inputs = {format}, .output = format, .scratch_bytes = scratch});
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  const auto outside = static_cast<double>(c.attrs().get_float("extrapolation_value", 0));
  return function_kernel([tables = tables_of(c), outside](const kernel_io& io) {
    reference::resize(tables, outside, io.inputs[0], io.outputs[0]);
  });
}

constexpr kernel_entry kernels[] = {{"cpu", prepare_cpu}, {"reference", prepare_reference}};

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto in = static_cast<double>(c.dims(0).element_count());
  const auto out = static_cast<double>(outputs[0].dims.element_count());
  const auto rule = rule_of(c.node);
  const bool nearest = !rule || rule->mode == interpolation::nearest;
  const double per_element = nearest ? 1 : rule->mode == interpolation::linear ? 6 : 14;
  return {per_element * out, (in + out) * static_cast<double>(size_of(c.type(0)))};
}

/// All taps of the wanted elements, even those whose weight happens to be 0: a kernel reads them.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto rule = rule_of(c.node);
  const auto axes = resized_axes(c);
  if (input != 0 || !rule || !axes) return std::nullopt;
  const auto& resized = (*axes)[static_cast<std::size_t>(axis)];
  // Of the table for the whole axis, which may be long, only what is asked for. Whether idle taps
  // were dropped from it shows within its period.
  constexpr std::int64_t longest_period = 64;
  const auto begin =
      make_resize_table(*rule, resized, 0, std::min(resized.out, longest_period) - 1);
  const auto table = make_resize_table(*rule, resized, wanted.first, wanted.last, begin.taps > 1);
  interval read{INT64_MAX, -1};
  for (std::int64_t out = 0; out <= wanted.last - wanted.first; ++out) {
    if (table.is_outside(out)) continue; // a number that is given
    for (auto i = out * table.taps; i < (out + 1) * table.taps; ++i) {
      read.first = std::min(read.first, table.index[static_cast<std::size_t>(i)]);
      read.last = std::max(read.last, table.index[static_cast<std::size_t>(i)]);
    }
  }
  return read.last < 0 ? interval{} : read;
}

/// Along an axis that a scale of 1 leaves alone; a size would have to be another for each part.
std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  const auto axes = resized_axes(c);
  const auto named = axes_of(c);
  if (!axes || !named || split[0] == unsplit) return std::nullopt;
  const auto& axis = (*axes)[static_cast<std::size_t>(split[0])];
  const bool is_named = std::find(named->begin(), named->end(), split[0]) != named->end();
  const bool by_sizes = is_named && c.has(3) && c.dims(3).element_count() > 0;
  const bool cropped = axis.begin != 0 || axis.end != 1;
  if (axis.scale != 1 || by_sizes || cropped) return std::nullopt;
  return split[0];
}

constexpr operator_def definition(std::string_view name, int first, int last, int inputs) {
  return {.name = name,
          .first_opset = first,
          .last_opset = last,
          .max_inputs = inputs,
          .check = check,
          .infer = infer,
          .cost = cost,
          .receptive_field = field,
          .split_axis = split,
          .kernels = kernels};
}

} // namespace

const operator_def resize = definition("Resize", 10, 21, 4);
const operator_def upsample = definition("Upsample", 7, 9, 2);

} // namespace shoal::operators
