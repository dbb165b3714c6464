#include "runtime/operators/convolution_rules.hpp"

#include "kernels/cpu/convolution.hpp"
#include "kernels/reference/convolution.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/packing.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::rules {
namespace {

using arguments::refuse;

std::int64_t groups_of(const node_context& c) {
  return c.attrs().get_int("group", 1);
}

result<window> convolution_window(const node_context& c) {
  const shape kernel(c.dims(1).span().subspan(2));
  const auto stated = c.attrs().get_ints("kernel_shape");
  if (!stated.empty() && !(stated.size() <= shape::max_rank && shape(stated) == kernel))
    return refuse(c, errc::invalid_argument,
                  "attribute kernel_shape does not agree with W, which is {}",
                  to_string(c.dims(1)));
  return read_window(c, kernel);
}

result<void> expect_weights(const node_context& c) {
  const auto &x = c.dims(0), &w = c.dims(1);
  const auto groups = groups_of(c);
  SHOAL_CHECK(arguments::expect_same_type(c, 1, 0));
  if (w.rank() != x.rank())
    return refuse(c, errc::invalid_argument, "W: expected {} dimensions as X has, got {}", x.rank(),
                  to_string(w));
  if (groups < 1 || groups > w[0] || w[0] % groups != 0)
    return refuse(c, errc::invalid_argument, "{} outputs of W {} do not divide into {} groups",
                  w[0], to_string(w), groups);
  if (x[1] % groups != 0 || x[1] / groups != w[1])
    return refuse(c, errc::invalid_argument,
                  "W {} has {} input channels per group, X {} gives {} in {} groups", to_string(w),
                  w[1], to_string(x), x[1], groups);
  if (c.has(2)) {
    SHOAL_CHECK(arguments::expect_same_type(c, 2, 0));
    if (c.dims(2) != shape{w[0]})
      return refuse(c, errc::invalid_argument, "B: expected [{}], got {}", w[0],
                    to_string(c.dims(2)));
  }
  return {};
}

} // namespace

result<std::vector<tensor_type>> infer_convolution(const node_context& c) {
  SHOAL_CHECK(expect_image(c));
  if (!is_floating(c.type(0)))
    return refuse(c, errc::invalid_argument, "X: expected a floating type, got {}",
                  to_string(c.type(0)));
  SHOAL_CHECK(expect_weights(c));
  SHOAL_TRY(const auto at, convolution_window(c));
  SHOAL_TRY(const auto extents, slid_extents(c, at, c.dims(1)[0]));
  if (c.has(3)) {
    SHOAL_CHECK(arguments::expect_same_type(c, 3, 0));
    if (c.dims(3) != extents)
      return refuse(c, errc::invalid_argument, "Z: expected {} as the result has, got {}",
                    to_string(extents), to_string(c.dims(3)));
  }
  return arguments::one_output(c.type(0), extents);
}

operator_cost convolution_cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto& w = c.dims(1);
  const double per_output = 2.0 * static_cast<double>(w.element_count(1, w.rank()));
  return {per_output * static_cast<double>(outputs[0].dims.element_count()),
          operand_bytes(c, outputs)};
}

std::optional<interval> convolution_field(const node_context& c, std::size_t input, int axis,
                                          interval wanted) {
  if (input == 3) return wanted; // the residual
  if (input != 0) return std::nullopt;
  if (axis == 0) return wanted;
  if (axis == 1) {
    if (groups_of(c) == 1) return std::nullopt;
    const auto outputs = c.dims(1)[0] / groups_of(c), inputs = c.dims(1)[1];
    return interval{wanted.first / outputs * inputs, (wanted.last / outputs + 1) * inputs - 1};
  }
  const auto at = convolution_window(c);
  if (!at) return std::nullopt;
  return window_field(*at, axis - 2, c.dims(0)[axis], wanted);
}

namespace {

result<std::unique_ptr<kernel>> prepare(const prepare_context& c, const activation& then,
                                        kernels::convolution_way way) {
  if (c.type(0) != dtype::f32) return nullptr;
  SHOAL_TRY(auto at, convolution_window(c));
  auto k = kernels::make_convolution({.source = c.dims(0),
                                      .weights = c.dims(1),
                                      .target = c.outputs[0].dims,
                                      .at = at,
                                      .groups = groups_of(c),
                                      .has_bias = c.has(2),
                                      .has_residual = c.has(3),
                                      .then = then,
                                      .way = way},
                                     c.threads);
  if (k == nullptr) return nullptr;
  SHOAL_CHECK(pack_constant(*k, c));
  return k;
}

} // namespace

result<std::unique_ptr<kernel>> prepare_winograd_convolution(const prepare_context& c,
                                                             const activation& then) {
  if (c.attrs().get_string(algorithm_attribute, "") != winograd_algorithm) return nullptr;
  return prepare(c, then, kernels::convolution_way::winograd);
}

result<std::unique_ptr<kernel>> prepare_onednn_convolution(const prepare_context& c,
                                                           const activation& then) {
  const bool steady = c.attrs().get_string(algorithm_attribute, "") == steady_algorithm;
  return prepare(c, then,
                 steady ? kernels::convolution_way::steady : kernels::convolution_way::fastest);
}

result<std::unique_ptr<kernel>> prepare_reference_convolution(const prepare_context& c,
                                                              const activation& then) {
  SHOAL_TRY(auto at, convolution_window(c));
  return function_kernel([at, groups = groups_of(c), then](const kernel_io& io) {
    const auto optional = [&](std::size_t i) {
      return i < io.inputs.size() ? io.inputs[i] : const_view{};
    };
    reference::convolution(io.inputs[0], io.inputs[1], optional(2), optional(3), io.outputs[0], at,
                           groups, then);
  });
}

} // namespace shoal::rules
