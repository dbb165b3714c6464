#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

#include <fmt/format.h>

#include <cmath>

namespace shoal::test {
namespace {

class bert_builder {
 public:
  explicit bert_builder(const bert_options& options)
      : options_(options), m_("bert", options.opset, options.seed) {}

  graph build() && {
    const auto length = options_.sequence < 0 ? model_builder::extent("S")
                                              : model_builder::extent(options_.sequence);
    const auto ids = m_.input("input_ids", dtype::i64, {"N", length});
    const auto mask = m_.input("attention_mask", dtype::i64, {"N", length});
    const auto types = m_.input("token_type_ids", dtype::i64, {"N", length});
    m_.enter("embeddings/");
    auto x = embed(ids, types);
    const auto bias = mask_bias(mask);
    for (int i = 0; i < options_.layers; ++i) {
      m_.enter(fmt::format("layer{}/attention/", i));
      x = norm(m_.node("Add", {attention(x, bias), x}));
      m_.enter(fmt::format("layer{}/feed_forward/", i));
      const auto inner = gelu(linear(x, options_.hidden, 4 * options_.hidden));
      x = norm(m_.node("Add", {linear(inner, 4 * options_.hidden, options_.hidden), x}));
    }
    m_.enter("pooler/");
    const auto first =
        m_.node("Gather", {x, m_.constant(tensor::of<std::int64_t>({}, {0}))}, axis(1));
    const auto pooled = m_.node("Gemm", {first, weight(options_.hidden, options_.hidden),
                                         m_.random({options_.hidden}, 0.02f)});
    m_.output(x, "last_hidden_state");
    m_.output(m_.node("Tanh", {pooled}), "pooler_output");
    return std::move(m_).build();
  }

 private:
  static attributes axis(std::int64_t which) { return attrs_of({{"axis", which}}); }

  value_id weight(std::int64_t in, std::int64_t out) {
    return m_.random({in, out}, 1 / std::sqrt(float(in)));
  }

  value_id linear(value_id x, std::int64_t in, std::int64_t out) {
    x = m_.node("MatMul", {x, weight(in, out)});
    return m_.node("Add", {m_.random({out}, 0.02f), x});
  }

  /// The open extent of the sequence, as [1].
  value_id length_of(value_id ids) {
    const auto second = m_.constant(tensor::of<std::int64_t>({}, {1}));
    const auto extent = m_.node("Gather", {m_.node("Shape", {ids}), second});
    return m_.node("Unsqueeze", {extent, m_.ints({0})});
  }

  value_id embed(value_id ids, value_id types) {
    const auto h = options_.hidden;
    const auto words = m_.node("Gather", {m_.random({options_.vocabulary, h}, 1), ids});
    const auto kinds = m_.node("Gather", {m_.random({2, h}, 1), types});
    auto places = m_.random({1, options_.positions, h}, 1);
    const auto from = m_.ints({0}), along = m_.ints({1});
    const auto count = options_.sequence < 0 ? length_of(ids) : m_.ints({options_.sequence});
    places = m_.node("Slice", {places, from, count, along});
    return norm(m_.node("Add", {m_.node("Add", {words, kinds}), places}));
  }

  /// 0 where attention may look, -10000 where it may not, as [N,1,1,sequence].
  value_id mask_bias(value_id mask) {
    auto m = m_.node("Unsqueeze", {mask, m_.ints({1, 2})});
    m = m_.node("Cast", {m}, attrs_of({{"to", std::int64_t{1}}}));
    m = m_.node("Sub", {m_.scalar(1), m});
    return m_.node("Mul", {m, m_.scalar(-10000)});
  }

  value_id split_heads(value_id x, std::vector<std::int64_t> order) {
    const auto size = options_.hidden / options_.heads;
    x = m_.node("Reshape", {x, m_.ints({0, 0, options_.heads, size})});
    return m_.node("Transpose", {x}, attrs_of({{"perm", std::move(order)}}));
  }

  value_id attention(value_id x, value_id bias) {
    const auto h = options_.hidden;
    const auto query = split_heads(linear(x, h, h), {0, 2, 1, 3});
    const auto key = split_heads(linear(x, h, h), {0, 2, 3, 1});
    const auto value = split_heads(linear(x, h, h), {0, 2, 1, 3});
    auto scores = m_.node("MatMul", {query, key});
    scores = m_.node("Div", {scores, m_.scalar(std::sqrt(float(h / options_.heads)))});
    scores = m_.node("Softmax", {m_.node("Add", {scores, bias})}, axis(-1));
    auto mixed = m_.node("MatMul", {scores, value});
    mixed =
        m_.node("Transpose", {mixed}, attrs_of({{"perm", std::vector<std::int64_t>{0, 2, 1, 3}}}));
    return linear(m_.node("Reshape", {mixed, m_.ints({0, 0, h})}), h, h);
  }

  value_id gelu(value_id x) {
    auto y = m_.node("Erf", {m_.node("Div", {x, m_.scalar(std::sqrt(2.0f))})});
    y = m_.node("Mul", {x, m_.node("Add", {y, m_.scalar(1)})});
    return m_.node("Mul", {y, m_.scalar(0.5f)});
  }

  value_id norm(value_id x) {
    const auto scale = m_.random({options_.hidden}, 0.1f, 1);
    const auto shift = m_.random({options_.hidden}, 0.1f);
    if (m_.opset() >= 17)
      return m_.node("LayerNormalization", {x, scale, shift},
                     attrs_of({{"axis", std::int64_t{-1}}, {"epsilon", 1e-12f}}));
    const auto last = attrs_of({{"axes", std::vector<std::int64_t>{-1}}});
    const auto centred = m_.node("Sub", {x, m_.node("ReduceMean", {x}, last)});
    const auto squares = m_.node("Pow", {centred, m_.scalar(2)});
    const auto variance =
        m_.node("Add", {m_.node("ReduceMean", {squares}, last), m_.scalar(1e-12f)});
    const auto normal = m_.node("Div", {centred, m_.node("Sqrt", {variance})});
    return m_.node("Add", {m_.node("Mul", {normal, scale}), shift});
  }

  const bert_options& options_;
  model_builder m_;
};

} // namespace

graph make_bert(const bert_options& options) {
  return bert_builder(options).build();
}

} // namespace shoal::test
