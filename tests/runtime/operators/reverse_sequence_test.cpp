#include "tests/runtime/operators/known_values.hpp"

using namespace shoal;
using namespace shoal::test;

namespace {

node_case reversed(const shape& dims, std::vector<std::int64_t> lengths, std::int64_t time) {
  const auto count = static_cast<std::int64_t>(lengths.size());
  return {.op = "ReverseSequence",
          .inputs = {counting(dims), tensor::of<std::int64_t>({count}, lengths)},
          .attrs = attrs_of({{"time_axis", time}, {"batch_axis", 1 - time}})};
}

} // namespace

TEST_CASE("ReverseSequence turns the beginning of each sequence around") {
  CHECK(identical(run(reversed({3, 2}, {3, 2}, 0)), tensor::of<float>({3, 2}, {4, 3, 2, 1, 0, 5})));
  CHECK(identical(run(reversed({2, 3}, {1, 2}, 1)), tensor::of<float>({2, 3}, {0, 1, 2, 4, 3, 5})));
  CHECK(run_node(reversed({3, 2}, {3, 4}, 0)).error().message().find("4 long, of 3 steps") !=
        std::string::npos);
  CHECK(run_node(reversed({3, 2}, {3, -1}, 0)).error().message().find("-1 long") !=
        std::string::npos);
  CHECK(refusal(reversed({3, 2}, {3}, 0)).find("does not fit") != std::string::npos);
  auto odd = reversed({3, 2}, {3, 1}, 0);
  odd.attrs.set("batch_axis", std::int64_t{2});
  CHECK(refusal(odd).find("expected 0 and 1") != std::string::npos);
}

TEST_CASE("sequences can be reversed apart, and piece by piece of their elements") {
  const auto test = reversed({3, 2, 4}, {3, 2}, 0);
  CHECK(kernels_disagree(test) == "");
  CHECK(field_is_wrong(test, 0, 0, {.global = true}) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 2) == "");
  CHECK(split_is_wrong(test, {1, 0}, 1) == "");
  CHECK(split_is_wrong(test, {2, unsplit}, 2) == "");
  CHECK(split_is_wrong(test, {0, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(test, {1, unsplit}, std::nullopt) == "");
}
