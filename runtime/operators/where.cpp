#include "kernels/broadcast.hpp"
#include "kernels/reference/binary.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/operators.hpp"

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::boolean}));
  SHOAL_CHECK(arguments::expect_same_type(c, 2, 1));
  SHOAL_TRY(const auto dims, rules::broadcast_shape(c));
  return arguments::one_output(c.type(1), dims);
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const shape inputs[] = {c.dims(0), c.dims(1), c.dims(2)};
  const auto nest = broadcast_nest(inputs, c.outputs[0].dims);
  return function_kernel([nest, size = size_of(c.type(1))](const kernel_io& io) {
    reference::select(size, nest, io.inputs[0].as<bool>(), io.inputs[1].data, io.inputs[2].data,
                      io.outputs[0].data);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def where{
    .name = "Where",
    .first_opset = 9,
    .min_inputs = 3,
    .max_inputs = 3,
    .infer = infer,
    .input_axis = rules::broadcast_axis,
    .receptive_field = rules::broadcast_field,
    .split_axis = rules::broadcast_split,
    .kernels = kernels,
};

} // namespace shoal::operators
