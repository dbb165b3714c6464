#include "kernels/reference/affine_grid.hpp"

#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

// Inputs: theta [N,2,3] or [N,3,4], and the extents [N,C,spatial...] of what is to be sampled.

namespace shoal::operators {
namespace {

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_TRY(const auto size, arguments::constant_ints(c, 1, "size"));
  const auto axes = static_cast<std::int64_t>(size.size()) - 2;
  if ((axes != 2 && axes != 3) || c.dims(0) != shape{size[0], axes, axes + 1})
    return arguments::refuse(c, errc::invalid_argument,
                             "expected theta [N,A,A + 1] and A + 2 extents, A being 2 or 3, got {} "
                             "and {} extents",
                             to_string(c.dims(0)), size.size());
  std::vector<std::int64_t> out{size[0]};
  out.insert(out.end(), size.begin() + 2, size.end());
  out.push_back(axes);
  SHOAL_TRY(const auto dims, arguments::checked_shape(c, out));
  return arguments::one_output(c.type(0), dims);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {2.0 * static_cast<double>(c.dims(0)[2]) *
              static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

/// Never cut: the extents would have to be others for a part.
std::optional<interval> field(const node_context&, std::size_t input, int axis, interval wanted) {
  if (input != 0 || axis != 0) return std::nullopt;
  return wanted;
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const bool corners = c.attrs().get_int("align_corners", 0) != 0;
  return function_kernel([corners](const kernel_io& io) {
    reference::affine_grid(corners, io.inputs[0], io.outputs[0]);
  });
}

constexpr kernel_entry kernels[] = {{"reference", prepare}};

} // namespace

const operator_def affine_grid{
    .name = "AffineGrid",
    .first_opset = 20,
    .min_inputs = 2,
    .max_inputs = 2,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .kernels = kernels,
};

} // namespace shoal::operators
