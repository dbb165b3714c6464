#include "kernels/broadcast.hpp"
#include "kernels/cpu/unary.hpp"
#include "kernels/reference/binary.hpp"
#include "kernels/reference/convert.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

#include <limits>

namespace shoal::operators {
namespace {

/// A bound that is an attribute up to opset 10; infinite when absent.
float bound(const node_context& c, std::string_view name, float fallback) {
  return c.node.opset < 11 ? c.attrs().get_float(name, fallback) : fallback;
}

constexpr float infinite = std::numeric_limits<float>::infinity();

result<std::vector<tensor_type>> infer(const node_context& c) {
  if (c.type(0) == dtype::boolean)
    return arguments::refuse(c, errc::invalid_argument, "expected numbers, got {}",
                             to_string(c.inputs[0].type));
  for (std::size_t i = 1; i < c.inputs.size(); ++i) {
    if (!c.has(i)) continue;
    SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
    if (c.dims(i).element_count() != 1)
      return arguments::refuse(c, errc::invalid_argument, "bound {} is {}, expected a scalar", i,
                               to_string(c.inputs[i].type));
  }
  return rules::same_as_input(c);
}

/// The layout of the input; the bounds are scalars.
kernel_traits traits_of(const prepare_context& c) {
  const auto format = c.input_layouts[0];
  const bool keeps = broadcasts_in(c.dims(0), c.dims(0), format);
  const auto kept = keeps ? format : layout::plain;
  return {.inputs = {kept}, .output = kept, .overwritable = 0};
}

bool given(const kernel_io& io, std::size_t i) {
  return i < io.inputs.size() && io.inputs[i].data != nullptr;
}

result<std::unique_ptr<kernel>> prepare_cpu(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  const float low = bound(c, "min", -infinite), high = bound(c, "max", infinite);
  return function_kernel(
      [low, high](const kernel_io& io) {
        const unary_parameters bounds{given(io, 1) ? *io.inputs[1].as<float>() : low,
                                      given(io, 2) ? *io.inputs[2].as<float>() : high};
        kernels::unary(unary_function::clip, bounds, io.inputs[0].as<float>(),
                       io.outputs[0].as<float>(), io.inputs[0].element_count());
      },
      traits_of(c));
}

/// max(x, low), then min(_, high), in the type itself.
result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  const auto type = c.type(0);
  // Integers have no infinities: convert saturates to their limits.
  const auto low = reference::scalar(type, bound(c, "min", -infinite));
  const auto high = reference::scalar(type, bound(c, "max", infinite));
  loop_nest nest(3);
  nest.push(c.dims(0).element_count(), {1, 0, 1});
  return function_kernel(
      [=](const kernel_io& io) {
        void* out = io.outputs[0].data;
        const void* least = given(io, 1) ? io.inputs[1].data : low.data();
        const void* most = given(io, 2) ? io.inputs[2].data : high.data();
        reference::binary(binary_function::max, type, nest, io.inputs[0].data, least, out);
        reference::binary(binary_function::min, type, nest, out, most, out);
      },
      traits_of(c));
}

constexpr kernel_entry kernels[] = {{"cpu", prepare_cpu}, {"reference", prepare_reference}};

std::optional<interval> field(const node_context&, std::size_t input, int, interval wanted) {
  if (input != 0) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context&, std::span<const int> split) {
  if (!rules::others_are_whole(split)) return std::nullopt;
  if (split[0] == unsplit) return std::nullopt;
  return split[0];
}

} // namespace

const operator_def clip{
    .name = "Clip",
    .max_inputs = 3,
    .infer = infer,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernels,
};

} // namespace shoal::operators
