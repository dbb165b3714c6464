#include "kernels/broadcast.hpp"
#include "kernels/reference/binary.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/operators.hpp"

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(auto types, rules::broadcast_infer(c));
  types[0].type = dtype::boolean;
  return types;
}

template <comparison F>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const shape inputs[] = {c.dims(0), c.dims(1)};
  const auto nest = broadcast_nest(inputs, c.outputs[0].dims);
  return function_kernel([nest, type = c.type(0)](const kernel_io& io) {
    reference::compare(F, type, nest, io.inputs[0].data, io.inputs[1].data,
                       io.outputs[0].as<bool>());
  });
}

template <comparison F>
constexpr kernel_entry entries[] = {{"reference", prepare<F>}};

template <comparison F>
constexpr operator_def definition(std::string_view name, int first_opset) {
  return {.name = name,
          .first_opset = first_opset,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = infer,
          .input_axis = rules::broadcast_axis,
          .receptive_field = rules::broadcast_field,
          .split_axis = rules::broadcast_split,
          .kernels = entries<F>};
}

} // namespace

const operator_def equal = definition<comparison::equal>("Equal", 7);
const operator_def greater = definition<comparison::greater>("Greater", 7);
const operator_def greater_or_equal =
    definition<comparison::greater_or_equal>("GreaterOrEqual", 12);
const operator_def less = definition<comparison::less>("Less", 7);
const operator_def less_or_equal = definition<comparison::less_or_equal>("LessOrEqual", 12);

} // namespace shoal::operators
