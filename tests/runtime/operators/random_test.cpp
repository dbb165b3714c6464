#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

#include <cmath>

using namespace shoal;
using namespace shoal::test;

namespace {

node_case drawing(const char* op, std::optional<float> seed = 3.0f) {
  node_case test{.op = op, .inputs = {}};
  test.attrs.set("shape", std::vector<std::int64_t>{200, 100});
  if (seed) test.attrs.set("seed", *seed);
  return test;
}

struct moments {
  double mean = 0, deviation = 0;
};

moments moments_of(const tensor& t) {
  moments m;
  const auto n = static_cast<double>(t.element_count());
  for (const float v : t.values<float>()) m.mean += static_cast<double>(v) / n;
  for (const float v : t.values<float>())
    m.deviation += std::pow(static_cast<double>(v) - m.mean, 2) / n;
  m.deviation = std::sqrt(m.deviation);
  return m;
}

} // namespace

TEST_CASE("random numbers have the distribution that is asked for") {
  auto test = drawing("RandomUniform");
  test.attrs.set("low", -1.0f);
  test.attrs.set("high", 3.0f);
  const auto uniform = run(test);
  for (const float v : uniform.values<float>()) CHECK((v >= -1 && v <= 3));
  CHECK(moments_of(uniform).mean == doctest::Approx(1).epsilon(0.05));
  CHECK(moments_of(uniform).deviation == doctest::Approx(4 / std::sqrt(12.0)).epsilon(0.05));
  test = drawing("RandomNormal");
  test.attrs.set("mean", 5.0f);
  test.attrs.set("scale", 2.0f);
  CHECK(moments_of(run(test)).mean == doctest::Approx(5).epsilon(0.02));
  CHECK(moments_of(run(test)).deviation == doctest::Approx(2).epsilon(0.05));
}

TEST_CASE("the same request draws the same bits, another seed others") {
  for (const auto* op : {"RandomUniform", "RandomNormal"}) {
    CHECK(identical(run(drawing(op)), run(drawing(op))));
    CHECK(identical(run(drawing(op, std::nullopt)), run(drawing(op, std::nullopt))));
    CHECK(!identical(run(drawing(op)), run(drawing(op, 4.0f))));
    CHECK(!identical(run(drawing(op)), run(drawing(op, std::nullopt))));
  }
}

TEST_CASE("numbers like a tensor have its shape, and its type if none is named") {
  const auto like = random_tensor({dtype::f64, {3, 5}}, 1);
  for (const auto* op : {"RandomUniformLike", "RandomNormalLike"}) {
    node_case test{.op = op, .inputs = {like}};
    CHECK(run(test).type() == like.type());
    test.attrs.set("dtype", std::int64_t{10});
    CHECK(run(test).type() == tensor_type{dtype::f16, {3, 5}});
    test.attrs.set("dtype", std::int64_t{7});
    CHECK(!infer_node(test));
  }
  auto huge = drawing("RandomUniform");
  huge.attrs.set("shape", std::vector<std::int64_t>{INT64_MAX, 3});
  CHECK(!infer_node(huge));
}

TEST_CASE("Bernoulli draws ones as often as it is told") {
  node_case test{.op = "Bernoulli",
                 .inputs = {tensor::of<float>({20000}, std::vector<float>(20000, 0.3f))}};
  const auto drawn = run(test);
  for (const float v : drawn.values<float>()) CHECK((v == 0 || v == 1));
  CHECK(moments_of(drawn).mean == doctest::Approx(0.3).epsilon(0.05));
  CHECK(identical(drawn, run(test)));
  test.inputs = {tensor::of<float>({3}, {0, 1, 0})};
  test.attrs.set("dtype", std::int64_t{9});
  CHECK(identical(run(test), tensor::of<bool>({3}, {false, true, false})));
}

TEST_CASE("Multinomial draws classes by their probabilities") {
  const float never = -INFINITY;
  node_case test{
      .op = "Multinomial",
      .inputs = {tensor::of<float>({2, 3}, {0, never, std::log(3.0f), never, 7, never})}};
  test.attrs.set("sample_size", std::int64_t{10000});
  test.attrs.set("dtype", std::int64_t{7});
  const auto drawn = run(test);
  REQUIRE(drawn.type() == tensor_type{dtype::i64, {2, 10000}});
  int counts[2][3] = {};
  for (std::size_t i = 0; i < 20000; ++i) ++counts[i / 10000][drawn.values<std::int64_t>()[i]];
  CHECK(counts[0][0] == doctest::Approx(2500).epsilon(0.1));
  CHECK(counts[0][1] == 0);
  CHECK(counts[1][1] == 10000);
  test.attrs.set("sample_size", std::int64_t{-1});
  CHECK(!infer_node(test));
}
