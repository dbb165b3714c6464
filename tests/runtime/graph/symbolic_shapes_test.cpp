#include "runtime/graph/rewrite.hpp"
#include "runtime/graph/symbolic_shapes.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/stages.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

using ints = std::vector<std::int64_t>;
using extent = model_builder::extent;

/// x [N,4,H,W] and what is made of it; `same` says whether two values provably have one shape.
class open_image {
 public:
  value_id image(std::vector<extent> dims) {
    return m_.input(fmt::format("input{}", inputs_++), dtype::f32, std::move(dims));
  }
  value_id conv(value_id x, std::int64_t kernel, std::int64_t stride, ints pads,
                std::int64_t dilation = 1) {
    return m_.node("Conv", {x, m_.random({4, 4, kernel, kernel}, 1)},
                   attrs_of({{"strides", ints{stride, stride}},
                             {"dilations", ints{dilation, dilation}},
                             {"pads", std::move(pads)}}));
  }
  value_id node(std::string_view op, std::vector<value_id> inputs, attributes attrs = {}) {
    return m_.node(op, std::move(inputs), std::move(attrs));
  }
  value_id scales(float by) { return m_.constant(tensor::of<float>({4}, {1, 1, by, by})); }
  bool same(value_id a, value_id b) {
    auto copy = m_;
    // Every value needs a reader or it is dropped, and with it the numbering.
    copy.output(a, "a");
    if (b != a) copy.output(b, "b");
    const auto built = std::move(copy).build();
    const graph_editor editor(built, {});
    return symbolic_shapes(editor).same(built.outputs()[0], built.outputs()[b != a ? 1 : 0]);
  }

 private:
  model_builder m_{"open", 13, 1};
  int inputs_ = 0;
};

attributes pool(ints pads, std::int64_t ceil) {
  return attrs_of({{"kernel_shape", ints{3, 3}},
                   {"strides", ints{2, 2}},
                   {"pads", std::move(pads)},
                   {"ceil_mode", ceil}});
}

} // namespace

TEST_CASE("extents are equal when their symbols are, and not when they may differ") {
  open_image m;
  const auto x = m.image({"N", 4, "H", "W"});
  CHECK(m.same(x, m.image({"N", 4, "H", "W"})));
  CHECK_FALSE(m.same(x, m.image({"M", 4, "H", "W"})));
  CHECK_FALSE(m.same(x, m.image({1, 4, "H", "W"})));
  CHECK_FALSE(m.same(x, m.image({"N", 4, "W", "H"})));
  CHECK_FALSE(m.same(x, m.image({"N", 4, "H"})));
  const auto unnamed = m.image({"N", 4, "", "W"});
  CHECK(m.same(unnamed, unnamed));
  CHECK_FALSE(m.same(unnamed, m.image({"N", 4, "", "W"})));
}

TEST_CASE("windows that fit equally often give equal extents") {
  open_image m;
  const auto x = m.image({"N", 4, "H", "W"});
  CHECK(m.same(x, m.conv(x, 3, 1, {1, 1, 1, 1})));
  CHECK(m.same(x, m.conv(x, 3, 1, {2, 2, 2, 2}, 2)));
  CHECK_FALSE(m.same(x, m.conv(x, 3, 1, {1, 1, 0, 1})));
  CHECK_FALSE(m.same(x, m.conv(x, 3, 2, {1, 1, 1, 1})));
  const auto half = m.conv(x, 3, 2, {1, 1, 1, 1});
  CHECK(m.same(half, m.conv(x, 1, 2, {0, 0, 0, 0})));
  CHECK_FALSE(m.same(half, m.conv(x, 2, 2, {0, 0, 0, 0}))); // they differ for odd extents
  CHECK(m.same(half, m.node("MaxPool", {x}, pool({1, 1, 1, 1}, 0))));
  CHECK_FALSE(m.same(half, m.node("MaxPool", {x}, pool({1, 1, 1, 1}, 1))));
  CHECK(m.same(m.conv(half, 1, 1, {}), m.node("Relu", {half})));
}

TEST_CASE("sums, joints and resized images have the extents of their parts") {
  open_image m;
  const auto x = m.image({"N", 4, "H", "W"}), z = m.image({"N", 4, "H", "W"});
  CHECK(m.same(x, m.node("Add", {x, z})));
  CHECK(m.same(x, m.node("Mul", {m.image({4, 1, 1}), x})));
  CHECK_FALSE(m.same(x, m.node("Add", {x, m.image({"N", 4, "V", "W"})}))); // H may be 1
  const auto channels = attrs_of({{"axis", std::int64_t{1}}});
  CHECK(m.same(m.image({"N", 8, "H", "W"}), m.node("Concat", {x, z}, channels)));
  CHECK_FALSE(m.same(x, m.node("Concat", {x, z}, channels)));
  const auto rows = attrs_of({{"axis", std::int64_t{2}}});
  CHECK(m.same(m.node("Concat", {x, z}, rows), m.node("Concat", {z, x}, rows)));
  CHECK_FALSE(m.same(x, m.node("Concat", {x, z}, rows)));
  CHECK(m.same(m.node("Resize", {x, no_value, m.scales(2)}),
               m.node("Resize", {z, no_value, m.scales(2)})));
  CHECK_FALSE(m.same(x, m.node("Resize", {x, no_value, m.scales(2)})));
  CHECK_FALSE(m.same(x, m.node("Transpose", {x}))); // not known
}

TEST_CASE("residuals fuse in a network of open extents") {
  model_builder m("blocks", 13, 3);
  const auto x = m.input("x", dtype::f32, {"N", 4, "H", "W"});
  const auto conv = [&](value_id in, std::int64_t kernel, std::int64_t stride) {
    const auto pad = kernel / 2;
    return m.node(
        "Conv", {in, m.random({4, 4, kernel, kernel}, 0.2f)},
        attrs_of({{"strides", ints{stride, stride}}, {"pads", ints{pad, pad, pad, pad}}}));
  };
  const auto y = m.node("Relu", {m.node("Add", {conv(conv(x, 3, 1), 3, 1), x})});
  m.output(m.node("Add", {conv(y, 3, 2), conv(y, 1, 2)}), "out");
  const auto before = std::move(m).build();
  const auto after = rewrite(before);
  REQUIRE(after);
  CHECK(operators_of(*after) == "Conv FusedConv Conv FusedConv");
  const auto whole = std::make_shared<const graph>(before),
             fused = std::make_shared<const graph>(*after);
  for (const std::int64_t side : {7, 1}) {
    CAPTURE(side);
    const auto inputs = make_inputs(before, 1, {{"N", 2}, {"H", side}, {"W", 6}});
    const auto expected = run_whole(whole, inputs), got = run_whole(fused, inputs);
    REQUIRE_MESSAGE(expected, (expected ? std::string() : expected.error().message()));
    REQUIRE_MESSAGE(got, (got ? std::string() : got.error().message()));
    CHECK(mismatch((*got)[0], (*expected)[0], 1e-5, 1e-5) <= 1);
  }
}
