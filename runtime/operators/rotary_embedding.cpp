#include "runtime/operators/arguments.hpp"
#include "runtime/operators/function_kernel.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

/// RotaryEmbedding of com.microsoft: pairs of elements of each head are turned by an angle that
/// depends on the position. Inputs: x ([batch,rows,width] or [batch,heads,rows,size]), position ids
/// ([1], the first one, or [batch,rows]), cosines and sines ([positions, pairs]).
namespace shoal::operators {
namespace {

using arguments::refuse;

/// Where things lie in x, whichever form it has.
struct extents {
  std::int64_t batch, heads, rows, size, pairs;
  bool heads_outside; ///< [batch,heads,rows,size]
};

result<extents> extents_of(const node_context& c) {
  const auto& x = c.dims(0);
  const auto dimension = c.attrs().get_int("rotary_embedding_dim", 0);
  if (x.rank() != 3 && x.rank() != 4)
    return refuse(c, errc::invalid_argument,
                  "expected [batch,rows,width] or [batch,heads,rows,size], got {}", to_string(x));
  if (c.dims(2).rank() != 2 || c.dims(3) != c.dims(2))
    return refuse(c, errc::invalid_argument, "cosines {} and sines {}: expected two equal matrices",
                  to_string(c.dims(2)), to_string(c.dims(3)));
  const auto pairs = c.dims(2)[1];
  if (x.rank() == 4) return extents{x[0], x[1], x[2], x[3], pairs, true};
  const auto stated = c.attrs().get_int("num_heads", 0);
  if (dimension > 0 && stated <= 0)
    return refuse(c, errc::malformed, "rotary_embedding_dim without num_heads");
  if (stated <= 0 && pairs < 1) return refuse(c, errc::malformed, "no pairs to turn");
  const auto heads = stated > 0 ? stated : x[2] / (2 * pairs);
  if (heads < 1 || x[2] % heads != 0)
    return refuse(c, errc::malformed, "{} heads do not divide a width of {}", heads, x[2]);
  return extents{x[0], heads, x[1], x[2] / heads, pairs, false};
}

result<void> check(const graph_node& node) {
  if (node.attrs.get_int("is_packed_batching", 0) == 0) return {};
  return node_error(node, errc::unsupported, "is_packed_batching is set");
}

result<std::vector<tensor_type>> infer(const node_context& c) {
  SHOAL_CHECK(arguments::expect_type(c, 0, {dtype::f32}));
  SHOAL_CHECK(arguments::expect_type(c, 1, {dtype::i64}));
  for (const std::size_t i : {2, 3}) SHOAL_CHECK(arguments::expect_same_type(c, i, 0));
  SHOAL_TRY(const auto e, extents_of(c));
  if (2 * e.pairs > e.size)
    return refuse(c, errc::invalid_argument, "{} pairs do not fit a head of {}", e.pairs, e.size);
  if (c.dims(1) != shape{1} && c.dims(1) != shape{e.batch, e.rows})
    return refuse(c, errc::invalid_argument, "position ids: expected [1] or [{},{}], got {}",
                  e.batch, e.rows, to_string(c.dims(1)));
  return arguments::one_output(dtype::f32, c.dims(0));
}

operator_cost cost(const node_context& c, std::span<const tensor_type> outputs) {
  return {3.0 * static_cast<double>(outputs[0].dims.element_count()),
          rules::operand_bytes(c, outputs)};
}

/// Positions follow from the rows, so that rows cannot be cut; batches and heads can be told apart.
std::optional<interval> field(const node_context& c, std::size_t input, int axis, interval wanted) {
  if (input != 0 || axis == c.dims(0).rank() - 1) return std::nullopt;
  return wanted;
}

std::optional<int> split(const node_context& c, std::span<const int> split) {
  const bool shared = c.dims(1).rank() == 1;
  if (split[0] != 0 || split[1] != (shared ? unsplit : 0)) return std::nullopt;
  if (split[2] != unsplit || split[3] != unsplit) return std::nullopt;
  return 0;
}

void turn(const float* x, const float* cosines, const float* sines, const extents& e,
          bool interleaved, float* y) {
  for (std::int64_t i = 0; i < e.pairs; ++i) {
    const auto a = interleaved ? 2 * i : i, b = interleaved ? 2 * i + 1 : i + e.pairs;
    const float first = x[a], second = x[b];
    y[a] = first * cosines[i] - second * sines[i];
    y[b] = second * cosines[i] + first * sines[i];
  }
  for (auto i = 2 * e.pairs; i < e.size; ++i) y[i] = x[i];
}

result<std::unique_ptr<kernel>> prepare(const prepare_context& c) {
  SHOAL_TRY(const auto e, extents_of(c));
  const bool interleaved = c.attrs().get_int("interleaved", 0) != 0;
  return function_kernel(
      [=](const kernel_io& io) {
        const auto* ids = io.inputs[1].as<std::int64_t>();
        const bool shared = io.inputs[1].dims.rank() == 1;
        const auto known = io.inputs[2].dims[0];
        for (std::int64_t b = 0; b < e.batch; ++b)
          for (std::int64_t s = 0; s < e.rows; ++s) {
            const auto given = shared ? ids[0] : ids[b * e.rows + s];
            if (given < 0 || given >= known || (shared && given + s >= known))
              throw kernel_error(fmt::format("position {} is not among the {} there are",
                                             given + (shared ? s : 0), known));
            const auto at = (given + (shared ? s : 0)) * e.pairs;
            for (std::int64_t h = 0; h < e.heads; ++h) {
              const auto row =
                  e.heads_outside ? (b * e.heads + h) * e.rows + s : (b * e.rows + s) * e.heads + h;
              turn(io.inputs[0].as<float>() + row * e.size, io.inputs[2].as<float>() + at,
                   io.inputs[3].as<float>() + at, e, interleaved,
                   io.outputs[0].as<float>() + row * e.size);
            }
          }
      },
      {.overwritable = 0});
}

constexpr kernel_entry kernel_list[] = {{"reference", prepare}};

} // namespace

const operator_def rotary_embedding{
    .name = "RotaryEmbedding",
    .domain = "com.microsoft",
    .min_inputs = 4,
    .max_inputs = 4,
    .check = check,
    .infer = infer,
    .cost = cost,
    .receptive_field = field,
    .split_axis = split,
    .kernels = kernel_list,
};

} // namespace shoal::operators
