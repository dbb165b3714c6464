#include "kernels/broadcast.hpp"
#include "kernels/cpu/binary.hpp"
#include "kernels/cpu/skip_normalization.hpp"
#include "kernels/reference/binary.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/broadcast_rules.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

/// What a graph rewrite makes of a sum and its LayerNormalization over the last axis. Inputs: 0 and
/// 1 summands, broadcast to each other as Add does, 2 scale, 3 shift (optional), both as long as
/// the last axis. Outputs: 0 normalised, 1 the sum (optional). Rows do not depend on each other.
namespace shoal::operators {
namespace {

/// The node as the Add that it contains.
struct sum_of {
  node_context context;
  explicit sum_of(const node_context& c) : context{c.node, c.inputs.first(2)} {}
};

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  SHOAL_TRY(const auto sum, rules::broadcast_infer(sum_of(c).context));
  const auto& dims = sum[0].dims;
  if (dims.rank() < 1)
    return arguments::refuse(c, errc::invalid_argument, "expected rows, got scalars");
  for (const std::size_t i : {2, 3}) {
    if (!c.has(i)) continue;
    SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
    if (c.dims(i) != shape{dims[dims.rank() - 1]})
      return arguments::refuse(c, errc::invalid_argument, "{} {} does not fit rows of {}",
                               i == 2 ? "scale" : "shift", to_string(c.dims(i)), to_string(dims));
  }
  return std::vector<tensor_type>(c.node.outputs.size(), sum[0]);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {9.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

int last_axis(const node_context& c) {
  return std::max(c.dims(0).rank(), c.dims(1).rank()) - 1;
}

std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  if (input > 1) return std::nullopt;
  return rules::broadcast_axis(sum_of(c).context, input, axis);
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input > 1 || axis == last_axis(c)) return std::nullopt;
  return rules::broadcast_field(sum_of(c).context, input, axis, wanted);
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  for (std::size_t i = 2; i < split.size(); ++i)
    if (split[i] != unsplit) return std::nullopt;
  const auto out = rules::broadcast_split(sum_of(c).context, split.first(2));
  if (out && *out == last_axis(c)) return std::nullopt;
  return out;
}

template <auto Add, auto Normalize>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const auto& y = c.outputs[0].dims;
  skip_normalization p;
  p.width = y[y.rank() - 1];
  p.rows = y.element_count(0, y.rank() - 1);
  p.skip_rows = p.rows;
  p.epsilon = static_cast<double>(c.attrs().get_float("epsilon", 1e-5f));
  const bool alike = c.dims(0) == y && c.dims(1) == y;
  const shape summands[] = {c.dims(0), c.dims(1)};
  const auto nest = broadcast_nest(summands, y, layout::plain);
  kernel_traits traits;
  if (alike) traits.overwritable = 0;
  return function_kernel(
      [=](const kernel_io& io) {
        auto run = p;
        run.y = io.outputs[0].as<float>();
        run.sum = io.outputs.size() > 1 ? io.outputs[1].as<float>() : run.y;
        run.scale = io.inputs[2].as<float>();
        if (io.inputs.size() > 3) run.shift = io.inputs[3].as<float>();
        if (alike) {
          run.x = io.inputs[0].as<float>();
          run.skip = io.inputs[1].as<float>();
        } else {
          Add(binary_function::add, dtype::f32, nest, io.inputs[0].data, io.inputs[1].data,
              run.sum);
          run.x = run.sum;
        }
        Normalize(run);
      },
      std::move(traits));
}

constexpr kernel_entry kernel_list[] = {
    {"cpu", prepare<kernels::binary, kernels::normalize>},
    {"reference", prepare<reference::binary, reference::normalize>}};

} // namespace

const operator_def add_layer_normalization{
    .name = "AddLayerNormalization",
    .domain = "shoal",
    .min_inputs = 3,
    .max_inputs = 4,
    .max_outputs = 2,
    .infer = infer,
    .cost = cost,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernel_list,
};

} // namespace shoal::operators
