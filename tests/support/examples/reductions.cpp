#include "tests/support/examples/examples.hpp"

// Operators that make one number of many, or each number of all along some axes.

namespace shoal::test::examples {

void add_reductions(list& all) {
  for (const char* name :
       {"ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceProd", "ReduceL1", "ReduceL2",
        "ReduceLogSum", "ReduceLogSumExp", "ReduceSumSquare"}) {
    for (const std::int64_t keep : {0, 1})
      for (const auto& axes : {listed({1}), listed({0, 2}), listed({-1, -2})})
        all.push_back({.op = name,
                       .inputs = {f({2, 3, 4, 2}, 0.5, 1.5), axes},
                       .attrs = attrs_of({{"keepdims", keep}}),
                       .opset = 18});
    all.push_back({.op = name, .inputs = {f({2, 3, 4}, 0.5, 1.5)}, .opset = 18});
    all.push_back({.op = name,
                   .inputs = {f({2, 3, 4}, 0.5, 1.5)},
                   .attrs = attrs_of({{"noop_with_empty_axes", 1}}),
                   .opset = 18});
  }
  for (const char* name : {"ArgMax", "ArgMin"})
    for (const std::int64_t keep : {0, 1})
      for (const std::int64_t axis : {0, 1, -1})
        all.push_back({.op = name,
                       .inputs = {f({3, 4, 3})},
                       .attrs = attrs_of({{"keepdims", keep}, {"axis", axis}})});
  for (const char* name : {"Softmax", "LogSoftmax", "Hardmax"})
    for (const std::int64_t axis : {0, 1, -1})
      for (const int opset : {11, 17})
        all.push_back({.op = name,
                       .inputs = {f({3, 4, 3})},
                       .attrs = attrs_of({{"axis", axis}}),
                       .opset = opset});
  for (const std::int64_t axis : {0, 1, -1})
    for (const std::int64_t p : {1, 2})
      all.push_back({.op = "LpNormalization",
                     .inputs = {f({3, 4, 3})},
                     .attrs = attrs_of({{"axis", axis}, {"p", p}})});
  all.push_back({.op = "MeanVarianceNormalization", .inputs = {f({2, 3, 3, 2})}});
  all.push_back({.op = "MeanVarianceNormalization",
                 .inputs = {f({2, 3, 4})},
                 .attrs = attrs_of({{"axes", ints({1})}})});
  for (const std::int64_t axis : {0, 1, -1})
    all.push_back({.op = "CumSum", .inputs = {f({3, 4, 3}), listed({axis})}});
  all.push_back({.op = "CumSum",
                 .inputs = {f({3, 4}), listed({1})},
                 .attrs = attrs_of({{"reverse", 1}, {"exclusive", 1}})});
  const auto classes = tensor::of<std::int64_t>({2, 3}, {0, 1, 1, 2, 3, 2});
  for (const char* name : {"NegativeLogLikelihoodLoss", "SoftmaxCrossEntropyLoss"})
    for (const char* reduction : {"none", "mean", "sum"}) {
      all.push_back({.op = name,
                     .inputs = {f({3, 4}), some(dtype::i64, {3}, 0, 4)},
                     .attrs = attrs_of({{"reduction", reduction}})});
      all.push_back({.op = name,
                     .inputs = {f({2, 4, 3}), classes, f({4}, 0.5, 1)},
                     .attrs = attrs_of({{"reduction", reduction}})});
    }
  all.push_back({.op = "SoftmaxCrossEntropyLoss",
                 .inputs = {f({2, 4, 3}), classes},
                 .attrs = attrs_of({{"reduction", "none"}}),
                 .outputs = 2});
}

} // namespace shoal::test::examples
