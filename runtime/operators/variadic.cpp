#include "kernels/broadcast.hpp"
#include "kernels/cpu/binary.hpp"
#include "kernels/reference/binary.hpp"
#include "kernels/reference/convert.hpp"
#include "kernels/reference/copy.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/operators.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

using binary_kernel = void (*)(binary_function, dtype, const loop_nest&, const void*, const void*,
                               void*);

/// The first two inputs are combined into the output, then each other one with it, in their order.
std::unique_ptr<kernel> make(const prepare_context& c, binary_function f, bool mean,
                             binary_kernel run) {
  auto traits = rules::broadcast_layouts(c);
  const auto& out = c.outputs[0].dims;
  std::vector<loop_nest> nests; // for input 1, 2, ...
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {
    const shape pair[] = {i == 1 ? c.dims(0) : out, c.dims(i)};
    nests.push_back(broadcast_nest(pair, out, traits.output));
  }
  loop_nest all(3);
  all.push(out.element_count(), {1, 0, 1});
  const auto& values = c.node.inputs; // input 0 may come again, after it was overwritten
  if (c.dims(0) == out && std::count(values.begin(), values.end(), values[0]) == 1)
    traits.overwritable = 0;
  const auto type = c.type(0);
  const auto divisor = reference::scalar(type, static_cast<double>(c.inputs.size()));
  return function_kernel(
      [=, nests = std::move(nests)](const kernel_io& io) {
        void* target = io.outputs[0].data;
        if (nests.empty()) { // one input: its own sum, mean and maximum
          loop_nest copy(2);
          copy.push(io.inputs[0].element_count(), {1, 1});
          reference::copy(size_of(type), copy, io.inputs[0].data, target);
          return;
        }
        for (std::size_t i = 1; i <= nests.size(); ++i)
          run(f, type, nests[i - 1], i == 1 ? io.inputs[0].data : target, io.inputs[i].data,
              target);
        if (mean) run(binary_function::div, type, all, target, divisor.data(), target);
      },
      std::move(traits));
}

template <binary_function F, bool Mean>
result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  return make(c, F, Mean, kernels::binary);
}

template <binary_function F, bool Mean>
result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return make(c, F, Mean, reference::binary);
}

template <binary_function F, bool Mean>
constexpr kernel_entry entries[] = {{"cpu", prepare_cpu<F, Mean>},
                                    {"reference", prepare_reference<F, Mean>}};

template <binary_function F, bool Mean = false>
constexpr operator_def definition(std::string_view name) {
  return {.name = name,
          .max_inputs = -1,
          .infer = rules::broadcast_infer,
          .input_axis = rules::broadcast_axis,
          .receptive_field = rules::broadcast_field,
          .split_axis = rules::broadcast_split,
          .kernels = entries<F, Mean>};
}

} // namespace

const operator_def max = definition<binary_function::max>("Max");
const operator_def min = definition<binary_function::min>("Min");
const operator_def sum = definition<binary_function::add>("Sum");
const operator_def mean = definition<binary_function::add, true>("Mean");

} // namespace shoal::operators
