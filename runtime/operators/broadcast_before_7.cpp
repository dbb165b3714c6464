#include "runtime/operators/arguments.hpp"
#include "runtime/operators/operators.hpp"

// Before opset 7 the second input alone was broadcast, and its first axis lay beside the axis that
// the attribute `axis` names. With ones in the place of the axes behind that, it is what
// newer opsets do.

namespace shoal::operators {
namespace {

using arguments::refuse;

/// A slope that is no single number is one per channel, however many axes follow.
std::int64_t first_axis(const node_context& c) {
  const int rank = c.dims(0).rank(), fewer = rank - c.dims(1).rank();
  if (c.node.definition->name == "PRelu" && c.dims(1).rank() == 1 && rank > 1)
    return c.dims(1)[0] == 1 ? fewer : 1;
  const auto axis = c.attrs().get_int("axis", fewer);
  return axis < 0 ? axis + rank : axis;
}

/// A node's context in which input 1 has all axes from its first one on.
class aligned_context {
 public:
  explicit aligned_context(const node_context& c)
      : node_(c.node), operands_(c.inputs.begin(), c.inputs.end()) {
    shape& dims = operands_[1].type.dims;
    for (auto last = first_axis(c) + dims.rank(); last < c.dims(0).rank(); ++last)
      dims.push_back(1);
  }
  node_context get() const { return {node_, operands_}; }

 private:
  const graph_node& node_;
  std::vector<operand> operands_;
};

template <const operator_def& Now>
result<std::vector<tensor_type>> infer(const node_context& c) {
  const auto axis = first_axis(c);
  if (axis < 0 || axis + c.dims(1).rank() > c.dims(0).rank())
    return refuse(c, errc::invalid_argument, "{} does not fit {} from axis {} on",
                  to_string(c.dims(1)), to_string(c.dims(0)), axis);
  const aligned_context aligned(c);
  SHOAL_TRY(auto types, Now.infer(aligned.get()));
  if (types[0].dims != c.dims(0))
    return refuse(c, errc::invalid_argument, "{} cannot be broadcast to {} from axis {} on",
                  to_string(c.dims(1)), to_string(c.dims(0)), axis);
  return types;
}

std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  if (input == 0) return axis;
  const auto own = axis - static_cast<int>(first_axis(c));
  if (own < 0 || own >= c.dims(1).rank()) return std::nullopt;
  return own;
}

template <const operator_def& Now>
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (!input_axis(c, input, axis)) return std::nullopt;
  return Now.receptive_field(aligned_context(c).get(), input, axis, wanted);
}

template <const operator_def& Now>
std::optional<int> split(const node_context& c, std::span<const int> split) {
  return Now.split_axis(aligned_context(c).get(), split);
}

/// The first kernel of the newer opsets that applies. Operands come plain: with another rank, an
/// operand lies otherwise in any other layout.
template <const operator_def& Now>
result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  const aligned_context aligned(c);
  const layout plain[] = {layout::plain, layout::plain};
  for (const auto& entry : Now.kernels) {
    SHOAL_TRY(auto k, entry.prepare({aligned.get(), c.outputs, plain, c.threads, c.weights}));
    if (k != nullptr) return k;
  }
  return nullptr;
}

template <const operator_def& Now>
constexpr kernel_entry entries[] = {{"as_since_7", prepare<Now>}};

/// The name is given, as that of `Now` is not known while this is made.
template <const operator_def& Now>
constexpr operator_def before_7(std::string_view name) {
  return {.name = name,
          .last_opset = 6,
          .min_inputs = 2,
          .max_inputs = 2,
          .infer = infer<Now>,
          .input_axis = input_axis,
          .receptive_field = field<Now>,
          .split_axis = split<Now>,
          .kernels = entries<Now>};
}

} // namespace

const operator_def add_before_7 = before_7<add>("Add");
const operator_def sub_before_7 = before_7<sub>("Sub");
const operator_def mul_before_7 = before_7<mul>("Mul");
const operator_def div_before_7 = before_7<div>("Div");
const operator_def pow_before_7 = before_7<pow>("Pow");
const operator_def prelu_before_7 = before_7<prelu>("PRelu");
const operator_def logical_and_before_7 = before_7<logical_and>("And");
const operator_def logical_or_before_7 = before_7<logical_or>("Or");
const operator_def logical_xor_before_7 = before_7<logical_xor>("Xor");
const operator_def equal_before_7 = before_7<equal>("Equal");
const operator_def greater_before_7 = before_7<greater>("Greater");
const operator_def less_before_7 = before_7<less>("Less");

} // namespace shoal::operators
