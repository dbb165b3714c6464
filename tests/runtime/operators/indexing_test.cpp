#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

tensor indices(const shape& dims, std::initializer_list<std::int64_t> values) {
  return tensor::of<std::int64_t>(dims, values);
}

const auto matrix = tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6});

} // namespace

TEST_CASE("Gather takes rows or columns, from the end too") {
  CHECK(identical(run({.op = "Gather", .inputs = {matrix, indices({2}, {-1, 0})}}),
                  tensor::of<float>({2, 2}, {5, 6, 1, 2})));
  CHECK(identical(run({.op = "Gather",
                       .inputs = {matrix, indices({}, {1})},
                       .attrs = attrs_of({{"axis", std::int64_t{1}}})}),
                  tensor::of<float>({3}, {2, 4, 6})));
  for (const std::int64_t axis : {0, 1, 2})
    CHECK(kernels_disagree({.op = "Gather",
                            .inputs = {random_tensor({dtype::f32, {9, 11, 70}}, 1),
                                       random_tensor({dtype::i32, {3, 5}}, 2, -9, 9)},
                            .attrs = attrs_of({{"axis", axis}})}) == "");
  CHECK(kernels_disagree({.op = "Gather",
                          .inputs = {random_tensor({dtype::f32, {100, 512}}, 1),
                                     random_tensor({dtype::i64, {300}}, 2, 0, 100)}}) == "");
}

TEST_CASE("an index out of range is an error that names it") {
  for (const std::string kernel : {"cpu", "reference"}) {
    const auto failed =
        run_node({.op = "Gather", .inputs = {matrix, indices({2}, {0, 3})}}, kernel);
    REQUIRE(!failed);
    CHECK(failed.error().message().find("index 3 is out of range for an axis of 3") !=
          std::string::npos);
  }
  CHECK(!run_node({.op = "GatherElements", .inputs = {matrix, indices({1, 2}, {0, 3})}}));
  CHECK(!run_node({.op = "GatherND", .inputs = {matrix, indices({1, 2}, {0, -3})}}));
  CHECK(!run_node({.op = "ScatterND",
                   .inputs = {matrix, indices({1, 1}, {7}), tensor::of<float>({1, 2}, {0, 0})}}));
}

TEST_CASE("Gather is cut where the data is not chosen from, or where the indices are") {
  const node_case test{.op = "Gather",
                       .inputs = {random_tensor({dtype::f32, {2, 5, 3}}, 1),
                                  random_tensor({dtype::i64, {4, 2}}, 2, 0, 5)},
                       .attrs = attrs_of({{"axis", std::int64_t{1}}})};
  CHECK(split_is_wrong(test, {0, unsplit}, 0) == "");
  CHECK(split_is_wrong(test, {2, unsplit}, 3) == "");
  CHECK(split_is_wrong(test, {unsplit, 0}, 1, 3) == "");
  CHECK(split_is_wrong(test, {1, unsplit}, std::nullopt) == "");
  CHECK(field_is_wrong(test, 0, 0) == "");
  const node_case lookup{.op = "Gather",
                         .inputs = {random_tensor({dtype::f32, {7, 3}}, 1),
                                    random_tensor({dtype::i64, {4}}, 2, 0, 6)}};
  CHECK(split_is_wrong(lookup, {unsplit, 0}, 0, 3) == "");
  CHECK(field_is_wrong(lookup, 0, 1) == "");
}

TEST_CASE("GatherElements and GatherND pick elements and slices") {
  CHECK(identical(run({.op = "GatherElements", .inputs = {matrix, indices({2, 2}, {0, 2, -1, 0})}}),
                  tensor::of<float>({2, 2}, {1, 6, 5, 2})));
  CHECK(identical(run({.op = "GatherND", .inputs = {matrix, indices({2, 2}, {0, 1, 2, 0})}}),
                  tensor::of<float>({2}, {2, 5})));
  CHECK(identical(run({.op = "GatherND", .inputs = {matrix, indices({1, 1}, {1})}}),
                  tensor::of<float>({1, 2}, {3, 4})));
  CHECK(identical(run({.op = "GatherND",
                       .inputs = {matrix, indices({3, 1}, {1, 0, 1})},
                       .attrs = attrs_of({{"batch_dims", std::int64_t{1}}})}),
                  tensor::of<float>({3}, {2, 3, 6})));
  const node_case batched{.op = "GatherND",
                          .inputs = {random_tensor({dtype::f32, {4, 3, 5}}, 1),
                                     random_tensor({dtype::i64, {4, 2, 1}}, 2, 0, 3)},
                          .attrs = attrs_of({{"batch_dims", std::int64_t{1}}})};
  CHECK(split_is_wrong(batched, {0, 0}, 0) == "");
  CHECK(split_is_wrong(batched, {0, unsplit}, std::nullopt) == "");
  const node_case elements{.op = "GatherElements",
                           .inputs = {random_tensor({dtype::f32, {4, 3}}, 1),
                                      random_tensor({dtype::i64, {2, 3}}, 2, 0, 4)}};
  CHECK(split_is_wrong(elements, {1, 1}, 1) == "");
  CHECK(split_is_wrong(elements, {0, 0}, std::nullopt) == "");
  CHECK(split_is_wrong(elements, {unsplit, 0}, 0) == "");
}

TEST_CASE("ScatterElements and ScatterND put them, or add them up") {
  CHECK(identical(
      run({.op = "ScatterElements",
           .inputs = {matrix, indices({1, 2}, {2, 0}), tensor::of<float>({1, 2}, {7, 8})}}),
      tensor::of<float>({3, 2}, {1, 8, 3, 4, 7, 6})));
  CHECK(
      identical(run({.op = "ScatterElements",
                     .inputs = {matrix, indices({2, 1}, {0, 0}), tensor::of<float>({2, 1}, {7, 8})},
                     .attrs = attrs_of({{"reduction", std::string("add")}}),
                     .opset = 18}),
                tensor::of<float>({3, 2}, {16, 2, 3, 4, 5, 6})));
  const node_case rows{
      .op = "ScatterND",
      .inputs = {matrix, indices({2, 1}, {1, 1}), tensor::of<float>({2, 2}, {1, 1, 2, 2})},
      .attrs = attrs_of({{"reduction", std::string("max")}}),
      .opset = 18};
  CHECK(identical(run(rows), tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6})));
  CHECK(split_is_wrong(rows, {1, unsplit, 1}, 1) == "");
  CHECK(split_is_wrong(rows, {0, unsplit, 0}, std::nullopt) == "");
}

TEST_CASE("OneHot lights one, Trilu keeps a triangle") {
  const node_case hot{.op = "OneHot",
                      .inputs = {indices({3}, {0, -1, 5}),
                                 {tensor::of<std::int64_t>({}, {3}), true},
                                 tensor::of<float>({2}, {0, 9})}};
  CHECK(identical(run(hot), tensor::of<float>({3, 3}, {9, 0, 0, 0, 0, 9, 0, 0, 0})));
  CHECK(split_is_wrong(hot, {0, unsplit, unsplit}, 0) == "");
  CHECK(field_is_wrong(hot, 0, 0, {.slack = 1}) == ""); // 5 becomes 6: nothing lights either way
  const auto square = tensor::of<float>({2, 2}, {1, 2, 3, 4});
  CHECK(
      identical(run({.op = "Trilu", .inputs = {square}}), tensor::of<float>({2, 2}, {1, 2, 0, 4})));
  CHECK(identical(run({.op = "Trilu",
                       .inputs = {square, indices({}, {-1})},
                       .attrs = attrs_of({{"upper", std::int64_t{0}}})}),
                  tensor::of<float>({2, 2}, {0, 0, 3, 0})));
}
