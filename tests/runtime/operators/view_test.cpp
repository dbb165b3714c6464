#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

attribute ints(std::vector<std::int64_t> values) {
  return values;
}

tensor image() {
  return random_tensor({dtype::f32, {2, 3, 4}}, 1);
}

/// The extents of output 0; those of a failure are [-1].
shape extents(const node_case& test) {
  const auto types = infer_node(test);
  return types ? (*types)[0].dims : shape{-1};
}

} // namespace

TEST_CASE("Reshape copies, infers and states extents") {
  const auto reshape = [&](std::vector<std::int64_t> to, std::int64_t allow_zero = 0) {
    return extents({.op = "Reshape",
                    .inputs = {image(), constant(std::move(to))},
                    .attrs = attrs_of({{"allowzero", allow_zero}})});
  };
  CHECK(reshape({4, 6}) == shape{4, 6});
  CHECK(reshape({0, -1}) == shape{2, 12});
  CHECK(reshape({-1}) == shape{24});
  CHECK(reshape({0, 0, 2, -1}) == shape{2, 3, 2, 2});
  CHECK(reshape({5, -1}) == shape{-1});
  CHECK(reshape({-1, -1}) == shape{-1});
  CHECK(reshape({4, 5}) == shape{-1});
  CHECK(reshape({0, -1}, 1) == shape{-1});
  CHECK(extents({.op = "Reshape",
                 .inputs = {random_tensor({dtype::f32, {0, 3}}, 1), constant({3, 0})},
                 .attrs = attrs_of({{"allowzero", std::int64_t{1}}})}) == shape{3, 0});
  const auto unknown = infer_node({.op = "Reshape", .inputs = {image(), constant({24}).value}});
  REQUIRE(!unknown);
  CHECK(unknown.error().code() == errc::needs_values);
}

TEST_CASE("a cut passes through Reshape where the shape leaves its extent open") {
  const auto reshape = [](std::vector<std::int64_t> to) {
    return node_case{.op = "Reshape", .inputs = {image(), constant(std::move(to))}};
  };
  CHECK(split_is_wrong(reshape({0, -1}), {0, unsplit}, 0) == "");
  CHECK(split_is_wrong(reshape({-1, 12}), {0, unsplit}, 0) == "");
  CHECK(split_is_wrong(reshape({2, 12}), {0, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(reshape({0, 0, 2, 2}), {1, unsplit}, 1) == "");
  CHECK(split_is_wrong(reshape({0, -1}), {1, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(reshape({1, 2, -1, 4}), {1, unsplit}, 2) == "");
  CHECK(field_is_wrong(reshape({0, 0, 2, 2}), 0, 1) == "");
  CHECK(field_is_wrong(reshape({2, 12}), 0, 0) == "");
}

TEST_CASE("Flatten, Squeeze and Unsqueeze in their old and new forms") {
  const auto flat = [](std::int64_t axis) {
    return extents({.op = "Flatten", .inputs = {image()}, .attrs = attrs_of({{"axis", axis}})});
  };
  CHECK(flat(1) == shape{2, 12});
  CHECK(flat(0) == shape{1, 24});
  CHECK(flat(3) == shape{24, 1});
  CHECK(flat(-1) == shape{6, 4});
  CHECK(flat(4) == shape{-1});
  const auto thin = random_tensor({dtype::f32, {1, 3, 1, 4}}, 2);
  CHECK(extents({.op = "Squeeze", .inputs = {thin}}) == shape{3, 4});
  CHECK(extents({.op = "Squeeze", .inputs = {thin, constant({-2})}}) == shape{1, 3, 4});
  CHECK(extents({.op = "Squeeze", .inputs = {thin, constant({1})}}) == shape{-1});
  CHECK(extents({.op = "Squeeze",
                 .inputs = {thin},
                 .attrs = attrs_of({{"axes", ints({0})}}),
                 .opset = 11}) == shape{3, 1, 4});
  CHECK(extents({.op = "Unsqueeze", .inputs = {image(), constant({-1, 0})}}) ==
        shape{1, 2, 3, 4, 1});
  CHECK(extents({.op = "Unsqueeze",
                 .inputs = {image()},
                 .attrs = attrs_of({{"axes", ints({2})}}),
                 .opset = 11}) == shape{2, 3, 1, 4});
  CHECK(split_is_wrong({.op = "Flatten", .inputs = {image()}}, {0}, 0) == "");
  CHECK(split_is_wrong({.op = "Squeeze", .inputs = {thin, constant({0, 2})}}, {3, unsplit}, 1) ==
        "");
  CHECK(split_is_wrong({.op = "Squeeze", .inputs = {thin}}, {3}, std::nullopt) == "");
  CHECK(split_is_wrong({.op = "Unsqueeze", .inputs = {image(), constant({1})}}, {1, unsplit}, 2) ==
        "");
}

TEST_CASE("what follows from types or attributes is known before a run") {
  const auto evaluate = [](const node_case& test) {
    const auto outputs = run_node(test);
    REQUIRE_MESSAGE(outputs.has_value(), (outputs ? "" : outputs.error().message()));
    return (*outputs)[0];
  };
  CHECK(identical(evaluate({.op = "Shape", .inputs = {image()}}),
                  tensor::of<std::int64_t>({3}, {2, 3, 4})));
  CHECK(identical(
      evaluate({.op = "Shape",
                .inputs = {image()},
                .attrs = attrs_of({{"start", std::int64_t{-2}}, {"end", std::int64_t{9}}})}),
      tensor::of<std::int64_t>({2}, {3, 4})));
  CHECK(
      identical(evaluate({.op = "Size", .inputs = {image()}}), tensor::of<std::int64_t>({}, {24})));
  CHECK(identical(
      evaluate({.op = "Constant", .inputs = {}, .attrs = attrs_of({{"value_ints", ints({3, 4})}})}),
      tensor::of<std::int64_t>({2}, {3, 4})));
  CHECK(identical(evaluate({.op = "ConstantOfShape", .inputs = {constant({2})}}),
                  tensor::of<float>({2}, {0, 0})));
  CHECK(identical(evaluate({.op = "ConstantOfShape",
                            .inputs = {constant({2})},
                            .attrs = attrs_of({{"value", tensor::of<std::int32_t>({1}, {7})}})}),
                  tensor::of<std::int32_t>({2}, {7, 7})));
  const auto number = [](std::int64_t v) {
    return node_input(tensor::of<std::int64_t>({}, {v}), true);
  };
  CHECK(identical(evaluate({.op = "Range", .inputs = {number(10), number(4), number(-3)}}),
                  tensor::of<std::int64_t>({2}, {10, 7})));
  CHECK(!infer_node({.op = "Range", .inputs = {number(0), number(4), number(0)}}));
  CHECK(!infer_node({.op = "ConstantOfShape", .inputs = {constant({1LL << 40, 1LL << 40})}}));
  CHECK(identical(
      evaluate({.op = "NonZero", .inputs = {{tensor::of<float>({2, 2}, {0, 1, 2, 0}), true}}}),
      tensor::of<std::int64_t>({2, 2}, {0, 1, 1, 0})));
  const auto unknown = infer_node({.op = "NonZero", .inputs = {image()}});
  REQUIRE(!unknown);
  CHECK(unknown.error().code() == errc::needs_values);
}

TEST_CASE("Dropout does nothing, says so in its mask, and refuses to train") {
  const auto in = image();
  const auto outputs = *run_node({.op = "Dropout", .inputs = {in}, .outputs = 2});
  CHECK(identical(outputs[0], in));
  CHECK(outputs[1].type() == tensor_type{dtype::boolean, {2, 3, 4}});
  for (const bool kept : outputs[1].values<bool>()) CHECK(kept);
  const auto old = *run_node({.op = "Dropout", .inputs = {in}, .opset = 7, .outputs = 2});
  CHECK(old[1].element_type() == in.element_type());

  const auto yes = tensor::of<bool>({}, {true});
  const auto none = tensor::of<float>({}, {0}), half = tensor::of<float>({}, {0.5f});
  CHECK(!infer_node({.op = "Dropout", .inputs = {in, tensor(), {yes, true}}}));
  CHECK(!infer_node({.op = "Dropout", .inputs = {in, {half, true}, {yes, true}}}));
  CHECK(identical((*run_node({.op = "Dropout", .inputs = {in, none, yes}}))[0], in));
  const auto refused = run_node({.op = "Dropout", .inputs = {in, half, yes}});
  REQUIRE(!refused);
  CHECK(refused.error().message().find("training mode") != std::string::npos);
}
