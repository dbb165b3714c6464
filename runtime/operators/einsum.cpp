#include "kernels/cpu/copy.hpp"
#include "kernels/cpu/matmul.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/einsum_equation.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

#include <algorithm>
#include <numeric>

namespace shoal::operators {
namespace {

using arguments::refuse;

result<std::vector<tensor_type>> infer(const node_context& c) {
  if (c.type(0) == dtype::boolean)
    return refuse(c, errc::invalid_argument, "expected numbers, got {}",
                  to_string(c.inputs[0].type));
  for (std::size_t i = 1; i < c.inputs.size(); ++i)
    SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
  SHOAL_TRY(const auto equation, read_einsum_equation(c));
  return arguments::one_output(c.type(0), equation.output());
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto equation = read_einsum_equation(c);
  if (!equation) return {};
  auto flops = static_cast<double>(c.inputs.size());
  for (std::size_t i = 0; i < equation->loops.labels; ++i)
    flops *= static_cast<double>(equation->loops.extent[i]);
  return {flops, rules::operand_bytes(c, outputs)};
}

/// Whether `axis` of `input` is that of the output called `label`, element by element.
bool follows(const einsum_equation& e, const node_context& c, std::size_t input, int axis,
             int label) {
  const auto& labels = e.inputs[input];
  return axis < static_cast<int>(labels.size()) &&
         labels[static_cast<std::size_t>(axis)] == label &&
         std::count(labels.begin(), labels.end(), label) == 1 &&
         c.dims(input)[axis] == e.loops.extent[static_cast<std::size_t>(label)];
}

std::optional<int> input_axis(const node_context& c, std::size_t input, int axis) {
  const auto equation = read_einsum_equation(c);
  for (int own = 0; equation && own < c.dims(input).rank(); ++own)
    if (follows(*equation, c, input, own, axis)) return own;
  return std::nullopt;
}

std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (!input_axis(c, input, axis)) return std::nullopt;
  return wanted;
}

/// Every input that has the label comes cut along it.
std::optional<int> split_axis(const node_context& c, std::span<const int> split) {
  const auto equation = read_einsum_equation(c);
  if (!equation) return std::nullopt;
  int label = unsplit;
  for (std::size_t i = 0; i < split.size(); ++i)
    if (split[i] != unsplit) label = equation->inputs[i][static_cast<std::size_t>(split[i])];
  if (label == unsplit || label >= static_cast<int>(equation->loops.output_labels))
    return std::nullopt;
  for (std::size_t i = 0; i < split.size(); ++i) {
    const auto& labels = equation->inputs[i];
    const bool has = std::find(labels.begin(), labels.end(), label) != labels.end();
    if (split[i] == unsplit && has) return std::nullopt;
    if (split[i] != unsplit && !follows(*equation, c, i, split[i], label)) return std::nullopt;
  }
  return label;
}

/// An operand of a product of matrices: how it is brought there, and whether that is needed.
struct matrix_operand {
  loop_nest nest = loop_nest(2); ///< from the tensor to the dense matrices
  std::int64_t elements = 1;
  bool as_it_is = true;
};

matrix_operand arranged(const einsum_equation& e, const reference::einsum_strides& strides,
                        const std::vector<int>& order) {
  matrix_operand m;
  std::vector<std::int64_t> dense(order.size());
  for (auto i = order.size(); i-- > 0;) {
    dense[i] = m.elements;
    m.elements *= e.loops.extent[static_cast<std::size_t>(order[i])];
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    const auto label = static_cast<std::size_t>(order[i]);
    m.nest.push(e.loops.extent[label], {strides[label], dense[i]});
    if (e.loops.extent[label] != 1) m.as_it_is = m.as_it_is && strides[label] == dense[i];
  }
  m.nest.merge();
  return m;
}

/// From matrices, dense in `order`, to the output, which is dense in the order of its labels.
matrix_operand arranged_back(const einsum_equation& e, const std::vector<int>& order) {
  reference::einsum_strides strides{};
  std::int64_t step = 1;
  for (auto i = order.size(); i-- > 0;) {
    const auto label = static_cast<std::size_t>(order[i]);
    strides[label] = step;
    step *= e.loops.extent[label];
  }
  std::vector<int> own(order.size());
  std::iota(own.begin(), own.end(), 0);
  return arranged(e, strides, own);
}

/// Labels by the part they have in a product of two matrices.
struct product_labels {
  std::vector<int> batch, rows, columns, length;
};

/// Nothing when the equation is more than that: a trace, a sum over one input alone, repetition.
std::optional<product_labels> as_product(const einsum_equation& e, const node_context& c) {
  if (e.inputs.size() != 2) return std::nullopt;
  product_labels p;
  for (int label = 0; label < static_cast<int>(e.loops.labels); ++label) {
    bool has[2];
    for (std::size_t i = 0; i < 2; ++i) {
      const auto& labels = e.inputs[i];
      const auto at = std::find(labels.begin(), labels.end(), label);
      has[i] = at != labels.end();
      if (has[i] && !follows(e, c, i, static_cast<int>(at - labels.begin()), label))
        return std::nullopt;
    }
    const bool kept = label < static_cast<int>(e.loops.output_labels);
    if (!kept && !(has[0] && has[1])) return std::nullopt;
    (!kept ? p.length : has[0] && has[1] ? p.batch : has[0] ? p.rows : p.columns).push_back(label);
  }
  return p;
}

std::int64_t extent_of(const einsum_equation& e, const std::vector<int>& labels) {
  std::int64_t n = 1;
  for (const auto label : labels) n *= e.loops.extent[static_cast<std::size_t>(label)];
  return n;
}

std::vector<int> joined(std::initializer_list<std::vector<int>> parts) {
  std::vector<int> all;
  for (const auto& part : parts) all.insert(all.end(), part.begin(), part.end());
  return all;
}

std::size_t aligned_bytes(std::int64_t floats) {
  constexpr std::size_t line = 64;
  return (static_cast<std::size_t>(floats) * sizeof(float) + line - 1) / line * line;
}

/// Brings both inputs into batches of matrices, multiplies those, and brings the product back.
class matrix_einsum final : public kernel {
 public:
  matrix_einsum(std::unique_ptr<kernel> product, matrix_operand a, matrix_operand b,
                matrix_operand y)
      : product_(std::move(product)), a_(std::move(a)), b_(std::move(b)), y_(std::move(y)) {}

  void run(const kernel_io& io) override {
    std::byte* free = io.scratch + product_bytes();
    const_view in[2] = {io.inputs[0], io.inputs[1]};
    view out = io.outputs[0];
    for (const std::size_t i : {0, 1}) {
      const auto& m = i == 0 ? a_ : b_;
      if (m.as_it_is) continue;
      kernels::copy(sizeof(float), m.nest, in[i].data, free);
      in[i].data = free;
      free += aligned_bytes(m.elements);
    }
    if (!y_.as_it_is) out.data = free;
    product_->run({in, {&out, 1}, io.scratch});
    if (!y_.as_it_is) kernels::copy(sizeof(float), y_.nest, out.data, io.outputs[0].data);
  }

  std::size_t scratch_bytes() const override {
    auto bytes = product_bytes();
    for (const auto* m : {&a_, &b_, &y_})
      if (!m->as_it_is) bytes += aligned_bytes(m->elements);
    return bytes;
  }

 private:
  std::size_t product_bytes() const {
    constexpr std::size_t line = 64;
    return (product_->scratch_bytes() + line - 1) / line * line;
  }

  std::unique_ptr<kernel> product_;
  matrix_operand a_, b_, y_;
};

result<std::unique_ptr<kernel>> prepare_matmul(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  SHOAL_TRY(const auto e, read_einsum_equation(c));
  const auto labels = as_product(e, c);
  if (!labels) return nullptr;
  const shape batch{extent_of(e, labels->batch)};
  auto product = kernels::make_matmul({.a_batch = batch,
                                       .b_batch = batch,
                                       .rows = extent_of(e, labels->rows),
                                       .columns = extent_of(e, labels->columns),
                                       .length = extent_of(e, labels->length)},
                                      c.threads);
  if (product == nullptr) return nullptr;
  const auto& [batch_axes, rows, columns, length] = *labels;
  return std::make_unique<matrix_einsum>(
      std::move(product), arranged(e, e.strides[0], joined({batch_axes, rows, length})),
      arranged(e, e.strides[1], joined({batch_axes, length, columns})),
      arranged_back(e, joined({batch_axes, rows, columns})));
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  SHOAL_TRY(const auto e, read_einsum_equation(c));
  return function_kernel([loops = e.loops, strides = e.strides](const kernel_io& io) {
    reference::einsum(loops, strides, io.inputs, io.outputs[0]);
  });
}

constexpr kernel_entry kernels[] = {{"matmul", prepare_matmul}, {"reference", prepare_reference}};

} // namespace

const operator_def einsum{
    .name = "Einsum",
    .first_opset = 12,
    .max_inputs = -1,
    .infer = infer,
    .cost = cost,
    .input_axis = input_axis,
    .receptive_field = field,
    .split_axis = split_axis,
    .kernels = kernels,
};

} // namespace shoal::operators
