#include "kernels/reference/gather.hpp"
#include "kernels/reference/select_along.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i32, dtype::i64}));
  if (c.dims(1).element_count() != 1)
    return arguments::refuse(c, errc::malformed, "the axis is {}, expected a scalar",
                             to_string(c.inputs[1].type));
  if (c.type(0) == dtype::boolean)
    return arguments::refuse(c, errc::invalid_argument, "expected numbers, got {}",
                             to_string(c.inputs[0].type));
  return rules::same_as_input(c);
}

/// The axis is an operand: it may be known only while running.
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const bool exclusive = c.attrs().get_int("exclusive", 0) != 0;
  const bool reverse = c.attrs().get_int("reverse", 0) != 0;
  return function_kernel([=](const kernel_io& io) {
    const auto& dims = io.inputs[0].dims;
    const auto axis = static_cast<int>(reference::checked_index(io.inputs[1], 0, dims.rank()));
    reference::cumulative_sum(
        exclusive, reverse,
        {dims.element_count(0, axis), dims[axis], dims.element_count(axis + 1, dims.rank())},
        io.inputs[0], io.outputs[0]);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

/// The axis that is summed along, if it is known.
std::optional<int> summed_axis(const node_context& c) {
  const auto axis = arguments::constant_ints(c, 1, "axis");
  if (!axis) return std::nullopt;
  const auto at = (*axis)[0];
  return static_cast<int>(at < 0 ? at + c.dims(0).rank() : at);
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto summed = summed_axis(c);
  if (input != 0 || !summed) return std::nullopt;
  if (axis != *summed) return wanted;
  const std::int64_t left_out = c.attrs().get_int("exclusive", 0) != 0 ? 1 : 0;
  if (c.attrs().get_int("reverse", 0) != 0)
    return interval{wanted.first + left_out, c.dims(0)[axis] - 1};
  return interval{0, wanted.last - left_out};
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  const auto summed = summed_axis(c);
  if (!summed || split[0] == unsplit || split[0] == *summed) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def cumsum{
    .name = "CumSum",
    .first_opset = 11,
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
