#include "tests/runtime/operators/known_values.hpp"

#include <doctest/doctest.h>

#include <limits>

using namespace shoal;
using namespace shoal::test;

namespace {

attribute ints(std::vector<std::int64_t> values) {
  return values;
}

const char* const reductions[] = {"ReduceSum",    "ReduceMean",     "ReduceMax", "ReduceMin",
                                  "ReduceProd",   "ReduceL1",       "ReduceL2",  "ReduceSumSquare",
                                  "ReduceLogSum", "ReduceLogSumExp"};

} // namespace

TEST_CASE("reductions of a small matrix") {
  const auto in = tensor::of<float>({2, 2}, {1, 2, 3, 4});
  const auto run = [&](const char* op) {
    return (*run_node({.op = op,
                       .inputs = {in},
                       .attrs = attrs_of({{"axes", ints({1})}, {"keepdims", std::int64_t{0}}}),
                       .opset = 11}))[0];
  };
  const auto is = [&](const char* op, float a, float b) {
    return mismatch(run(op), tensor::of<float>({2}, {a, b})) <= 1;
  };
  CHECK(is("ReduceSum", 3, 7));
  CHECK(is("ReduceMean", 1.5, 3.5));
  CHECK(is("ReduceMax", 2, 4));
  CHECK(is("ReduceMin", 1, 3));
  CHECK(is("ReduceProd", 2, 12));
  CHECK(is("ReduceL1", 3, 7));
  CHECK(is("ReduceL2", 2.236068f, 5));
  CHECK(is("ReduceSumSquare", 5, 25));
  CHECK(is("ReduceLogSum", 1.098612f, 1.945910f));
  CHECK(is("ReduceLogSumExp", 2.313262f, 4.313262f));
}

TEST_CASE("axes are an attribute or an input, and none means all or nothing") {
  const auto in = tensor::of<std::int32_t>({2, 2}, {1, 2, 3, 4});
  const node_input axes(tensor::of<std::int64_t>({1}, {-1}), true);
  CHECK(identical((*run_node({.op = "ReduceSum", .inputs = {in, axes}}))[0],
                  tensor::of<std::int32_t>({2, 1}, {3, 7})));
  CHECK(identical((*run_node({.op = "ReduceSum", .inputs = {in}}))[0],
                  tensor::of<std::int32_t>({1, 1}, {10})));
  CHECK(identical((*run_node({.op = "ReduceSum",
                              .inputs = {in},
                              .attrs = attrs_of({{"noop_with_empty_axes", std::int64_t{1}}})}))[0],
                  in));
  const auto unknown = infer_node({.op = "ReduceSum", .inputs = {in, axes.value}});
  REQUIRE(!unknown);
  CHECK(unknown.error().code() == errc::needs_values);
}

TEST_CASE("reductions agree with the reference over any axes and layouts") {
  std::uint64_t seed = 300;
  for (const std::string op : reductions)
    for (const auto& axes :
         {ints({0}), ints({1}), ints({3}), ints({2, 3}), ints({1, 2}), ints({0, 3})}) {
      CAPTURE(op);
      CHECK(kernels_disagree(
                {.op = op,
                 .inputs = {random_tensor({dtype::f32, {2, 16, 7, 37}}, ++seed, 0.5, 1.5)},
                 .attrs = attrs_of({{"axes", axes}}),
                 .opset = 11}) == "");
    }
  CHECK(kernels_disagree({.op = "ReduceMean",
                          .inputs = {random_tensor({dtype::f32, {3, 40000}}, 1, -1, 1)},
                          .attrs = attrs_of({{"axes", ints({1})}}),
                          .opset = 11}) == "");
}

TEST_CASE("LogSumExp neither overflows nor loses infinities") {
  constexpr float infinite = std::numeric_limits<float>::infinity();
  const auto in = tensor::of<float>({3, 2}, {1000, 1000, -infinite, -infinite, infinite, 0});
  for (const std::string kernel : {"cpu", "reference"}) {
    const auto out = (*run_node({.op = "ReduceLogSumExp",
                                 .inputs = {in},
                                 .attrs = attrs_of({{"axes", ints({1})}}),
                                 .opset = 13},
                                kernel))[0];
    CHECK(mismatch(out, tensor::of<float>({3, 1}, {1000.693147f, -infinite, infinite})) <= 1);
  }
}

TEST_CASE("a reduction gives the same bits whatever is cut off beside it") {
  const auto in = random_tensor({dtype::f32, {3, 33, 5}}, 77);
  for (const std::string op : reductions) {
    CAPTURE(op);
    const node_case kept{
        .op = op, .inputs = {in}, .attrs = attrs_of({{"axes", ints({1})}}), .opset = 11};
    CHECK(split_is_wrong(kept, {2}, 2) == "");
    CHECK(split_is_wrong(kept, {0}, 0) == "");
    CHECK(split_is_wrong(kept, {1}, std::nullopt) == "");
    auto dropped = kept;
    dropped.attrs.set("keepdims", std::int64_t{0});
    CHECK(split_is_wrong(dropped, {2}, 1, 2) == "");
  }
  const node_case sum{.op = "ReduceSum",
                      .inputs = {random_tensor({dtype::f32, {2, 3, 4}}, 78)},
                      .attrs = attrs_of({{"axes", ints({1})}}),
                      .opset = 11};
  CHECK(field_is_wrong(sum, 0, 2) == "");
  CHECK(field_is_wrong(sum, 0, 1, {.global = true}) == "");
}

TEST_CASE("ArgMax and ArgMin find the first of equals, or the last") {
  const auto in = tensor::of<float>({2, 3}, {2, 2, 1, 0, 5, 5});
  const auto run = [&](const char* op, std::int64_t last) {
    return (*run_node({.op = op,
                       .inputs = {in},
                       .attrs = attrs_of({{"axis", std::int64_t{1}},
                                          {"keepdims", std::int64_t{0}},
                                          {"select_last_index", last}})}))[0];
  };
  CHECK(identical(run("ArgMax", 0), tensor::of<std::int64_t>({2}, {0, 1})));
  CHECK(identical(run("ArgMax", 1), tensor::of<std::int64_t>({2}, {1, 2})));
  CHECK(identical(run("ArgMin", 0), tensor::of<std::int64_t>({2}, {2, 0})));
  for (const std::string op : {"ArgMax", "ArgMin"})
    for (const std::int64_t axis : {0, 1, 2})
      for (const std::int64_t last : {0, 1}) {
        const node_case test{.op = op,
                             .inputs = {random_tensor({dtype::f32, {5, 21, 67}}, 9, -3, 3)},
                             .attrs = attrs_of({{"axis", axis}, {"select_last_index", last}})};
        CHECK(kernels_disagree(test) == "");
        CHECK(split_is_wrong(test, {static_cast<int>(axis)}, std::nullopt) == "");
        CHECK(split_is_wrong(test, {axis == 0 ? 1 : 0}, axis == 0 ? 1 : 0, 2) == "");
      }
}

TEST_CASE("CumSum runs either way, with or without the element itself") {
  const auto in = tensor::of<std::int64_t>({3}, {1, 2, 3});
  const auto axis = tensor::of<std::int32_t>({}, {0});
  const auto run = [&](std::int64_t exclusive, std::int64_t reverse) {
    return (*run_node({.op = "CumSum",
                       .inputs = {in, axis},
                       .attrs = attrs_of({{"exclusive", exclusive}, {"reverse", reverse}})}))[0];
  };
  CHECK(identical(run(0, 0), tensor::of<std::int64_t>({3}, {1, 3, 6})));
  CHECK(identical(run(1, 0), tensor::of<std::int64_t>({3}, {0, 1, 3})));
  CHECK(identical(run(0, 1), tensor::of<std::int64_t>({3}, {6, 5, 3})));
  CHECK(identical(run(1, 1), tensor::of<std::int64_t>({3}, {5, 3, 0})));
}

TEST_CASE("TopK sorts, and keeps the order of equals") {
  const auto in = tensor::of<float>({2, 4}, {1, 4, 4, 2, 9, 7, 8, 9});
  const node_input k(tensor::of<std::int64_t>({1}, {3}), true);
  const auto largest = *run_node({.op = "TopK", .inputs = {in, k}, .outputs = 2});
  CHECK(identical(largest[0], tensor::of<float>({2, 3}, {4, 4, 2, 9, 9, 8})));
  CHECK(identical(largest[1], tensor::of<std::int64_t>({2, 3}, {1, 2, 3, 0, 3, 2})));
  const node_case smallest{.op = "TopK",
                           .inputs = {in, k},
                           .attrs =
                               attrs_of({{"largest", std::int64_t{0}}, {"axis", std::int64_t{-1}}}),
                           .outputs = 2};
  CHECK(identical((*run_node(smallest))[0], tensor::of<float>({2, 3}, {1, 2, 4, 7, 8, 9})));
  CHECK(split_is_wrong(smallest, {0, unsplit}, 0) == "");
  CHECK(split_is_wrong(smallest, {1, unsplit}, std::nullopt) == "");
}
