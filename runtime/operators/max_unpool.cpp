#include "kernels/reference/pooling.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

// Undoes a MaxPool with the indices that it gave. Inputs: X, I, and the extents of the output.

namespace shoal::operators {
namespace {

using arguments::refuse;

/// The smallest image that the MaxPool can have come from: the one that the indices count in.
result<shape> pooled_extents(const node_context& c) {
  SHOAL_CHECK(rules::expect_image(c));
  SHOAL_TRY(const auto kernel, rules::read_kernel_shape(c));
  SHOAL_TRY(const auto at, rules::read_window(c, kernel));
  const auto& x = c.dims(0);
  shape out{x[0], x[1]};
  for (int axis = 0; axis < kernel.rank(); ++axis) {
    const std::int64_t steps[] = {x[axis + 2], at.stride[axis]};
    SHOAL_CHECK(checked_element_count(steps));
    out.push_back((x[axis + 2] - 1) * at.stride[axis] - at.pad_begin[axis] - at.pad_end[axis] +
                  kernel[axis]);
    if (out[axis + 2] < 0)
      return refuse(c, errc::invalid_argument, "X {} is smaller than its padding", to_string(x));
  }
  return arguments::checked_shape(c, out.span());
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(auto out, pooled_extents(c));
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i64}));
  if (c.dims(1) != c.dims(0))
    return refuse(c, errc::invalid_argument, "I: expected the extents of X, {}, got {}",
                  to_string(c.dims(0)), to_string(c.dims(1)));
  if (c.has(2)) {
    SHOAL_TRY(const auto wanted, arguments::constant_ints(c, 2, "output_shape"));
    SHOAL_TRY(const auto dims, arguments::checked_shape(c, wanted));
    bool fits = dims.rank() == out.rank();
    for (int axis = 0; fits && axis < out.rank(); ++axis) fits = dims[axis] >= out[axis];
    if (!fits)
      return refuse(c, errc::invalid_argument, "output_shape is {}, the pooled image {}",
                    to_string(dims), to_string(out));
    out = dims;
  }
  return arguments::one_output(c.type(0), out);
}

/// An index may lead anywhere.
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  SHOAL_TRY(const auto pooled, pooled_extents(c));
  return function_kernel([pooled, size = size_of(c.type(0))](const kernel_io& io) {
    reference::max_unpool(size, io.inputs[0], io.inputs[1], pooled, io.outputs[0]);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def max_unpool{
    .name = "MaxUnpool",
    .first_opset = 9,
    .min_inputs = 2,
    .max_inputs = 3,
    .infer = infer,
    .kernels = kernels,
};

} // namespace shoal::operators
