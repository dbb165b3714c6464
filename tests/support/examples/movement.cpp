#include "tests/support/examples/examples.hpp"

// Operators that move elements, repeat them or leave some out.

namespace shoal::test::examples {
namespace {

void add_views(list& all) {
  for (const auto& to : {ints({0, -1, 5}), ints({0, 3, -1}), ints({-1}), ints({0, 0, 4, 5, 1}),
                         ints({1, 2, 3, 4, 5}), ints({2, 12, -1}), ints({6, 20})})
    all.push_back({.op = "Reshape",
                   .inputs = {f({2, 3, 4, 5}), listed(std::get<std::vector<std::int64_t>>(to))}});
  all.push_back({.op = "Reshape", .inputs = {f({2, 6, 3, 4}), listed({0, 2, 3, 3, 4})}});
  for (const std::int64_t axis : {0, 1, 2, -1})
    all.push_back({.op = "Flatten", .inputs = {f({2, 3, 5})}, .attrs = attrs_of({{"axis", axis}})});
  all.push_back({.op = "Squeeze", .inputs = {f({2, 1, 3, 1}), listed({1})}});
  all.push_back({.op = "Squeeze", .inputs = {f({1, 3, 1, 5})}, .opset = 11});
  all.push_back({.op = "Unsqueeze", .inputs = {f({2, 3}), listed({0, 2, -1})}});
  for (const auto& perm :
       {ints({0, 2, 3, 1}), ints({0, 3, 1, 2}), ints({3, 1, 0, 2}), ints({0, 1, 3, 2})})
    all.push_back(
        {.op = "Transpose", .inputs = {f({2, 3, 4, 5})}, .attrs = attrs_of({{"perm", perm}})});
  all.push_back({.op = "Transpose", .inputs = {f({2, 3, 4})}});
}

void add_copies(list& all) {
  for (const std::int64_t axis : {0, 1, 2, -1})
    all.push_back({.op = "Concat",
                   .inputs = {f({2, 3, 4}), f({2, 3, 4}), f({2, 3, 4})},
                   .attrs = attrs_of({{"axis", axis}})});
  all.push_back(
      {.op = "Concat", .inputs = {f({1, 2, 3}), f({1, 4, 3})}, .attrs = attrs_of({{"axis", 1}})});
  for (const std::int64_t axis : {0, 1, 2})
    all.push_back({.op = "Split",
                   .inputs = {f({4, 6, 2})},
                   .attrs = attrs_of({{"axis", axis}}),
                   .outputs = 2});
  all.push_back({.op = "Split",
                 .inputs = {f({2, 7}), listed({2, 5})},
                 .attrs = attrs_of({{"axis", 1}}),
                 .outputs = 2});
  all.push_back(
      {.op = "Slice", .inputs = {f({2, 7, 9}), listed({1, 2}), listed({6, 100}), listed({1, 2})}});
  all.push_back({.op = "Slice",
                 .inputs = {f({2, 7, 9}), listed({6, -1, 1}), listed({0, INT64_MIN, 2}),
                            listed({1, 2, 0}), listed({-2, -3, 1})}});
  all.push_back(
      {.op = "Slice", .inputs = {f({9}), listed({1}), listed({8}), listed({0}), listed({3})}});
  all.push_back({.op = "Slice",
                 .inputs = {f({3, 9})},
                 .attrs = attrs_of({{"starts", ints({0, -4})}, {"ends", ints({3, -1})}}),
                 .opset = 9});
  all.push_back({.op = "Expand", .inputs = {f({3, 1, 5}), listed({2, 1, 4, 1})}});
  all.push_back({.op = "Expand", .inputs = {f({3, 5}), listed({1})}});
  all.push_back({.op = "Tile", .inputs = {f({2, 3, 4}), listed({1, 3, 2})}});
  for (const char* mode : {"DCR", "CRD"})
    all.push_back({.op = "DepthToSpace",
                   .inputs = {f({2, 12, 3, 2})},
                   .attrs = attrs_of({{"blocksize", 2}, {"mode", mode}})});
  all.push_back(
      {.op = "DepthToSpace", .inputs = {f({1, 9, 2, 4})}, .attrs = attrs_of({{"blocksize", 3}})});
  all.push_back(
      {.op = "SpaceToDepth", .inputs = {f({2, 3, 4, 6})}, .attrs = attrs_of({{"blocksize", 2}})});
  all.push_back({.op = "ReverseSequence", .inputs = {f({4, 3, 2}), some(dtype::i64, {3}, 1, 5)}});
  all.push_back({.op = "ReverseSequence",
                 .inputs = {f({3, 4, 2}), some(dtype::i64, {3}, 1, 5)},
                 .attrs = attrs_of({{"batch_axis", 0}, {"time_axis", 1}})});
}

void add_pads(list& all) {
  for (const char* mode : {"constant", "reflect", "edge", "wrap"}) {
    all.push_back({.op = "Pad",
                   .inputs = {f({2, 5, 6}), listed({0, 1, 3, 0, 2, 0})},
                   .attrs = attrs_of({{"mode", mode}}),
                   .opset = 19});
    all.push_back({.op = "Pad",
                   .inputs = {f({2, 5, 6}), listed({0, -1, 2, 0, 3, -2})},
                   .attrs = attrs_of({{"mode", mode}}),
                   .opset = 19});
  }
  all.push_back({.op = "Pad",
                 .inputs = {f({2, 5, 6}), listed({2, 1, 0, 3}), f({}), listed({1, 2})},
                 .opset = 18});
  all.push_back({.op = "Pad",
                 .inputs = {f({2, 5})},
                 .attrs = attrs_of({{"pads", ints({1, 2, 0, 1})}, {"mode", "edge"}}),
                 .opset = 2});
  for (const auto& to : {listed({4, 9}), listed({9, 3}), listed({5, 5})})
    all.push_back({.op = "CenterCropPad",
                   .inputs = {f({2, 6, 5}), to},
                   .attrs = attrs_of({{"axes", ints({1, 2})}}),
                   .opset = 18});
}

} // namespace

void add_movement(list& all) {
  add_views(all);
  add_copies(all);
  add_pads(all);
}

} // namespace shoal::test::examples
