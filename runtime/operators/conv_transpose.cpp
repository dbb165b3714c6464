#include "kernels/cpu/convolution.hpp"
#include "kernels/reference/convolution.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/packing.hpp"
#include "runtime/operators/window_rules.hpp"

#include <algorithm>

// Inputs: X [N,C,spatial...], W [C,M/group,kernel...], B [M].

namespace shoal::operators {
namespace {

using arguments::refuse;

/// The window that slides over the output, and the output's extents.
struct geometry {
  window at;
  shape output;
};

std::int64_t groups_of(const node_context& c) {
  return c.attrs().get_int("group", 1);
}

/// What the attributes output_shape and auto_pad leave open: the padding that gives `wanted`
/// elements where the window covers `covered`.
void pad_to(window& at, int axis, std::int64_t covered, std::int64_t wanted, bool odd_at_end) {
  const auto total = std::max<std::int64_t>(covered - wanted, 0);
  at.pad_begin[axis] = odd_at_end ? total / 2 : total - total / 2;
  at.pad_end[axis] = total - at.pad_begin[axis];
}

result<geometry> geometry_of(const node_context& c) {
  const auto &x = c.dims(0), &w = c.dims(1);
  const int axes = x.rank() - 2;
  SHOAL_TRY(auto at, rules::read_window(c, shape(w.span().subspan(2))));
  const auto mode = c.attrs().get_string("auto_pad", "NOTSET");
  const auto extra = c.attrs().get_ints("output_padding");
  const auto stated = c.attrs().get_ints("output_shape");
  // Some exporters state the batch and the channels too.
  const auto leading = stated.size() == static_cast<std::size_t>(axes) + 2 ? 2u : 0u;
  if ((!extra.empty() && extra.size() != static_cast<std::size_t>(axes)) ||
      (!stated.empty() && stated.size() != static_cast<std::size_t>(axes) + leading))
    return refuse(c, errc::malformed, "expected {} values of output_padding and output_shape",
                  axes);

  geometry g{at, {x[0], w[1] * groups_of(c)}};
  for (int i = 0; i < axes; ++i) {
    const auto index = static_cast<std::size_t>(i);
    const auto added = extra.empty() ? 0 : extra[index];
    constexpr std::int64_t largest = std::int64_t{1} << 30;
    if (added < 0 || added > largest || x[i + 2] > largest)
      return refuse(c, errc::malformed, "output_padding {} or extent {} is out of range", added,
                    x[i + 2]);
    const auto covered = at.stride[i] * (x[i + 2] - 1) + added + at.reach(i);
    auto extent = covered - at.pad_begin[i] - at.pad_end[i];
    if (!stated.empty() || mode.starts_with("SAME")) {
      extent = stated.empty() ? x[i + 2] * at.stride[i] : stated[index + leading];
      pad_to(g.at, i, covered, extent, mode == "SAME_UPPER");
    }
    if (extent < 1)
      return refuse(c, errc::invalid_argument, "axis {} of the output would have {} elements",
                    i + 2, extent);
    g.output.push_back(extent);
  }
  SHOAL_TRY(g.output, arguments::checked_shape(c, g.output.span()));
  return g;
}

result<void> expect_weights(const node_context& c) {
  const auto &x = c.dims(0), &w = c.dims(1);
  const auto groups = groups_of(c);
  SHOAL_CHECK(arguments::expect_same_type(c, 1, 0));
  if (w.rank() != x.rank())
    return refuse(c, errc::invalid_argument, "W: expected {} dimensions as X has, got {}", x.rank(),
                  to_string(w));
  if (w[0] != x[1])
    return refuse(c, errc::invalid_argument, "W {} has {} input channels, X {} has {}",
                  to_string(w), w[0], to_string(x), x[1]);
  if (groups < 1 || groups > std::max<std::int64_t>(x[1], 1) || x[1] % groups != 0)
    return refuse(c, errc::invalid_argument, "{} channels of X {} do not divide into {} groups",
                  x[1], to_string(x), groups);
  if (!c.has(2)) return {};
  SHOAL_CHECK(arguments::expect_same_type(c, 2, 0));
  if (c.dims(2) != shape{w[1] * groups})
    return refuse(c, errc::invalid_argument, "B: expected [{}], got {}", w[1] * groups,
                  to_string(c.dims(2)));
  return {};
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32, dtype::f64, dtype::f16, dtype::bf16}));
  SHOAL_CHECK(rules::expect_image(c));
  SHOAL_CHECK(expect_weights(c));
  SHOAL_TRY(const auto g, geometry_of(c));
  return arguments::one_output(c.type(0), g.output);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto& w = c.dims(1);
  return {2.0 * static_cast<double>(w.element_count(1, w.rank())) *
              static_cast<double>(c.dims(0).element_count()),
          rules::operand_bytes(c, outputs)};
}

/// Inputs whose windows reach the wanted outputs; one more in front where there is a gap before the
/// first of them, so that a part computed alone covers all that is wanted.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0) return std::nullopt;
  if (axis == 0) return wanted;
  if (axis == 1) {
    if (groups_of(c) == 1 || c.dims(1)[1] == 0) return std::nullopt;
    const auto outputs = c.dims(1)[1], inputs = c.dims(1)[0] / groups_of(c);
    return interval{wanted.first / outputs * inputs, (wanted.last / outputs + 1) * inputs - 1};
  }
  const auto g = geometry_of(c);
  if (!g) return std::nullopt;
  const int i = axis - 2;
  const auto stride = g->at.stride[i], pad = g->at.pad_begin[i];
  const auto reached = wanted.first + pad - g->at.reach(i) + 1; // by the window of input 0
  const auto end = std::max<std::int64_t>(c.dims(0)[axis] - 1, 0);
  auto first = reached <= 0 ? 0 : (reached + stride - 1) / stride;
  if (first * stride - pad > wanted.first && first > 0) --first;
  const auto last = (wanted.last + pad) / stride;
  return interval{std::min(first, end), std::min(last, end)};
}

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  SHOAL_TRY(const auto g, geometry_of(c));
  auto k = kernels::make_convolution({.source = c.dims(0),
                                      .weights = c.dims(1),
                                      .target = c.outputs[0].dims,
                                      .at = g.at,
                                      .groups = groups_of(c),
                                      .transposed = true,
                                      .has_bias = c.has(2)},
                                     c.threads);
  if (k == nullptr) return nullptr;
  SHOAL_CHECK(pack_constant(*k, c));
  return k;
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  SHOAL_TRY(const auto g, geometry_of(c));
  return function_kernel([at = g.at, groups = groups_of(c)](const kernel_io& io) {
    const auto bias = io.inputs.size() > 2 ? io.inputs[2] : const_view{};
    reference::transposed_convolution(io.inputs[0], io.inputs[1], bias, io.outputs[0], at, groups);
  });
}

constexpr kernel_entry conv_transpose_kernels[] = {{"onednn", prepare_onednn},
                                                   {"reference", prepare_reference}};

} // namespace

const operator_def conv_transpose{
    .name = "ConvTranspose",
    .min_inputs = 2,
    .max_inputs = 3,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = rules::split_batch,
    .kernels = conv_transpose_kernels,
};

} // namespace shoal::operators
