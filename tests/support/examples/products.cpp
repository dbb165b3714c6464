#include "tests/support/examples/examples.hpp"

// Sums of products: matrices, equations and attention.

namespace shoal::test::examples {
namespace {

node_case microsoft(const char* op, std::vector<node_input> inputs, attributes attrs = {},
                    std::size_t outputs = 1) {
  return {.op = op,
          .inputs = std::move(inputs),
          .attrs = std::move(attrs),
          .domain = "com.microsoft",
          .opset = 1,
          .outputs = outputs};
}

void add_matrices(list& all) {
  const std::pair<shape, shape> pairs[] = {
      {{3, 4}, {4, 5}}, {{2, 3, 4}, {4, 5}}, {{3, 4}, {2, 4, 5}}, {{2, 1, 3, 4}, {3, 4, 2}},
      {{4}, {4, 5}},    {{2, 3, 4}, {4}},    {{4}, {4}},          {{1, 2, 3, 4}, {3, 2, 4, 2}}};
  for (const auto& [a, b] : pairs) {
    all.push_back({.op = "MatMul", .inputs = {f(a), f(b)}});
    all.push_back(microsoft("FusedMatMul", {f(a), f(b)}, attrs_of({{"alpha", 0.5f}})));
  }
  all.push_back({.op = "MatMul", .inputs = {f({2, 5, 16}), fixed(f({16, 8}))}});
  all.push_back(microsoft("FusedMatMul", {f({2, 4, 3}), f({2, 5, 4})},
                          attrs_of({{"transA", 1}, {"transB", 1}})));
  all.push_back({.op = "BiasedMatMul",
                 .inputs = {f({2, 3, 4}), f({4, 5}), f({5})},
                 .domain = "shoal",
                 .opset = 1});
  all.push_back({.op = "BiasedMatMul",
                 .inputs = {f({3, 4}), fixed(f({4, 5})), fixed(f({5}))},
                 .domain = "shoal",
                 .opset = 1});
  for (const std::int64_t a : {0, 1})
    for (const std::int64_t b : {0, 1})
      for (const auto& c : {shape{}, shape{5}, shape{3, 1}, shape{1, 5}, shape{3, 5}})
        all.push_back({.op = "Gemm",
                       .inputs = {f(a != 0 ? shape{4, 3} : shape{3, 4}),
                                  f(b != 0 ? shape{5, 4} : shape{4, 5}), f(c)},
                       .attrs = attrs_of({{"transA", a}, {"transB", b}, {"alpha", 0.5f}})});
  all.push_back({.op = "Gemm", .inputs = {f({3, 4}), fixed(f({4, 5})), fixed(f({5}))}});
  all.push_back({.op = "Gemm", .inputs = {f({3, 4}), f({4, 5})}});
  all.push_back(microsoft(
      "MatMulNBits",
      {f({2, 3, 33}), fixed(some(dtype::u8, {5, 3, 8}, 0, 256)), fixed(f({15}, 0.01, 0.1))},
      attrs_of({{"K", 33}, {"N", 5}, {"bits", 4}, {"block_size", 16}})));
  all.push_back({.op = "Det", .inputs = {f({2, 3, 4, 4})}});
}

void add_equations(list& all) {
  all.push_back({.op = "Einsum",
                 .inputs = {f({2, 3, 4}), f({5, 4})},
                 .attrs = attrs_of({{"equation", "...j,kj->k"}})});
  all.push_back({.op = "Einsum",
                 .inputs = {f({2, 3, 4}), f({2, 4, 5})},
                 .attrs = attrs_of({{"equation", "bij,bjk->bik"}})});
  all.push_back({.op = "Einsum",
                 .inputs = {f({2, 3, 4}), f({5, 3, 4})},
                 .attrs = attrs_of({{"equation", "bhd,chd->hbc"}})});
  all.push_back(
      {.op = "Einsum", .inputs = {f({3, 4})}, .attrs = attrs_of({{"equation", "ij->ji"}})});
  all.push_back({.op = "Einsum",
                 .inputs = {f({3, 4}), f({4, 2}), f({2, 3})},
                 .attrs = attrs_of({{"equation", "ij,jk,kl->il"}})});
  all.push_back(
      {.op = "Einsum", .inputs = {f({2, 3, 3})}, .attrs = attrs_of({{"equation", "...ii->...i"}})});
}

void add_attention(list& all) {
  const auto heads = [](std::int64_t n) { return attrs_of({{"num_heads", n}}); };
  all.push_back(microsoft("Attention", {f({2, 3, 4}), f({4, 12}), f({12})}, heads(2)));
  all.push_back(microsoft(
      "Attention",
      {f({2, 3, 4}), fixed(f({4, 12})), fixed(f({12})), some(dtype::i32, {2, 3}, 0, 2)}, heads(1)));
  all.push_back(
      microsoft("MultiHeadAttention", {f({2, 3, 4}), f({2, 5, 4}), f({2, 5, 6})}, heads(2)));
  all.push_back(microsoft("MultiHeadAttention",
                          {f({2, 3, 4}), f({2, 5, 4}), f({2, 5, 4}), fixed(f({12})),
                           some(dtype::i32, {2, 5}, 0, 2), f({1, 2, 3, 5})},
                          heads(2)));
  all.push_back(microsoft("RotaryEmbedding",
                          {f({2, 3, 4}), some(dtype::i64, {2, 3}, 0, 4), f({5, 2}), f({5, 2})}));
  all.push_back(microsoft("RotaryEmbedding", {f({2, 3, 2, 4}), fixed(some(dtype::i64, {1}, 0, 1)),
                                              f({5, 2}), f({5, 2})}));
}

node_case written_out(std::vector<node_input> inputs, attributes attrs) {
  return {.op = "ScaledDotProductAttention",
          .inputs = std::move(inputs),
          .attrs = std::move(attrs),
          .domain = "shoal",
          .opset = 1};
}

void add_attention_written_out(list& all) {
  all.push_back(written_out({f({2, 3, 5, 4}), f({2, 3, 6, 4}), f({2, 3, 6, 5})}, {}));
  all.push_back(written_out(
      {f({2, 5, 3, 4}), f({2, 6, 3, 4}), f({2, 6, 3, 5}), f({2, 1, 1, 6})},
      attrs_of({{"scale", 0.5f}, {"q_rows_first", 1}, {"k_rows_first", 1}, {"v_rows_first", 1}})));
  all.push_back(written_out({f({2, 3, 5, 4}), f({1, 3, 6, 4}), f({3, 6, 2}), f({5, 6})}, {}));
  all.push_back(written_out({f({3, 4}), f({6, 4}), f({1, 2, 6, 3}), f({2, 1, 6})}, {}));
}

void add_rows(list& all) {
  for (const auto& skip : {shape{2, 3, 4}, shape{1, 3, 4}, shape{4}})
    all.push_back({.op = "AddLayerNormalization",
                   .inputs = {f({2, 3, 4}), f(skip), f({4}), f({4})},
                   .domain = "shoal",
                   .opset = 1,
                   .outputs = 2});
  for (const std::int64_t axis : {-1, 1})
    all.push_back({.op = "LayerNormalization",
                   .inputs = {f({2, 3, 4}), f(axis == 1 ? shape{3, 4} : shape{4}),
                              f(axis == 1 ? shape{3, 4} : shape{4})},
                   .attrs = attrs_of({{"axis", axis}}),
                   .outputs = 3});
  all.push_back({.op = "LayerNormalization", .inputs = {f({2, 3, 16}), fixed(f({16}))}});
  all.push_back({.op = "LayerNormalization",
                 .inputs = {f({2, 3, 16}), fixed(f({16})), fixed(f({16}))},
                 .domain = "shoal",
                 .opset = 1});
  for (const auto& skip : {shape{2, 3, 4}, shape{1, 3, 4}, shape{3, 4}})
    all.push_back(
        microsoft("SkipLayerNormalization", {f({2, 3, 4}), f(skip), f({4}), f({4})}, {}, 4));
  all.push_back(
      microsoft("SkipSimplifiedLayerNormalization", {f({2, 3, 4}), f({2, 3, 4}), f({4})}, {}, 4));
  all.push_back(microsoft("SimplifiedLayerNormalization", {f({2, 3, 4}), f({4})}, {}, 2));
  all.push_back({.op = "SimplifiedLayerNormalization", .inputs = {f({2, 3, 4}), f({4})}});
  all.push_back(microsoft("EmbedLayerNormalization",
                          {tensor::of<std::int32_t>({2, 3}, {0, 1, 2, 3, 1, 0}),
                           tensor::of<std::int32_t>({2, 3}, {0, 1, 0, 1, 0, 0}), f({4, 5}),
                           f({6, 5}), f({2, 5}), f({5}), f({5}), some(dtype::i32, {2, 3}, 0, 2)},
                          {}, 3));
}

} // namespace

void add_products(list& all) {
  add_matrices(all);
  add_equations(all);
  add_attention(all);
  add_attention_written_out(all);
  add_rows(all);
}

} // namespace shoal::test::examples
