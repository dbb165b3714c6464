#include "runtime/operators/arguments.hpp"
#include "runtime/operators/attention_way.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

#include <algorithm>
#include <array>

/// What a graph rewrite makes of attention written out: softmax(scale * Q K' + mask) V for every
/// head. Inputs: 0 queries, 1 keys, 2 values, 3 mask to add (optional). Operands are [batch, heads,
/// rows, size], or [batch, rows, heads, size] where attribute q_rows_first, k_rows_first or
/// v_rows_first is set, and are broadcast to each other as MatMul and Add would; the result is
/// [batch, rows, heads, size]. A result depends on all keys of its batch entry, and on its own
/// query alone; only the batch can be cut.
namespace shoal::operators {
namespace {

using arguments::refuse;

/// Extents of one input in the order batch, heads, rows, columns, and its strides.
struct ordered {
  std::array<std::int64_t, 4> extents{1, 1, 1, 1};
  std::array<std::int64_t, 4> strides{};

  /// Strides when it is repeated along axes where it has one element and others more.
  attention_operand repeated() const {
    const auto of = [&](std::size_t i) { return extents[i] == 1 ? 0 : strides[i]; };
    return {of(0), of(1), of(2)};
  }
};

ordered ordered_input(const node_context& c, std::size_t i, const char* rows_first) {
  const auto& dims = c.dims(i);
  ordered o;
  std::int64_t stride = 1;
  for (int axis = dims.rank() - 1; axis >= 0; --axis) {
    const auto at = static_cast<std::size_t>(axis + 4 - dims.rank());
    o.extents[at] = dims[axis];
    o.strides[at] = stride;
    stride *= dims[axis];
  }
  if (rows_first != nullptr && c.attrs().get_int(rows_first, 0) != 0) {
    std::swap(o.extents[1], o.extents[2]);
    std::swap(o.strides[1], o.strides[2]);
  }
  return o;
}

struct plan {
  attention_problem problem;
  attention_mask mask; ///< without its data
};

/// False if `extent` and `other` cannot be broadcast to each other.
bool broadcast(std::int64_t& extent, std::int64_t other) {
  if (extent == 1) extent = other;
  return other == 1 || other == extent;
}

result<plan> plan_of(const node_context& c) {
  for (std::size_t i = 0; i < c.inputs.size(); ++i) {
    if (!c.has(i)) continue;
    SHOAL_CHECK(arguments::expect_type(c, i, {dtype::f32}));
    const int rank = c.dims(i).rank();
    if (rank > 4 || rank < (i < 3 ? 2 : 0))
      return refuse(c, errc::invalid_argument, "input {}: got {}", i, to_string(c.dims(i)));
  }
  const auto q = ordered_input(c, 0, "q_rows_first"), k = ordered_input(c, 1, "k_rows_first");
  const auto v = ordered_input(c, 2, "v_rows_first");
  const auto m = c.has(3) ? ordered_input(c, 3, nullptr) : ordered{};
  std::int64_t batch = 1, heads = 1, queries = q.extents[2], keys = k.extents[2];
  bool fits = q.extents[3] == k.extents[3];
  for (const auto* operand : {&q, &k, &v, &m})
    fits = fits && broadcast(batch, operand->extents[0]) && broadcast(heads, operand->extents[1]);
  fits = fits && broadcast(queries, m.extents[2]) && broadcast(keys, m.extents[3]) &&
         v.extents[2] == keys;
  if (!fits)
    return refuse(c, errc::invalid_argument,
                  "queries {}, keys {}, values {} and mask {} do not fit", to_string(c.dims(0)),
                  to_string(c.dims(1)), to_string(c.dims(2)),
                  c.has(3) ? to_string(c.dims(3)) : "none");
  plan p;
  p.problem = {batch,        heads,        queries,      keys,         q.extents[3],
               v.extents[3], q.repeated(), k.repeated(), v.repeated(), 1};
  p.problem.scale = c.attrs().get_float("scale", 1);
  const auto of_mask = m.repeated();
  p.mask.added_batch = of_mask.batch;
  p.mask.added_head = of_mask.head;
  p.mask.added_row = of_mask.row;
  p.mask.added_key = m.extents[3] == 1 ? 0 : 1;
  return p;
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_TRY(const auto p, plan_of(c));
  const auto& a = p.problem;
  SHOAL_CHECK(arguments::checked_shape(c, shape{a.batch, a.heads, a.queries, a.keys}.span()));
  SHOAL_TRY(const auto y,
            arguments::checked_shape(c, shape{a.batch, a.queries, a.heads, a.value_size}.span()));
  return arguments::one_output(dtype::f32, y);
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto p = plan_of(c);
  return {p ? attention_flops(p->problem) : 0, rules::operand_bytes(c, outputs)};
}

/// Every operand has batch and heads, queries and mask the rows of the result, values its columns.
std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  static constexpr const char* rows_first[] = {"q_rows_first", "k_rows_first", "v_rows_first"};
  const bool swapped = input < 3 && c.attrs().get_int(rows_first[input], 0) != 0;
  int at = axis;
  if (axis == 1) {
    if (input == 1 || input == 2) return std::nullopt;
    at = swapped ? 1 : 2;
  } else if (axis == 2) {
    at = swapped ? 2 : 1;
  } else if (axis == 3 && input != 2) {
    return std::nullopt;
  }
  const int own = at - (4 - c.dims(input).rank());
  if (own < 0) return std::nullopt;
  return own;
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  const auto own = input_axis(c, input, axis);
  if (!own) return std::nullopt;
  return c.dims(input)[*own] == 1 ? interval{0, 0} : wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  if (std::all_of(split.begin(), split.end(), [](int axis) { return axis == unsplit; }))
    return unsplit;
  for (std::size_t i = 0; i < split.size(); ++i) {
    const bool batched = c.has(i) && c.dims(i).rank() == 4 && c.dims(i)[0] != 1;
    if (split[i] != (batched ? 0 : unsplit)) return std::nullopt;
  }
  return 0;
}

template <const attention_way& Way>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  SHOAL_TRY(const auto p, plan_of(c));
  return function_kernel(
      [p](const kernel_io& io) {
        auto mask = p.mask;
        if (io.inputs.size() > 3) mask.added = io.inputs[3].as<float>();
        Way.attend(p.problem, mask, io.inputs[0].as<float>(), io.inputs[1].as<float>(),
                   io.inputs[2].as<float>(), reinterpret_cast<float*>(io.scratch),
                   io.outputs[0].as<float>());
      },
      {.scratch_bytes = floats(Way.scratch(p.problem, c.threads))});
}

constexpr kernel_entry kernel_list[] = {{"cpu", prepare<cpu_attention>},
                                        {"reference", prepare<reference_attention>}};

} // namespace

const operator_def scaled_dot_product_attention{
    .name = "ScaledDotProductAttention",
    .domain = "shoal",
    .min_inputs = 3,
    .max_inputs = 4,
    .infer = infer,
    .cost = cost,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernel_list,
};

} // namespace shoal::operators
