#include "runtime/operators/window_rules.hpp"

#include "runtime/operators/arguments.hpp"

#include <algorithm>

namespace shoal::rules {
namespace {

using arguments::refuse;

/// Attributes beyond this could overflow the arithmetic of windows.
constexpr std::int64_t largest = std::int64_t{1} << 30;
constexpr std::int64_t most_taps = std::int64_t{1} << 20; ///< along one axis

/// The attribute `name` with `count` values from `least` up; all `fallback` when absent.
result<std::vector<std::int64_t>> read_list(const node_context& c, std::string_view name, int count,
                                            std::int64_t least, std::int64_t fallback) {
  const auto values = c.attrs().get_ints(name);
  if (values.empty()) return std::vector<std::int64_t>(static_cast<std::size_t>(count), fallback);
  if (values.size() != static_cast<std::size_t>(count))
    return refuse(c, errc::malformed, "attribute {}: expected {} values, got {}", name, count,
                  values.size());
  for (const auto value : values)
    if (value < least || value > largest)
      return refuse(c, errc::malformed, "attribute {}: expected values from {} to {}, got {}", name,
                    least, largest, value);
  return std::vector<std::int64_t>(values.begin(), values.end());
}

/// Padding that makes ceil(input / stride) outputs, the odd element at the end or the beginning.
void pad_to_same(window& at, int axis, std::int64_t input, bool odd_at_end) {
  const auto outputs = (input + at.stride[axis] - 1) / at.stride[axis];
  const auto total =
      std::max<std::int64_t>((outputs - 1) * at.stride[axis] + at.reach(axis) - input, 0);
  at.pad_begin[axis] = odd_at_end ? total / 2 : total - total / 2;
  at.pad_end[axis] = total - at.pad_begin[axis];
}

} // namespace

result<void> expect_image(const node_context& c) {
  const int rank = c.dims(0).rank();
  if (rank < 3 || rank > 5)
    return refuse(c, errc::invalid_argument,
                  "X: expected [N,C,spatial...] with 1 to 3 spatial axes, got {}",
                  to_string(c.dims(0)));
  if (!is_floating(c.type(0)) && c.type(0) != dtype::i8 && c.type(0) != dtype::u8)
    return refuse(c, errc::invalid_argument, "X: expected a floating type, got {}",
                  to_string(c.type(0)));
  return {};
}

result<shape> read_kernel_shape(const node_context& c) {
  const int axes = c.dims(0).rank() - 2;
  if (!c.attrs().contains("kernel_shape"))
    return refuse(c, errc::malformed, "attribute kernel_shape is missing");
  SHOAL_TRY(const auto taps, read_list(c, "kernel_shape", axes, 1, 1));
  return shape(taps);
}

result<window> read_window(const node_context& c, const shape& kernel) {
  const int axes = kernel.rank();
  window at;
  at.kernel = kernel;
  SHOAL_TRY(const auto strides, read_list(c, "strides", axes, 1, 1));
  SHOAL_TRY(const auto dilations, read_list(c, "dilations", axes, 1, 1));
  SHOAL_TRY(const auto pads, read_list(c, "pads", 2 * axes, 0, 0));
  at.stride = shape(strides);
  at.dilation = shape(dilations);
  const std::span<const std::int64_t> all(pads);
  at.pad_begin = shape(all.first(static_cast<std::size_t>(axes)));
  at.pad_end = shape(all.last(static_cast<std::size_t>(axes)));
  for (int i = 0; i < axes; ++i)
    if (kernel[i] < 1 || kernel[i] > most_taps || at.reach(i) > largest)
      return refuse(c, errc::invalid_argument, "a window of {} taps at distance {} is out of range",
                    kernel[i], at.dilation[i]);

  const auto mode = c.attrs().get_string("auto_pad", "NOTSET");
  if (mode == "NOTSET" || mode.empty()) return at;
  if (mode != "VALID" && mode != "SAME_UPPER" && mode != "SAME_LOWER")
    return refuse(c, errc::malformed,
                  "attribute auto_pad: expected NOTSET, VALID, SAME_UPPER or SAME_LOWER, got {}",
                  mode);
  at.pad_begin = at.pad_end = shape::filled(axes, 0);
  if (mode != "VALID")
    for (int i = 0; i < axes; ++i) pad_to_same(at, i, c.dims(0)[i + 2], mode == "SAME_UPPER");
  return at;
}

result<shape> slid_extents(const node_context& c, const window& at, std::int64_t channels) {
  // auto_pad states the number of outputs itself.
  const auto mode = c.attrs().get_string("auto_pad", "NOTSET");
  const bool ceil = c.attrs().get_int("ceil_mode", 0) != 0 && (mode == "NOTSET" || mode.empty());
  shape out{c.dims(0)[0], channels};
  for (int i = 0; i < at.rank(); ++i) {
    const auto input = c.dims(0)[i + 2];
    const auto room = input + at.pad_begin[i] + at.pad_end[i] - at.reach(i);
    if (room < 0)
      return refuse(c, errc::invalid_argument,
                    "a window of {} elements does not fit into axis {} of {} with {} + {} of "
                    "padding",
                    at.reach(i), i + 2, to_string(c.dims(0)), at.pad_begin[i], at.pad_end[i]);
    auto outputs = (room + (ceil ? at.stride[i] - 1 : 0)) / at.stride[i] + 1;
    if (ceil && (outputs - 1) * at.stride[i] >= input + at.pad_begin[i]) --outputs;
    out.push_back(outputs);
  }
  return arguments::checked_shape(c, out.span());
}

interval window_field(const window& at, int axis, std::int64_t input_extent, interval wanted) {
  const auto first = wanted.first * at.stride[axis] - at.pad_begin[axis];
  const auto last = wanted.last * at.stride[axis] - at.pad_begin[axis] + at.reach(axis) - 1;
  const auto end = std::max<std::int64_t>(input_extent - 1, 0);
  // A window that lies in the padding alone still needs an input of some size.
  return {std::clamp<std::int64_t>(first, 0, end), std::clamp<std::int64_t>(last, 0, end)};
}

std::optional<int> split_batch(const node_context& c, std::span<const int> split) {
  for (std::size_t i = 0; i < split.size(); ++i) {
    const bool batched = i == 0 || (i == 3 && c.has(3)); // the residual of a fused convolution
    if (split[i] != split[0] && batched) return std::nullopt;
    if (split[i] != unsplit && !batched) return std::nullopt;
  }
  if (split[0] != 0 && split[0] != unsplit) return std::nullopt;
  return split[0];
}

double operand_bytes(const node_context& c, std::span<const tensor_type> outputs) {
  double sum = 0;
  const auto add = [&](const tensor_type& t) {
    sum += static_cast<double>(t.dims.element_count()) * static_cast<double>(size_of(t.type));
  };
  for (const auto& in : c.inputs)
    if (in.present) add(in.type);
  for (const auto& out : outputs) add(out);
  return sum;
}

} // namespace shoal::rules
