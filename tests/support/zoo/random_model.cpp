#include "tests/support/model_builder.hpp"
#include "tests/support/zoo.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace shoal::test {
namespace {

using ints = std::vector<std::int64_t>;

/// Grows a DAG by one move after the other; every move reads values that are there and adds one or
/// more of rank 4.
class random_model {
 public:
  explicit random_model(std::uint64_t seed)
      : m_(fmt::format("random_{}", seed), 13, seed), r_(m_.numbers()) {}

  graph build() && {
    for (std::int64_t i = 0, count = 1 + r_.below(2); i < count; ++i) {
      shape dims{1 + r_.below(2), 1 + r_.below(20), 1 + r_.below(9), 1 + r_.below(9)};
      add(m_.input(fmt::format("in{}", i), dtype::f32, {dims[0], dims[1], dims[2], dims[3]}), dims);
    }
    const auto inputs = values_.size(), moves = inputs + 2 + static_cast<std::size_t>(r_.below(24));
    while (values_.size() < moves) (this->*all_moves[r_.below(std::size(all_moves))])();
    std::vector<bool> taken(values_.size(), false);
    for (std::int64_t o = 0, count = 1 + r_.below(3); o < count; ++o) {
      const auto fresh = values_.size() - inputs;
      const auto at = o == 0 ? values_.size() - 1 : inputs + index_below(fresh);
      if (taken[at]) continue;
      taken[at] = true;
      m_.output(values_[at].id, fmt::format("out{}", o));
    }
    return std::move(m_).build();
  }

 private:
  struct grown {
    value_id id;
    shape dims;
  };

  std::size_t index_below(std::size_t n) {
    return static_cast<std::size_t>(r_.below(static_cast<std::int64_t>(n)));
  }
  void add(value_id id, const shape& dims) { values_.push_back({id, dims}); }
  /// Recent values more often, so that graphs become deep.
  grown pick() {
    const auto n = values_.size();
    return values_[r_.chance(3) ? index_below(n)
                                : n - 1 - index_below(std::min<std::size_t>(n, 3))];
  }
  std::int64_t one_of(std::initializer_list<std::int64_t> choices) {
    return choices.begin()[r_.below(static_cast<std::int64_t>(choices.size()))];
  }
  bool small(const shape& dims) const { return dims.element_count() <= 8192; }

  void convolution() {
    const auto x = pick();
    const auto kernel = one_of({1, 3}), stride = one_of({1, 1, 2}), pad = r_.below(kernel);
    const auto groups = x.dims[1] % 2 == 0 && r_.chance(3) ? one_of({2, x.dims[1]}) : 1;
    const auto out = groups * (1 + r_.below(groups > 4 ? 2 : 12)), in = x.dims[1] / groups;
    shape dims{x.dims[0], out, 0, 0};
    for (const int axis : {2, 3}) {
      const auto room = x.dims[axis] + 2 * pad - kernel;
      if (room < 0) return;
      dims[axis] = room / stride + 1;
    }
    std::vector<value_id> inputs{
        x.id, m_.random({out, in, kernel, kernel}, 1 / std::sqrt(float(in * kernel * kernel)))};
    if (r_.chance(2)) inputs.push_back(m_.random({out}, 0.3f));
    add(m_.node("Conv", inputs,
                attrs_of({{"kernel_shape", ints{kernel, kernel}},
                          {"strides", ints{stride, stride}},
                          {"pads", ints{pad, pad, pad, pad}},
                          {"group", groups}})),
        dims);
  }

  void transposed_convolution() {
    const auto x = pick();
    const auto out = 1 + r_.below(6);
    const shape dims{x.dims[0], out, 2 * x.dims[2], 2 * x.dims[3]};
    if (!small(dims)) return;
    const auto w = m_.random({x.dims[1], out, 2, 2}, 1 / std::sqrt(float(x.dims[1])));
    add(m_.node("ConvTranspose", {x.id, w}, attrs_of({{"strides", ints{2, 2}}})), dims);
  }

  void normalization() {
    const auto x = pick();
    const auto c = x.dims[1];
    const auto scale = m_.random({c}, 0.3f, 1), shift = m_.random({c}, 0.3f),
               mean = m_.random({c}, 0.3f), variance = m_.random({c}, 0.2f, 1);
    add(m_.node("BatchNormalization", {x.id, scale, shift, mean, variance}), x.dims);
  }

  void activation() {
    constexpr const char* ops[] = {"Relu",     "LeakyRelu", "Sigmoid", "Tanh", "HardSigmoid",
                                   "Identity", "Neg",       "Abs",     "Erf"};
    const auto x = pick();
    add(m_.node(ops[r_.below(std::size(ops))], {x.id}), x.dims);
  }

  void clip() {
    const auto x = pick();
    add(m_.node("Clip", {x.id, m_.scalar(-0.5f), m_.scalar(0.75f)}), x.dims);
  }

  void arithmetic() {
    const auto a = pick();
    std::vector<grown> others;
    for (const auto& v : values_) {
      bool fits = true;
      for (int axis = 0; axis < 4; ++axis)
        fits = fits && (v.dims[axis] == a.dims[axis] || v.dims[axis] == 1);
      if (fits) others.push_back(v);
    }
    constexpr const char* ops[] = {"Add", "Add", "Sub", "Mul", "Max"};
    const auto b = others[index_below(others.size())];
    const bool swap = r_.chance(2);
    const auto* op = ops[r_.below(std::size(ops))];
    const auto y = m_.node(op, {swap ? b.id : a.id, swap ? a.id : b.id});
    add(op == std::string_view("Mul") ? m_.node("Tanh", {y}) : y, a.dims);
  }

  void channel_factor() {
    const auto x = pick();
    add(m_.node("Mul", {x.id, m_.random({1, x.dims[1], 1, 1}, 0.5f)}), x.dims);
  }

  void concatenation() {
    const auto a = pick();
    const auto axis = r_.chance(3) ? 2 : 1;
    std::vector<value_id> parts{a.id};
    auto dims = a.dims;
    for (const auto& v : values_) {
      auto other = v.dims;
      other[axis] = a.dims[axis];
      if (other != a.dims || parts.size() >= 3 || r_.chance(3)) continue;
      parts.push_back(v.id);
      dims[axis] += v.dims[axis];
    }
    if (small(dims)) add(m_.node("Concat", parts, attrs_of({{"axis", std::int64_t{axis}}})), dims);
  }

  void pooling() {
    const auto x = pick();
    if (x.dims[2] < 2 || x.dims[3] < 2) return;
    const auto stride = one_of({1, 2});
    const shape dims{x.dims[0], x.dims[1], (x.dims[2] - 2) / stride + 1,
                     (x.dims[3] - 2) / stride + 1};
    add(m_.node(r_.chance(2) ? "MaxPool" : "AveragePool", {x.id},
                attrs_of({{"kernel_shape", ints{2, 2}}, {"strides", ints{stride, stride}}})),
        dims);
  }

  void reduction() {
    const auto x = pick();
    if (r_.chance(2)) {
      add(m_.node("GlobalAveragePool", {x.id}), {x.dims[0], x.dims[1], 1, 1});
      return;
    }
    auto dims = x.dims;
    const auto axis = static_cast<int>(1 + r_.below(3));
    dims[axis] = 1;
    add(m_.node(r_.chance(2) ? "ReduceMean" : "ReduceMax", {x.id},
                attrs_of({{"axes", ints{axis}}})),
        dims);
  }

  void softmax() {
    const auto x = pick();
    add(m_.node("Softmax", {x.id}, attrs_of({{"axis", 1 + r_.below(3)}})), x.dims);
  }

  void matrix_product() {
    const auto x = pick();
    auto dims = x.dims;
    dims[3] = 1 + r_.below(8);
    const auto w = m_.random({x.dims[3], dims[3]}, 1 / std::sqrt(float(x.dims[3])));
    add(m_.node("MatMul", {x.id, w}), dims);
  }

  void transposition() {
    const auto x = pick();
    ints perm{0, 1, 2, 3};
    for (int i = 3; i > 1; --i)
      std::swap(perm[static_cast<std::size_t>(i)], perm[static_cast<std::size_t>(1 + r_.below(i))]);
    shape dims;
    for (const auto axis : perm) dims.push_back(x.dims[static_cast<int>(axis)]);
    add(m_.node("Transpose", {x.id}, attrs_of({{"perm", perm}})), dims);
  }

  void reshaping() {
    const auto x = pick();
    if (r_.chance(2)) {
      add(m_.node("Reshape", {x.id, m_.ints({0, -1, x.dims[3], 1})}),
          {x.dims[0], x.dims[1] * x.dims[2], x.dims[3], 1});
      return;
    }
    const auto flat = m_.node("Flatten", {x.id});
    add(m_.node("Unsqueeze", {flat, m_.ints({1, 2})}),
        {x.dims[0], 1, 1, x.dims.element_count(1, 4)});
  }

  void slicing() {
    const auto x = pick();
    const auto axis = static_cast<int>(1 + r_.below(3));
    const auto first = r_.below(x.dims[axis]), last = first + 1 + r_.below(x.dims[axis] - first);
    auto dims = x.dims;
    dims[axis] = last - first;
    add(m_.node("Slice", {x.id, m_.ints({first}), m_.ints({last}), m_.ints({axis})}), dims);
  }

  void splitting() {
    const auto x = pick();
    if (x.dims[1] < 2) return;
    shape a = x.dims, b = x.dims;
    a[1] = 1 + r_.below(x.dims[1] - 1);
    b[1] = x.dims[1] - a[1];
    const auto parts = m_.node_of(2, "Split", {x.id, m_.ints({a[1], b[1]})},
                                  attrs_of({{"axis", std::int64_t{1}}}));
    add(parts[0], a);
    add(parts[1], b);
  }

  void padding() {
    const auto x = pick();
    const bool reflect = x.dims[2] > 1 && x.dims[3] > 1 && r_.chance(2);
    const std::int64_t right = reflect ? 1 : 2;
    add(m_.node("Pad", {x.id, m_.ints({0, 0, 1, 0, 0, 0, 0, right})},
                attrs_of({{"mode", std::string(reflect ? "reflect" : "constant")}})),
        {x.dims[0], x.dims[1], x.dims[2] + 1, x.dims[3] + right});
  }

  void enlargement() {
    const auto x = pick();
    const shape dims{x.dims[0], x.dims[1], 2 * x.dims[2], 2 * x.dims[3]};
    if (!small(dims)) return;
    if (x.dims[1] % 4 == 0) {
      add(m_.node("DepthToSpace", {x.id}, attrs_of({{"blocksize", std::int64_t{2}}})),
          {dims[0], dims[1] / 4, dims[2], dims[3]});
      return;
    }
    const auto scales = m_.constant(tensor::of<float>({4}, {1, 1, 2, 2}));
    add(m_.node("Resize", {x.id, no_value, scales},
                attrs_of({{"mode", std::string(r_.chance(2) ? "nearest" : "linear")}})),
        dims);
  }

  using move = void (random_model::*)();
  /// Convolutions and what fuses with them come up most often.
  static constexpr move all_moves[] = {
      &random_model::convolution,    &random_model::convolution,
      &random_model::convolution,    &random_model::convolution,
      &random_model::activation,     &random_model::activation,
      &random_model::activation,     &random_model::arithmetic,
      &random_model::arithmetic,     &random_model::arithmetic,
      &random_model::clip,           &random_model::normalization,
      &random_model::normalization,  &random_model::concatenation,
      &random_model::pooling,        &random_model::reduction,
      &random_model::softmax,        &random_model::matrix_product,
      &random_model::transposition,  &random_model::reshaping,
      &random_model::slicing,        &random_model::splitting,
      &random_model::padding,        &random_model::enlargement,
      &random_model::channel_factor, &random_model::transposed_convolution};

  model_builder m_;
  random_numbers& r_;
  std::vector<grown> values_;
};

} // namespace

graph make_random_model(std::uint64_t seed) {
  return random_model(seed).build();
}

} // namespace shoal::test
