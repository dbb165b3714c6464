#include "kernels/cpu/normalization.hpp"
#include "kernels/reference/normalization.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

#include <algorithm>

namespace shoal::operators {
namespace {

/// Channels that one is normalised by; a shape rule has checked that it is a number of channels.
std::int64_t size_of_window(const node_context& c) {
  return c.attrs().get_int("size", 0);
}

struct coefficients {
  float alpha, beta, bias;
};

coefficients coefficients_of(const node_context& c) {
  return {c.attrs().get_float("alpha", 1e-4f), c.attrs().get_float("beta", 0.75f),
          c.attrs().get_float("bias", 1)};
}

result<void> check(const graph_node& node) {
  const auto size = node.attrs.get_int("size", 0);
  constexpr std::int64_t largest = 1 << 20;
  if (size < 1 || size > largest)
    return node_error(node, errc::malformed,
                      fmt::format("attribute size: expected 1 to {}, got {}", largest, size));
  return {};
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  if (c.dims(0).rank() < 3)
    return arguments::refuse(c, errc::invalid_argument, "X: expected [N,C,spatial...], got {}",
                             to_string(c.dims(0)));
  return arguments::one_output(c.type(0), c.dims(0));
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {(2.0 * static_cast<double>(size_of_window(c)) + 3) *
              static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

std::optional<interval> field(const node_context& c, std::size_t, int axis, interval wanted) {
  if (axis != 1) return wanted;
  const auto size = size_of_window(c);
  return interval{std::max<std::int64_t>(wanted.first - (size - 1) / 2, 0),
                  std::min(wanted.last + size / 2, c.dims(0)[1] - 1)};
}

std::optional<int> split_axis(const node_context&, std::span<const int> split) {
  if (split[0] == 1) return std::nullopt;
  return split[0];
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  const auto [alpha, beta, bias] = coefficients_of(c);
  return kernels::make_local_response_normalization(c.dims(0), size_of_window(c), alpha, beta, bias,
                                                    c.threads);
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return function_kernel(
      [size = size_of_window(c), with = coefficients_of(c)](const kernel_io& io) {
        reference::local_response_normalization(
            io.inputs[0], io.outputs[0], size, static_cast<double>(with.alpha),
            static_cast<double>(with.beta), static_cast<double>(with.bias));
      });
}

constexpr kernel_entry lrn_kernels[] = {{"onednn", prepare_onednn},
                                        {"reference", prepare_reference}};

} // namespace

const operator_def lrn{
    .name = "LRN",
    .check = check,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = lrn_kernels,
};

} // namespace shoal::operators
