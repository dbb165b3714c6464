#include "tests/support/examples/examples.hpp"

// Operators that choose elements by values: indices, conditions, order.

namespace shoal::test::examples {
namespace {

node_input indices(const shape& dims, double end) {
  return some(dtype::i64, dims, 0, end);
}

void add_gathers(list& all) {
  for (const std::int64_t axis : {0, 1, -1})
    for (const auto& which : {shape{}, shape{4}, shape{2, 4}})
      all.push_back({.op = "Gather",
                     .inputs = {f({3, 3, 3}), indices(which, 3)},
                     .attrs = attrs_of({{"axis", axis}})});
  for (const std::int64_t axis : {0, 1, -1})
    all.push_back({.op = "GatherElements",
                   .inputs = {f({3, 4, 3}), indices({3, 4, 3}, 3)},
                   .attrs = attrs_of({{"axis", axis}})});
  all.push_back({.op = "GatherElements",
                 .inputs = {f({3, 5}), indices({2, 4}, 5)},
                 .attrs = attrs_of({{"axis", 1}})});
  all.push_back({.op = "GatherND", .inputs = {f({3, 4, 3}), indices({5, 2}, 3)}});
  all.push_back({.op = "GatherND",
                 .inputs = {f({3, 4, 3}), indices({3, 2, 1}, 4)},
                 .attrs = attrs_of({{"batch_dims", 1}})});
  for (const std::int64_t axis : {0, 1, -1})
    all.push_back({.op = "OneHot",
                   .inputs = {indices({3, 4}, 5), fixed(tensor::of<std::int64_t>({}, {5})), f({2})},
                   .attrs = attrs_of({{"axis", axis}})});
}

void add_scatters(list& all) {
  for (const char* name : {"ScatterElements", "Scatter"})
    for (const std::int64_t axis : {0, 1})
      all.push_back({.op = name,
                     .inputs = {f({3, 4}), indices({2, 3}, 3), f({2, 3})},
                     .attrs = attrs_of({{"axis", axis}}),
                     .opset = name[7] == 0 ? 10 : 17});
  all.push_back({.op = "ScatterElements",
                 .inputs = {f({3, 4}), indices({2, 3}, 3), f({2, 3})},
                 .attrs = attrs_of({{"axis", 1}, {"reduction", "add"}}),
                 .opset = 18});
  for (const int opset : {10, 17})
    all.push_back({.op = opset == 10 ? "Scatter" : "ScatterElements",
                   .inputs = {f({3, 4}), indices({3, 2}, 4), f({3, 2})},
                   .attrs = attrs_of({{"axis", 1}}),
                   .opset = opset});
  all.push_back({.op = "ScatterND",
                 .inputs = {f({4, 3}), tensor::of<std::int64_t>({2, 1}, {3, 0}), f({2, 3})}});
}

void add_sorting(list& all) {
  for (const std::int64_t axis : {0, 1, -1})
    all.push_back({.op = "TopK",
                   .inputs = {f({4, 4, 4}), listed({2})},
                   .attrs = attrs_of({{"axis", axis}}),
                   .outputs = 2});
  for (const std::int64_t upper : {0, 1})
    all.push_back({.op = "Trilu",
                   .inputs = {f({2, 3, 4}), fixed(tensor::of<std::int64_t>({}, {1}))},
                   .attrs = attrs_of({{"upper", upper}})});
  all.push_back({.op = "NonZero", .inputs = {fixed(f({3, 4}))}});
  all.push_back({.op = "Unique", .inputs = {fixed(some(dtype::i64, {9}, 0, 5))}, .outputs = 4});
  all.push_back({.op = "Compress",
                 .inputs = {fixed(f({3, 4})), fixed(some(dtype::boolean, {3}, 0, 2))},
                 .attrs = attrs_of({{"axis", 0}})});
  all.push_back({.op = "NonMaxSuppression",
                 .inputs = {fixed(f({1, 6, 4}, 0, 1)), fixed(f({1, 2, 6}, 0, 1)), listed({3}),
                            fixed(tensor::of<float>({1}, {0.5f}))}});
  all.push_back({.op = "TfIdfVectorizer",
                 .inputs = {some(dtype::i64, {3, 6}, 2, 9)},
                 .attrs = attrs_of({{"mode", "TF"},
                                    {"min_gram_length", 1},
                                    {"max_gram_length", 2},
                                    {"max_skip_count", 1},
                                    {"ngram_counts", ints({0, 2})},
                                    {"ngram_indexes", ints({0, 1, 2, 3})},
                                    {"pool_int64s", ints({2, 3, 5, 6, 7, 8})}})});
}

} // namespace

void add_selection(list& all) {
  add_gathers(all);
  add_scatters(all);
  add_sorting(all);
}

} // namespace shoal::test::examples
