#include "runtime/operators/pool_rules.hpp"

#include "kernels/reference/pooling.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::rules {

window global_window(const shape& source) {
  const int axes = source.rank() - 2;
  const auto ones = shape::filled(axes, 1), zeros = shape::filled(axes, 0);
  return {shape(source.span().subspan(2)), ones, ones, zeros, zeros};
}

namespace {

result<window> pool_window(const node_context& c) {
  SHOAL_TRY(const auto kernel, read_kernel_shape(c));
  return read_window(c, kernel);
}

result<window> window_of(const prepare_context& c, bool global) {
  if (global) return global_window(c.dims(0));
  return pool_window(c);
}

double taps_of(const window& at) {
  return static_cast<double>(at.kernel.element_count());
}

operator_cost cost_of(const window& at, const node_context& c,
                      std::span<const tensor_type> outputs) {
  return {taps_of(at) * static_cast<double>(outputs[0].dims.element_count()),
          operand_bytes(c, outputs)};
}

} // namespace

result<std::vector<tensor_type>> infer_pool(const node_context& c) {
  SHOAL_CHECK(expect_image(c));
  SHOAL_TRY(const auto at, pool_window(c));
  SHOAL_TRY(const auto extents, slid_extents(c, at, c.dims(0)[1]));
  return arguments::one_output(c.type(0), extents);
}

operator_cost pool_cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto at = pool_window(c);
  return at ? cost_of(*at, c, outputs) : operator_cost{};
}

std::optional<interval> pool_field(const node_context& c, std::size_t, int axis, interval wanted) {
  if (axis < 2) return wanted;
  const auto at = pool_window(c);
  if (!at) return std::nullopt;
  return window_field(*at, axis - 2, c.dims(0)[axis], wanted);
}

result<std::vector<tensor_type>> infer_global_pool(const node_context& c) {
  SHOAL_CHECK(expect_image(c));
  shape extents = c.dims(0);
  for (int i = 2; i < extents.rank(); ++i) {
    if (extents[i] == 0)
      return arguments::refuse(c, errc::invalid_argument, "X: expected pixels, got {}",
                               to_string(c.dims(0)));
    extents[i] = 1;
  }
  return arguments::one_output(c.type(0), extents);
}

operator_cost global_pool_cost(const node_context& c, std::span<const tensor_type> outputs) {
  return cost_of(global_window(c.dims(0)), c, outputs);
}

std::optional<interval> global_pool_field(const node_context&, std::size_t, int axis,
                                          interval wanted) {
  if (axis < 2) return wanted;
  return std::nullopt;
}

result<std::unique_ptr<kernel>> prepare_onednn_pool(const prepare_context& c,
                                                    kernels::pooling function, bool global) {
  SHOAL_TRY(const auto at, window_of(c, global));
  return kernels::make_pooling(function, c.dims(0), c.outputs[0].dims, at, c.type(0),
                               c.input_layouts[0], c.threads);
}

result<std::unique_ptr<kernel>> prepare_reference_pool(const prepare_context& c,
                                                       kernels::pooling function, bool global) {
  SHOAL_TRY(auto at, window_of(c, global));
  return function_kernel([at, function](const kernel_io& io) {
    if (function == kernels::pooling::max)
      reference::max_pool(io.inputs[0], io.outputs[0], at);
    else
      reference::average_pool(io.inputs[0], io.outputs[0], at,
                              function == kernels::pooling::average_with_padding);
  });
}

} // namespace shoal::rules
