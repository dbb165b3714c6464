#include "kernels/reference/reverse_sequence.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

int time_axis(const node_context& c) {
  return static_cast<int>(c.attrs().get_int("time_axis", 0));
}

result<void> check(const graph_node& node) {
  const auto time = node.attrs.get_int("time_axis", 0), batch = node.attrs.get_int("batch_axis", 1);
  if ((time == 0 && batch == 1) || (time == 1 && batch == 0)) return {};
  return node_error(
      node, errc::malformed,
      fmt::format("time_axis is {} and batch_axis {}, expected 0 and 1 in any order", time, batch));
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i64}));
  const auto& x = c.dims(0);
  if (x.rank() < 2 || c.dims(1) != shape{x[1 - time_axis(c)]})
    return arguments::refuse(c, errc::invalid_argument,
                             "sequence_lens {} does not fit the input {}", to_string(c.dims(1)),
                             to_string(x));
  return rules::same_as_input(c);
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (axis == time_axis(c)) return std::nullopt;
  if (input == 1 && axis > 0) return std::nullopt;
  return wanted;
}

/// Sequences with their lengths, or inside the elements of a sequence.
std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (split[0] == unsplit || split[0] == time_axis(c)) return std::nullopt;
  if (split[1] != (split[0] < 2 ? 0 : unsplit)) return std::nullopt;
  return split[0];
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  return function_kernel([axis = time_axis(c)](const kernel_io& io) {
    reference::reverse_sequence(axis, io.inputs[0], io.inputs[1], io.outputs[0]);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def reverse_sequence{
    .name = "ReverseSequence",
    .first_opset = 10,
    .min_inputs = 2,
    .max_inputs = 2,
    .check = check,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
