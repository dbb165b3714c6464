#include "kernels/cpu/matmul.hpp"
#include "kernels/reference/matmul.hpp"
#include "runtime/operators/arguments.hpp"
#include "runtime/operators/attention_way.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/packing.hpp"
#include "runtime/operators/window_rules.hpp"

#include <cmath>

/// Attention and MultiHeadAttention of com.microsoft, without a past. A result depends on the whole
/// sequence of its batch entry; only the batch can be cut.
namespace shoal::operators {
namespace {

using arguments::refuse;

/// Rows of queries, keys and values [batch, rows, heads * size] in one or three tensors, and where
/// mask and added scores are among the inputs.
struct plan {
  attention_problem problem;
  std::size_t mask = 0, added = 0;
};

result<std::int64_t> heads_of(const node_context& c, std::int64_t width) {
  const auto heads = c.attrs().get_int("num_heads", 0);
  if (heads < 1 || width % heads != 0)
    return refuse(c, errc::malformed, "num_heads is {}, which does not divide {}", heads, width);
  return heads;
}

/// Heads of `size` elements side by side in rows of `width`.
attention_operand rows_of_heads(std::int64_t rows, std::int64_t width, std::int64_t size) {
  return {rows * width, size, width};
}

float scale_of(const node_context& c, std::int64_t size) {
  const float stated = c.attrs().get_float("scale", 0);
  return stated != 0 ? stated : 1.0f / std::sqrt(static_cast<float>(size));
}

result<void> expect_mask(const node_context& c, const plan& p) {
  const auto& a = p.problem;
  if (c.has(p.mask)) {
    SHOAL_CHECK(arguments::expect_type(c, p.mask, {dtype::i32}));
    const auto& dims = c.dims(p.mask);
    if (dims != shape{a.batch} && dims != shape{a.batch, a.keys} &&
        dims != shape{a.batch, a.queries, a.keys})
      return refuse(c, errc::unsupported, "mask {}: [{}], [{},{}] and [{},{},{}] are supported",
                    to_string(dims), a.batch, a.batch, a.keys, a.batch, a.queries, a.keys);
  }
  if (!c.has(p.added)) return {};
  SHOAL_CHECK(arguments::expect_type(c, p.added, {dtype::f32}));
  const auto& dims = c.dims(p.added);
  const bool fits = dims.rank() == 4 && (dims[0] == 1 || dims[0] == a.batch) &&
                    (dims[1] == 1 || dims[1] == a.heads) && dims[2] == a.queries &&
                    dims[3] == a.keys;
  if (fits) return {};
  return refuse(c, errc::invalid_argument, "attention bias: expected [{},{},{},{}], got {}",
                a.batch, a.heads, a.queries, a.keys, to_string(dims));
}

attention_mask mask_of(const plan& p, const kernel_io& io, bool causal, float masked) {
  const auto& a = p.problem;
  attention_mask m{.masked = masked, .causal = causal};
  const auto input = [&](std::size_t i) {
    return i < io.inputs.size() ? io.inputs[i] : const_view{};
  };
  if (const auto mask = input(p.mask); mask.data != nullptr) {
    if (mask.dims.rank() == 1)
      m.lengths = mask.as<std::int32_t>();
    else
      m.seen = mask.as<std::int32_t>();
    m.seen_row = mask.dims.rank() == 3 ? a.keys : 0;
    m.seen_batch = mask.dims.rank() == 3 ? a.queries * a.keys : a.keys;
  }
  if (const auto added = input(p.added); added.data != nullptr) {
    m.added = added.as<float>();
    m.added_row = a.keys;
    m.added_head = added.dims[1] == 1 ? 0 : a.queries * a.keys;
    m.added_batch = added.dims[0] == 1 ? 0 : added.dims[1] * a.queries * a.keys;
  }
  return m;
}

/// The batch, if everything that has one is cut there and all else whole.
std::optional<int> split_batched(const node_context& c, std::span<const int> split,
                                 std::int64_t batch, int rank_of_unbatched) {
  if (split[0] != 0) return std::nullopt;
  for (std::size_t i = 1; i < split.size(); ++i) {
    const bool batched = c.has(i) && c.dims(i).rank() > rank_of_unbatched && c.dims(i)[0] == batch;
    if (split[i] != (batched ? 0 : unsplit)) return std::nullopt;
  }
  return 0;
}

// Attention: input, weights [width, 3 * hidden], bias, mask, past, attention bias.

result<plan> attention_plan(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  SHOAL_CHECK(arguments::expect_same_type(c, 1, 0));
  const auto &x = c.dims(0), &w = c.dims(1);
  if (x.rank() != 3 || w.rank() != 2 || w[0] != x[2] || w[1] % 3 != 0)
    return refuse(c, errc::invalid_argument,
                  "input {} and weights {}: expected [batch,rows,width] and [width,3 * hidden]",
                  to_string(x), to_string(w));
  if (c.has(2) && (c.type(2) != dtype::f32 || c.dims(2) != shape{w[1]}))
    return refuse(c, errc::invalid_argument, "bias: expected [{}], got {}", w[1],
                  to_string(c.inputs[2].type));
  const auto sizes = c.attrs().get_ints("qkv_hidden_sizes");
  for (const auto size : sizes)
    if (size != w[1] / 3)
      return refuse(c, errc::unsupported, "qkv_hidden_sizes differ from {}", w[1] / 3);
  SHOAL_TRY(const auto heads, heads_of(c, w[1] / 3));
  SHOAL_CHECK(arguments::checked_shape(c, shape{x[0], x[1], w[1]}.span()));
  const auto size = w[1] / 3 / heads;
  const auto rows = rows_of_heads(x[1], w[1], size);
  plan p{{x[0], heads, x[1], x[1], size, size, rows, rows, rows, scale_of(c, size)}, 3, 5};
  SHOAL_CHECK(expect_mask(c, p));
  return p;
}

result<void> check_attention(const graph_node& node) {
  if (node.inputs.size() > 4 && node.inputs[4] != no_value)
    return node_error(node, errc::unsupported, "a past is given");
  if (node.attrs.get_int("do_rotary", 0) != 0)
    return node_error(node, errc::unsupported, "do_rotary is set");
  return {};
}

result<std::vector<tensor_type>> infer_attention(const node_context& c) {
  SHOAL_TRY(const auto p, attention_plan(c));
  return arguments::one_output(dtype::f32, {p.problem.batch, p.problem.queries, c.dims(1)[1] / 3});
}

operator_cost attention_cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto p = attention_plan(c);
  if (!p) return {};
  const double projection =
      2.0 * static_cast<double>(c.dims(0).element_count()) * static_cast<double>(c.dims(1)[1]);
  return {projection + attention_flops(p->problem), rules::operand_bytes(c, outputs)};
}

std::optional<interval> batch_field(const node_context&, std::size_t input, int axis,
                                    interval wanted) {
  if (input != 0 || axis != 0) return std::nullopt;
  return wanted;
}

std::optional<int> attention_split(const node_context& c, std::span<const int> split) {
  const auto p = attention_plan(c);
  if (!p || c.has(3) || c.has(5)) return std::nullopt;
  return split_batched(c, split, p->problem.batch, 2);
}

/// Projects the input, then attends.
class attention_kernel final : public kernel {
 public:
  attention_kernel(const prepare_context& c, plan p, const attention_way& way,
                   std::unique_ptr<kernel> projection)
      : plan_(p), way_(way), scores_(floats(way.scratch(p.problem, c.threads))),
        projection_(std::move(projection)), causal_(c.attrs().get_int("unidirectional", 0) != 0),
        masked_(c.attrs().get_float("mask_filter_value", -10000)) {}

  std::size_t scratch_bytes() const override {
    return projected_bytes() + std::max(scores_, projection_->scratch_bytes());
  }
  bool reads_input(std::size_t index) const override { return projection_->reads_input(index); }
  void run(const kernel_io& io) override {
    auto* rows = reinterpret_cast<float*>(io.scratch);
    const auto width = plan_.problem.q.row;
    const view projected[] = {{rows, dtype::f32, layout::plain, {rows_of(), width}}};
    auto* rest = io.scratch + projected_bytes();
    projection_->run({io.inputs, projected, rest});
    way_.attend(plan_.problem, mask_of(plan_, io, causal_, masked_), rows, rows + width / 3,
                rows + width / 3 * 2, reinterpret_cast<float*>(rest), io.outputs[0].as<float>());
  }

 private:
  std::int64_t rows_of() const { return plan_.problem.batch * plan_.problem.queries; }
  std::size_t projected_bytes() const { return floats(rows_of() * plan_.problem.q.row); }

  plan plan_;
  attention_way way_;
  std::size_t scores_;
  std::unique_ptr<kernel> projection_;
  bool causal_;
  float masked_;
};

result<std::unique_ptr<kernel>> prepare_attention_cpu(const prepare_context& c) {
  SHOAL_TRY(const auto p, attention_plan(c));
  using addend = kernels::matmul_problem::addend;
  auto projection = kernels::make_matmul({.a_batch = {},
                                          .b_batch = {},
                                          .rows = p.problem.batch * p.problem.queries,
                                          .columns = c.dims(1)[1],
                                          .length = c.dims(1)[0],
                                          .added = c.has(2) ? addend::row : addend::none,
                                          .constant_b = c.inputs[1].constant != nullptr},
                                         c.threads);
  if (projection == nullptr) return nullptr;
  SHOAL_CHECK(pack_constant(*projection, c));
  return std::make_unique<attention_kernel>(c, p, cpu_attention, std::move(projection));
}

result<std::unique_ptr<kernel>> prepare_attention_reference(const prepare_context& c) {
  SHOAL_TRY(const auto p, attention_plan(c));
  auto projection = function_kernel([](const kernel_io& io) {
    const auto& x = io.inputs[0];
    const const_view rows{x.data, x.type, x.format, {x.dims[0] * x.dims[1], x.dims[2]}};
    reference::gemm(rows, io.inputs[1], io.inputs.size() > 2 ? io.inputs[2] : const_view{},
                    io.outputs[0], {});
  });
  return std::make_unique<attention_kernel>(c, p, reference_attention, std::move(projection));
}

// MultiHeadAttention: query, key, value, bias, padding mask, attention bias, past key and value.

result<plan> multi_head_plan(const node_context& c) {
  for (const std::size_t i : {0, 1, 2}) {
    if (!c.has(i))
      return refuse(c, errc::unsupported, "input {} is missing; packed operands are not supported",
                    i);
    SHOAL_CHECK(arguments::expect_type(c, i, {dtype::f32}));
    if (c.dims(i).rank() != 3)
      return refuse(c, errc::unsupported, "input {}: [batch,rows,width] is supported, got {}", i,
                    to_string(c.dims(i)));
  }
  const auto &q = c.dims(0), &k = c.dims(1), &v = c.dims(2);
  if (k[0] != q[0] || v[0] != q[0] || k[1] != v[1] || k[2] != q[2])
    return refuse(c, errc::invalid_argument, "query {}, key {} and value {} do not fit",
                  to_string(q), to_string(k), to_string(v));
  const auto width = q[2] + k[2] + v[2];
  if (c.has(3) && (c.type(3) != dtype::f32 || c.dims(3) != shape{width}))
    return refuse(c, errc::invalid_argument, "bias: expected [{}], got {}", width,
                  to_string(c.inputs[3].type));
  SHOAL_TRY(const auto heads, heads_of(c, q[2]));
  SHOAL_CHECK(heads_of(c, v[2]));
  const auto size = q[2] / heads;
  const auto value_size = v[2] / heads;
  plan p{{q[0], heads, q[1], k[1], size, value_size, rows_of_heads(q[1], q[2], size),
          rows_of_heads(k[1], k[2], size), rows_of_heads(v[1], v[2], value_size),
          scale_of(c, size)},
         4,
         5};
  SHOAL_CHECK(expect_mask(c, p));
  return p;
}

result<void> check_multi_head(const graph_node& node) {
  for (std::size_t i = 6; i < node.inputs.size(); ++i)
    if (node.inputs[i] != no_value) return node_error(node, errc::unsupported, "a past is given");
  return {};
}

result<std::vector<tensor_type>> infer_multi_head(const node_context& c) {
  SHOAL_TRY(const auto p, multi_head_plan(c));
  return arguments::one_output(dtype::f32, {p.problem.batch, p.problem.queries, c.dims(2)[2]});
}

operator_cost multi_head_cost(const node_context& c, std::span<const tensor_type> outputs) {
  const auto p = multi_head_plan(c);
  return {p ? attention_flops(p->problem) : 0, rules::operand_bytes(c, outputs)};
}

std::optional<interval> multi_head_field(const node_context&, std::size_t input, int axis,
                                         interval wanted) {
  // A query moves its own row alone; keys and values move all rows of their batch entry.
  if (input > 2 || axis > (input == 0 ? 1 : 0)) return std::nullopt;
  return wanted;
}

std::optional<int> multi_head_split(const node_context& c, std::span<const int> split) {
  const auto p = multi_head_plan(c);
  if (!p || c.has(4) || c.has(5)) return std::nullopt;
  return split_batched(c, split, p->problem.batch, 2);
}

/// Rows of x, plus the bias, one after the other.
void add_bias(const const_view& x, const float* bias, float* y) {
  const auto width = x.dims[2];
  for (std::int64_t i = 0; i < x.element_count(); ++i) y[i] = x.as<float>()[i] + bias[i % width];
}

template <const attention_way& Way>
result<std::unique_ptr<kernel>> prepare_multi_head(const prepare_context& c) {
  SHOAL_TRY(const auto p, multi_head_plan(c));
  const auto &q = c.dims(0), &k = c.dims(1), &v = c.dims(2);
  const bool biased = c.has(3);
  const std::size_t parts[] = {floats(q.element_count()), floats(k.element_count()),
                               floats(v.element_count())};
  const auto scores = floats(Way.scratch(p.problem, c.threads));
  const std::size_t copies = biased ? parts[0] + parts[1] + parts[2] : 0;
  const bool causal = c.attrs().get_int("unidirectional", 0) != 0;
  const float masked = c.attrs().get_float("mask_filter_value", -10000);
  return function_kernel(
      [=, q_bytes = parts[0], k_bytes = parts[1], q_width = q[2],
       k_width = k[2]](const kernel_io& io) {
        const float* rows[] = {io.inputs[0].as<float>(), io.inputs[1].as<float>(),
                               io.inputs[2].as<float>()};
        if (biased) {
          const auto* bias = io.inputs[3].as<float>();
          const std::int64_t starts[] = {0, q_width, q_width + k_width};
          const std::size_t places[] = {0, q_bytes, q_bytes + k_bytes};
          for (std::size_t i = 0; i < 3; ++i) {
            auto* copy = reinterpret_cast<float*>(io.scratch + places[i]);
            add_bias(io.inputs[i], bias + starts[i], copy);
            rows[i] = copy;
          }
        }
        Way.attend(p.problem, mask_of(p, io, causal, masked), rows[0], rows[1], rows[2],
                   reinterpret_cast<float*>(io.scratch + copies), io.outputs[0].as<float>());
      },
      {.scratch_bytes = copies + scores});
}

constexpr kernel_entry attention_kernels[] = {{"cpu", prepare_attention_cpu},
                                              {"reference", prepare_attention_reference}};
constexpr kernel_entry multi_head_kernels[] = {
    {"cpu", prepare_multi_head<cpu_attention>},
    {"reference", prepare_multi_head<reference_attention>}};

} // namespace

const operator_def microsoft_attention{
    .name = "Attention",
    .domain = "com.microsoft",
    .min_inputs = 2,
    .max_inputs = 7,
    .check = check_attention,
    .infer = infer_attention,
    .cost = attention_cost,
    .receptive_field = batch_field,
    .split_axis = attention_split,
    .kernels = attention_kernels,
};

const operator_def multi_head_attention{
    .name = "MultiHeadAttention",
    .domain = "com.microsoft",
    .max_inputs = 10,
    .check = check_multi_head,
    .infer = infer_multi_head,
    .cost = multi_head_cost,
    .receptive_field = multi_head_field,
    .split_axis = multi_head_split,
    .kernels = multi_head_kernels,
};

} // namespace shoal::operators
