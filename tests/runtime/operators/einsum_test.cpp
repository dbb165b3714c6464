#include "tests/runtime/operators/known_values.hpp"

#include <map>

using namespace shoal;
using namespace shoal::test;

namespace {

node_case einsum(const std::string& equation, std::vector<shape> dims, dtype type = dtype::f32) {
  node_case test{.op = "Einsum", .inputs = {}, .attrs = attrs_of({{"equation", equation}})};
  for (const auto& d : dims)
    test.inputs.emplace_back(random_tensor({type, d}, test.inputs.size() + 1, -4, 4));
  return test;
}

tensor of_counting(const std::string& equation, std::vector<shape> dims) {
  auto test = einsum(equation, dims);
  for (auto& in : test.inputs) in.value = counting(in.value.dims());
  return run(test);
}

bool is_refused(const std::string& equation, std::vector<shape> dims, const char* why) {
  return refusal(einsum(equation, std::move(dims))).find(why) != std::string::npos;
}

} // namespace

TEST_CASE("Einsum transposes, sums, traces and multiplies as its equation says") {
  CHECK(identical(of_counting("ij->ji", {{2, 3}}), tensor::of<float>({3, 2}, {0, 3, 1, 4, 2, 5})));
  CHECK(identical(of_counting("ij->i", {{2, 3}}), tensor::of<float>({2}, {3, 12})));
  CHECK(identical(of_counting("ii", {{3, 3}}), tensor::of<float>({}, {12})));
  CHECK(
      identical(of_counting("...ii->...i", {{2, 2, 2}}), tensor::of<float>({2, 2}, {0, 3, 4, 7})));
  CHECK(identical(of_counting("i,i", {{3}, {3}}), tensor::of<float>({}, {5})));
  CHECK(identical(of_counting("i,j->ij", {{2}, {2}}), tensor::of<float>({2, 2}, {0, 0, 0, 1})));
  CHECK(
      identical(of_counting("ij,jk", {{2, 2}, {2, 2}}), tensor::of<float>({2, 2}, {2, 3, 6, 11})));
  // An ellipsis that the output lacks is summed over.
  CHECK(identical(of_counting("...i->i", {{2, 3}}), tensor::of<float>({3}, {3, 5, 7})));
  CHECK(identical(of_counting("...i,i->", {{2, 2, 2}, {2}}), tensor::of<float>({}, {16})));
  // Without an output: an ellipsis first, then the letters that occur once, sorted.
  CHECK(of_counting("b...a", {{2, 3, 4}}).dims() == shape{3, 4, 2});
  CHECK(of_counting(" A b , b ... -> ... A ", {{2, 3}, {3, 5, 7}}).dims() == shape{5, 7, 2});
  CHECK(of_counting("...i,...i->...", {{5, 1, 3}, {4, 3}}).dims() == shape{5, 4});
  CHECK(identical(of_counting("i,i,i->", {{3}, {3}, {3}}), tensor::of<float>({}, {9})));
}

TEST_CASE("Einsum as a product of matrices agrees with the loops, however its axes lie") {
  for (const std::string equation :
       {"bij,bjk->bik", "bhqd,bhkd->bhqk", "bqhd,bkhd->bhqk", "bhqk,bkhd->bqhd", "ij,jk->ki",
        "abc,cd->abd", "ab,cb->ac", "i,j->ji", "bi,bi->b", "ib,jb->bij", "i,i->",
        "...i,ij->...j"}) {
    CAPTURE(equation);
    const std::map<char, std::int64_t> extents = {{'a', 3}, {'b', 2}, {'c', 5}, {'d', 7}, {'h', 3},
                                                  {'i', 4}, {'j', 5}, {'k', 6}, {'q', 9}};
    std::vector<shape> dims(1);
    for (const char letter : equation.substr(0, equation.find('-'))) {
      if (letter == ',') dims.emplace_back();
      if (extents.contains(letter)) dims.back().push_back(extents.at(letter));
      if (letter == '.' && dims.back().rank() < 3) dims.back().push_back(2);
    }
    const auto test = einsum(equation, dims);
    CHECK(applicable_kernels(test).size() == 2);
    CHECK(kernels_disagree(test, 1e-5, 1e-5) == "");
  }
  for (const auto type : {dtype::f64, dtype::f16, dtype::i32, dtype::u8})
    CHECK(kernels_disagree(einsum("ab,bc->ca", {{3, 4}, {4, 5}}, type)) == "");
  CHECK(kernels_disagree(einsum("ab,bc->ca", {{3, 0}, {0, 5}})) == "");
  CHECK(kernels_disagree(einsum("ab,bc->ca", {{0, 3}, {3, 5}})) == "");
}

TEST_CASE("Einsum refuses what makes no sense") {
  CHECK(is_refused("ij->ik", {{2, 3}}, "names an axis of no input"));
  CHECK(is_refused("ij->ii", {{2, 3}}, "names an axis twice"));
  CHECK(is_refused("ij", {{2}}, "does not fit"));
  CHECK(is_refused("i", {{2, 3}}, "does not fit"));
  CHECK(is_refused("i,j", {{2}}, "more terms"));
  CHECK(is_refused("i", {{2}, {2}}, "1 terms for 2 inputs"));
  CHECK(is_refused("i1", {{2, 3}}, "has a term 'i1'"));
  CHECK(is_refused("......", {{2, 3}}, "has a term"));
  CHECK(is_refused("i,i", {{2}, {3}}, "same label"));
}

TEST_CASE("Einsum states what it reads and how it can be cut") {
  const auto test = einsum("bij,bjk->bik", {{3, 2, 4}, {3, 4, 5}});
  CHECK(field_is_wrong(test, 0, 0) == "");
  CHECK(field_is_wrong(test, 0, 1) == "");
  CHECK(field_is_wrong(test, 0, 2, {.global = true}) == "");
  CHECK(field_is_wrong(test, 1, 2) == "");
  CHECK(split_is_wrong(test, {0, 0}, 0) == "");
  CHECK(split_is_wrong(test, {0, unsplit}, std::nullopt) == "");
  CHECK(split_is_wrong(test, {2, 1}, std::nullopt) == "");
  const auto trace = einsum("iij->ij", {{3, 3, 2}});
  CHECK(field_is_wrong(trace, 0, 0, {.global = true}) == "");
  CHECK(split_is_wrong(trace, {2}, 1) == "");
  CHECK(split_is_wrong(trace, {0}, std::nullopt) == "");
}
