#include "kernels/reference/convert.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <algorithm>
#include <cstring>

// Shoal drops nothing: that is for training. Without it, or with a ratio of 0, the output is the
// input and the mask, the second output, is true everywhere.

namespace shoal::operators {
namespace {

constexpr const char* refusal = "training mode is not supported: nothing is dropped at random";

/// Whether anything would be dropped. Both may be known only while running, or not be given.
bool drops(const const_view& training, const const_view& ratio) {
  if (training.data == nullptr || !*training.as<bool>()) return false;
  if (ratio.data == nullptr) return true; // the default is one half
  return visit_dtype(ratio.type, [&]<class T>(std::type_identity<T>) {
    return reference::convert<double>(*ratio.as<T>()) != 0;
  });
}

/// The mask was of the input's type before opset 10.
result<std::vector<tensor_type>> infer(const node_context& c) {
  for (const std::size_t i : {1, 2})
    if (c.has(i) && c.dims(i).element_count() != 1)
      return arguments::refuse(c, errc::malformed, "input {}: expected a scalar, got {}", i,
                               to_string(c.inputs[i].type));
  if (c.has(1))
    SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  if (c.has(2)) SHOAL_CHECK(arguments::expect_type(c, 2, {dtype::boolean}));
  const auto known = [&](std::size_t i) { return !c.has(i) || c.inputs[i].constant != nullptr; };
  const auto content = [&](std::size_t i) -> const_view {
    return c.has(i) ? const_view(*c.inputs[i].constant) : const_view{};
  };
  if (known(1) && known(2) && drops(content(2), content(1)))
    return arguments::refuse(c, errc::unsupported, "{}", refusal);
  std::vector<tensor_type> types{c.inputs[0].type};
  const auto mask = c.node.opset < 10 ? c.type(0) : dtype::boolean;
  if (c.node.outputs.size() > 1) types.push_back({mask, c.dims(0)});
  return types;
}

void run(const kernel_io& io) {
  const auto input = [&](std::size_t i) {
    return i < io.inputs.size() ? io.inputs[i] : const_view{};
  };
  if (drops(input(2), input(1))) throw kernel_error(refusal);
  const auto count = static_cast<std::size_t>(io.inputs[0].element_count());
  if (count == 0) return;
  if (io.outputs[0].data != io.inputs[0].data && io.outputs[0].data != nullptr)
    std::memcpy(io.outputs[0].data, io.inputs[0].data, count * size_of(io.inputs[0].type));
  if (io.outputs.size() < 2 || io.outputs[1].data == nullptr) return;
  visit_dtype(io.outputs[1].type, [&]<class T>(std::type_identity<T>) {
    std::fill_n(io.outputs[1].as<T>(), count, reference::convert<T>(1.0f));
  });
}

result<std::unique_ptr<kernel>> prepare(const prepare_context&) {
  return function_kernel(run, {.overwritable = 0});
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

std::optional<interval> field(const node_context&, std::size_t input, int, interval wanted) {
  if (input != 0) return std::nullopt;
  return wanted;
}

} // namespace

const operator_def dropout{
    .name = "Dropout",
    .max_inputs = 3,
    .max_outputs = 2,
    .infer = infer,
    .receptive_field = field,
    .split_axis = rules::split_like_input,
    .kernels = kernels,
};

} // namespace shoal::operators
