#include "runtime/tile/crop_geometry.hpp"
#include "tests/support/model_builder.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

constexpr int rows = 2;

using ints = std::vector<std::int64_t>;

std::shared_ptr<const bound_graph> bind(const std::shared_ptr<const graph>& model,
                                        const shape& image) {
  const operand in{{dtype::f32, image}, nullptr, true};
  auto bound = bind_types(model, {&in, 1});
  if (!bound) return nullptr;
  return std::shared_ptr<const bound_graph>(*std::move(bound));
}

/// The rows of a network of one input, of 64x64, that `add` makes.
template <class Add>
result<crop_geometry> geometry_of(Add add) {
  model_builder b("whole", 17, 1);
  const auto x = b.input("x", dtype::f32, {1, 3, "H", "W"});
  b.output(add(b, x), "y");
  const auto whole = bind(std::make_shared<const graph>(std::move(b).build()), {1, 3, 64, 64});
  REQUIRE(whole != nullptr);
  return crop_geometry::derive(whole, 0, rows);
}

value_id convolve(model_builder& b, value_id x, std::int64_t stride) {
  return b.node("Conv", {x, b.random({3, 3, 3, 3}, 1)},
                attrs_of({{"strides", ints{stride, stride}}, {"pads", ints{1, 1, 1, 1}}}));
}

} // namespace

TEST_CASE("a crop yields what does not depend on its sides") {
  const auto same = geometry_of([](auto& b, auto x) { return convolve(b, convolve(b, x, 1), 1); });
  REQUIRE(same);
  CHECK(same->alignment() == 1);
  CHECK(same->reach() == 5);
  CHECK(same->output_scale(0) == scale_ratio{1, 1});
  CHECK(same->field_of(0, {10, 12}) == interval{8, 14});
  // Its sides are not the image's, which pads.
  CHECK(*same->yield_of({10, 29}) == std::vector<crop_yield>{{{12, 27}, 10}});
  // At the image's sides it pads as the image does.
  CHECK(*same->yield_of({0, 19}) == std::vector<crop_yield>{{{0, 17}, 0}});
  CHECK(*same->yield_of({0, 63}) == std::vector<crop_yield>{{{0, 63}, 0}});

  const auto half = geometry_of([](auto& b, auto x) { return convolve(b, convolve(b, x, 2), 2); });
  REQUIRE(half);
  CHECK(half->alignment() == 4);
  CHECK(half->output_scale(0) == scale_ratio{1, 4});
  CHECK(*half->yield_of({8, 31}) == std::vector<crop_yield>{{{3, 7}, 2}});
}

TEST_CASE("what needs all of an image, or depends on the place in it, is refused by name") {
  const auto refused = [](auto add) {
    const auto geometry = geometry_of(add);
    return geometry ? std::string("accepted") : geometry.error().message();
  };
  CHECK(refused([](model_builder& b, value_id x) { return b.node("Relu", {x}); }) == "accepted");
  for (const auto& message :
       {refused([](auto&b, auto x) { return b.node("GlobalAveragePool", {x}); }),
        refused([](auto&b, auto x) { return b.node("Flatten", {x}); }), refused([](auto&b, auto x) {
          return b.node("Softmax", {x}, attrs_of({{"axis", std::int64_t{2}}}));
        }),
        refused([](auto&b, auto x) {
          return b.node("Add", {x, b.random({1, 1, 64, 64}, 1)});
        })}) {
    CAPTURE(message);
    CHECK(message.find("needs all of axis 2") != std::string::npos);
    CHECK(message.find("opset 17") != std::string::npos);
  }
}
