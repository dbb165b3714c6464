#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

attribute ints(std::vector<std::int64_t> values) {
  return values;
}

constexpr dtype element_types[] = {dtype::f32, dtype::f64, dtype::f16, dtype::u8, dtype::boolean};

} // namespace

TEST_CASE("Transpose permutes, or reverses") {
  const auto in = counting({2, 3});
  const auto turned = tensor::of<float>({3, 2}, {0, 3, 1, 4, 2, 5});
  CHECK(identical(run({.op = "Transpose", .inputs = {in}}), turned));
  CHECK(identical(
      run({.op = "Transpose", .inputs = {in}, .attrs = attrs_of({{"perm", ints({1, 0})}})}),
      turned));
  for (const auto type : element_types)
    for (const auto& perm : {ints({0, 2, 3, 1}), ints({0, 3, 1, 2}), ints({0, 2, 1, 3}),
                             ints({3, 2, 1, 0}), ints({0, 1, 2, 3}), ints({1, 0, 3, 2})})
      CHECK(kernels_disagree({.op = "Transpose",
                              .inputs = {random_tensor({type, {3, 19, 34, 21}}, 3, -50, 50)},
                              .attrs = attrs_of({{"perm", perm}})}) == "");
  CHECK(!infer_node(
      {.op = "Transpose", .inputs = {in}, .attrs = attrs_of({{"perm", ints({1, 1})}})}));
  const node_case test{.op = "Transpose",
                       .inputs = {counting({2, 3, 4})},
                       .attrs = attrs_of({{"perm", ints({2, 1, 0})}})};
  CHECK(split_is_wrong(test, {0}, 2) == "");
  CHECK(split_is_wrong(test, {2}, 0, 3) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
}

TEST_CASE("Concat joins along any axis, and blocked channels as they are") {
  const auto joined = run({.op = "Concat",
                           .inputs = {counting({2, 1}), counting({2, 2})},
                           .attrs = attrs_of({{"axis", std::int64_t{-1}}})});
  CHECK(identical(joined, tensor::of<float>({2, 3}, {0, 0, 1, 1, 2, 3})));
  for (const std::int64_t axis : {0, 1, 2, 3}) {
    const node_case test{.op = "Concat",
                         .inputs = {random_tensor({dtype::f32, {2, 16, 5, 3}}, 1),
                                    random_tensor({dtype::f32, {2, 16, 5, 3}}, 2)},
                         .attrs = attrs_of({{"axis", axis}})};
    CAPTURE(axis);
    CHECK(kernels_disagree(test) == "");
    const int other = axis == 0 ? 1 : 0;
    CHECK(split_is_wrong(test, {other, other}, other) == "");
    CHECK(split_is_wrong(test, {static_cast<int>(axis), static_cast<int>(axis)}, std::nullopt) ==
          "");
    CHECK(split_is_wrong(test, {other, unsplit}, std::nullopt) == "");
  }
  CHECK(kernels_disagree({.op = "Concat",
                          .inputs = {random_tensor({dtype::f32, {2, 32, 4, 3}}, 1),
                                     random_tensor({dtype::f32, {2, 16, 4, 3}}, 2),
                                     random_tensor({dtype::f32, {2, 8, 4, 3}}, 2)},
                          .attrs = attrs_of({{"axis", std::int64_t{1}}})}) == "");
  const node_case parts{.op = "Concat",
                        .inputs = {counting({1, 2, 3}), counting({1, 4, 3})},
                        .attrs = attrs_of({{"axis", std::int64_t{1}}})};
  CHECK(field_is_wrong(parts, 0, 1) == "");
  CHECK(field_is_wrong(parts, 1, 1) == "");
  CHECK(field_is_wrong(parts, 1, 2) == "");
  CHECK(!infer_node({.op = "Concat",
                     .inputs = {counting({2, 1}), counting({3, 1})},
                     .attrs = attrs_of({{"axis", std::int64_t{1}}})}));
}

TEST_CASE("Slice takes attributes or inputs, steps and ends beyond the tensor") {
  const auto in = counting({2, 5});
  CHECK(identical(run({.op = "Slice",
                       .inputs = {in},
                       .attrs = attrs_of({{"starts", ints({1, -2})}, {"ends", ints({9, 5})}}),
                       .opset = 9}),
                  tensor::of<float>({1, 2}, {8, 9})));
  const auto slice = [&](std::int64_t start, std::int64_t end, std::int64_t step) {
    return run({.op = "Slice",
                .inputs = {counting({5}), constant({start}), constant({end}), constant({0}),
                           constant({step})}});
  };
  CHECK(identical(slice(4, INT64_MIN, -1), tensor::of<float>({5}, {4, 3, 2, 1, 0})));
  CHECK(identical(slice(-1, 0, -2), tensor::of<float>({2}, {4, 2})));
  CHECK(identical(slice(1, INT64_MAX, 3), tensor::of<float>({2}, {1, 4})));
  CHECK(identical(slice(3, 3, 1), tensor::of<float>({0}, {})));
  CHECK(identical(slice(0, INT64_MAX, INT64_MAX), tensor::of<float>({1}, {0})));
  CHECK(identical(slice(INT64_MAX, INT64_MIN, INT64_MIN), tensor::of<float>({1}, {4})));
  for (const auto type : element_types)
    CHECK(kernels_disagree({.op = "Slice",
                            .inputs = {random_tensor({type, {4, 33, 17}}, 3, -50, 50),
                                       constant({3, 30, 1}), constant({0, 2, 16}),
                                       constant({0, 1, 2}), constant({-1, -3, 2})}}) == "");
  const node_case test{
      .op = "Slice",
      .inputs = {counting({3, 9}), constant({7}), constant({1}), constant({1}), constant({-2})}};
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(split_is_wrong(test, {0, unsplit, unsplit, unsplit, unsplit}, 0) == "");
  CHECK(split_is_wrong(test, {1, unsplit, unsplit, unsplit, unsplit}, std::nullopt) == "");
  const node_case tail{.op = "Slice",
                       .inputs = {counting({4, 6}), constant({1}), constant({6}), constant({1})}};
  CHECK(split_is_wrong(tail, {1, unsplit, unsplit, unsplit}, std::nullopt) == "");
  CHECK(field_is_wrong(tail, 0, 1) == "");
  const auto unknown =
      infer_node({.op = "Slice", .inputs = {in, constant({0}).value, constant({1}).value}});
  REQUIRE(!unknown);
  CHECK(unknown.error().code() == errc::needs_values);
  CHECK(unknown.error().message().find("known only while running") != std::string::npos);
}

TEST_CASE("Split makes equal parts, given parts, or as many as asked for") {
  const auto in = counting({7});
  const auto equal = *run_node({.op = "Split", .inputs = {counting({6})}, .outputs = 3});
  CHECK(identical(equal[2], tensor::of<float>({2}, {4, 5})));
  const auto by_attribute = *run_node({.op = "Split",
                                       .inputs = {in},
                                       .attrs = attrs_of({{"split", ints({2, 5})}}),
                                       .opset = 11,
                                       .outputs = 2});
  CHECK(identical(by_attribute[0], tensor::of<float>({2}, {0, 1})));
  const auto by_input = *run_node({.op = "Split", .inputs = {in, constant({6, 1})}, .outputs = 2});
  CHECK(identical(by_input[1], tensor::of<float>({1}, {6})));
  const auto uneven = *run_node({.op = "Split",
                                 .inputs = {in},
                                 .attrs = attrs_of({{"num_outputs", std::int64_t{3}}}),
                                 .opset = 18,
                                 .outputs = 3});
  CHECK(identical(uneven[2], tensor::of<float>({1}, {6})));
  CHECK(!infer_node({.op = "Split", .inputs = {in}, .outputs = 2}));
  CHECK(!infer_node({.op = "Split", .inputs = {in, constant({5, 5})}, .outputs = 2}));
  const node_case test{.op = "Split",
                       .inputs = {counting({3, 4, 2})},
                       .attrs = attrs_of({{"axis", std::int64_t{1}}}),
                       .outputs = 2};
  CHECK(kernels_disagree(test) == "");
  CHECK(split_is_wrong(test, {2}, 2) == "");
  CHECK(split_is_wrong(test, {1}, std::nullopt) == "");
  for (const auto& parts : {ints({16, 32}), ints({8, 40}), ints({20, 28})})
    CHECK(kernels_disagree({.op = "Split",
                            .inputs = {random_tensor({dtype::f32, {2, 48, 3, 5}}, 1)},
                            .attrs = attrs_of({{"axis", std::int64_t{1}}, {"split", parts}}),
                            .opset = 11,
                            .outputs = 2}) == "");
}

TEST_CASE("Expand and Tile repeat") {
  CHECK(identical(run({.op = "Expand", .inputs = {counting({2, 1}), constant({3, 1, 2})}}),
                  tensor::of<float>({3, 2, 2}, {0, 0, 1, 1, 0, 0, 1, 1, 0, 0, 1, 1})));
  CHECK(identical(run({.op = "Tile", .inputs = {counting({1, 2}), constant({2, 2})}}),
                  tensor::of<float>({2, 4}, {0, 1, 0, 1, 0, 1, 0, 1})));
  const node_case expand{.op = "Expand", .inputs = {counting({3, 1, 5}), constant({1, 4, 1})}};
  CHECK(kernels_disagree(expand) == "");
  CHECK(field_is_wrong(expand, 0, 1) == "");
  CHECK(field_is_wrong(expand, 0, 2) == "");
  CHECK(split_is_wrong(expand, {0, unsplit}, 0) == "");
  CHECK(split_is_wrong(expand, {1, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong({.op = "Expand", .inputs = {counting({3, 1}), constant({3, 4})}},
                       {0, unsplit}, std::nullopt) == "");
  const node_case tile{.op = "Tile", .inputs = {counting({3, 5, 4, 7}), constant({2, 1, 3, 2})}};
  CHECK(kernels_disagree(tile) == "");
  CHECK(field_is_wrong({.op = "Tile", .inputs = {counting({2, 3}), constant({1, 3})}}, 0, 1) == "");
  CHECK(split_is_wrong(tile, {1, unsplit}, 1, 2) == "");
  CHECK(split_is_wrong(tile, {0, unsplit}, std::nullopt) == "");
}

TEST_CASE("Pad fills, mirrors, repeats or wraps around, and crops") {
  const auto in = counting({1, 3});
  const auto pad = [&](const char* mode) {
    return run({.op = "Pad",
                .inputs = {in, constant({0, 2, 0, 1})},
                .attrs = attrs_of({{"mode", std::string(mode)}}),
                .opset = 19});
  };
  CHECK(identical(pad("constant"), tensor::of<float>({1, 6}, {0, 0, 0, 1, 2, 0})));
  CHECK(identical(pad("reflect"), tensor::of<float>({1, 6}, {2, 1, 0, 1, 2, 1})));
  CHECK(identical(pad("edge"), tensor::of<float>({1, 6}, {0, 0, 0, 1, 2, 2})));
  CHECK(identical(pad("wrap"), tensor::of<float>({1, 6}, {1, 2, 0, 1, 2, 0})));
  CHECK(identical(run({.op = "Pad",
                       .inputs = {in},
                       .attrs = attrs_of({{"pads", ints({0, 1, 1, 0})}, {"value", 7.0f}}),
                       .opset = 10}),
                  tensor::of<float>({2, 4}, {7, 0, 1, 2, 7, 7, 7, 7})));
  CHECK(
      identical(run({.op = "Pad",
                     .inputs = {in, constant({1, -1}), tensor::of<float>({}, {5}), constant({-1})},
                     .opset = 18}),
                tensor::of<float>({1, 3}, {5, 0, 1})));
  std::uint64_t seed = 60;
  for (const std::string mode : {"constant", "reflect", "edge", "wrap"}) {
    CAPTURE(mode);
    for (const auto type : element_types)
      CHECK(kernels_disagree({.op = "Pad",
                              .inputs = {random_tensor({type, {3, 4, 19, 33}}, ++seed, -50, 50),
                                         constant({0, 1, 3, 2, 1, 0, -2, 5})},
                              .attrs = attrs_of({{"mode", mode}}),
                              .opset = 19}) == "");
    const node_case test{.op = "Pad",
                         .inputs = {counting({2, 5}), constant({0, 2, 0, 3})},
                         .attrs = attrs_of({{"mode", mode}}),
                         .opset = 19};
    CHECK(field_is_wrong(test, 0, 1) == "");
    CHECK(split_is_wrong(test, {0, unsplit}, 0) == "");
    CHECK(split_is_wrong(test, {1, unsplit}, std::nullopt) == "");
  }
}

TEST_CASE("DepthToSpace and SpaceToDepth undo each other") {
  const auto block = [](const char* mode) {
    return attrs_of({{"blocksize", std::int64_t{2}}, {"mode", std::string(mode)}});
  };
  const auto in = counting({1, 8, 1, 1});
  CHECK(identical(run({.op = "DepthToSpace", .inputs = {in}, .attrs = block("DCR")}),
                  tensor::of<float>({1, 2, 2, 2}, {0, 2, 4, 6, 1, 3, 5, 7})));
  CHECK(identical(run({.op = "DepthToSpace", .inputs = {in}, .attrs = block("CRD")}),
                  tensor::of<float>({1, 2, 2, 2}, {0, 1, 2, 3, 4, 5, 6, 7})));
  const auto image = counting({2, 12, 3, 5});
  const auto shuffled = run({.op = "DepthToSpace", .inputs = {image}, .attrs = block("DCR")});
  CHECK(identical(run({.op = "SpaceToDepth",
                       .inputs = {shuffled},
                       .attrs = attrs_of({{"blocksize", std::int64_t{2}}})}),
                  image));
  for (const auto type : element_types)
    for (const std::int64_t b : {2, 3, 4})
      for (const std::string mode : {"DCR", "CRD"})
        CHECK(kernels_disagree({.op = "DepthToSpace",
                                .inputs = {random_tensor({type, {2, 2 * b * b, 7, 40}}, 1, -9, 9)},
                                .attrs = attrs_of({{"blocksize", b}, {"mode", mode}})}) == "");
  const node_case deep{
      .op = "DepthToSpace", .inputs = {counting({2, 4, 2, 3})}, .attrs = block("CRD")};
  CHECK(field_is_wrong(deep, 0, 2) == "");
  CHECK(field_is_wrong(deep, 0, 0) == "");
  CHECK(split_is_wrong(deep, {3}, 3) == "");
  CHECK(split_is_wrong(deep, {1}, std::nullopt) == "");
  const node_case wide{.op = "SpaceToDepth",
                       .inputs = {counting({2, 1, 4, 6})},
                       .attrs = attrs_of({{"blocksize", std::int64_t{2}}})};
  CHECK(field_is_wrong(wide, 0, 3) == "");
  CHECK(split_is_wrong(wide, {0}, 0) == "");
  CHECK(split_is_wrong(wide, {2}, std::nullopt) == "");
}
