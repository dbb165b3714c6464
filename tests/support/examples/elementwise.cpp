#include "tests/support/examples/examples.hpp"

// Operators whose every output element follows from the elements at its own place.

namespace shoal::test::examples {
namespace {

/// Two values, in turns.
node_input truth(const shape& dims, bool even, bool odd) {
  tensor t = random_tensor({dtype::boolean, dims}, 1);
  std::size_t i = 0;
  for (auto& element : t.mutable_values<bool>()) element = i++ % 2 == 0 ? even : odd;
  return t;
}

void add_functions(list& all) {
  for (const char* name : {"Abs",      "Asin",        "Acos",      "Asinh",
                           "Atan",     "Atanh",       "Ceil",      "Celu",
                           "Cos",      "Cosh",        "Elu",       "Erf",
                           "Exp",      "Floor",       "HardSwish", "LeakyRelu",
                           "Mish",     "Neg",         "Relu",      "Round",
                           "Selu",     "Sign",        "Sigmoid",   "Shrink",
                           "Sin",      "Sinh",        "Tan",       "Tanh",
                           "Softplus", "HardSigmoid", "Softsign",  "ThresholdedRelu",
                           "Identity"})
    all.push_back({.op = name, .inputs = {f({2, 3, 5}, -0.9, 0.9)}, .opset = 18});
  for (const char* name : {"Log", "Sqrt", "Reciprocal", "Acosh"})
    all.push_back({.op = name, .inputs = {f({3, 7}, 1.1, 3)}});
  for (const char* name : {"IsNaN", "IsInf"})
    all.push_back({.op = name, .inputs = {f({2, 2, 5})}, .opset = 20});
  for (const char* name : {"Gelu", "QuickGelu", "FastGelu"})
    all.push_back({.op = name, .inputs = {f({2, 3, 5})}, .domain = "com.microsoft", .opset = 1});
  for (const char* form : {"none", "tanh"})
    all.push_back({.op = "Gelu",
                   .inputs = {f({2, 3, 5})},
                   .attrs = attrs_of({{"approximate", form}}),
                   .opset = 20});
  all.push_back({.op = "Not", .inputs = {some(dtype::boolean, {3, 5}, 0, 2)}});
  all.push_back({.op = "BitwiseNot", .inputs = {some(dtype::i32, {3, 5}, 0, 99)}, .opset = 18});
  all.push_back({.op = "Cast", .inputs = {f({3, 5}, -9, 9)}, .attrs = attrs_of({{"to", 11}})});
  all.push_back({.op = "CastLike", .inputs = {f({3, 5}), some(dtype::f64, {2}, 0, 1)}});
  all.push_back({.op = "Clip", .inputs = {f({2, 3, 5}), f({}, -0.5, -0.4), f({}, 0.4, 0.5)}});
  all.push_back({.op = "Clip",
                 .inputs = {f({2, 3, 5})},
                 .attrs = attrs_of({{"min", -0.5f}, {"max", 0.5f}}),
                 .opset = 6});
  all.push_back({.op = "Dropout", .inputs = {f({2, 3, 5})}, .outputs = 2});
  all.push_back({.op = "Dropout", .inputs = {f({2, 3, 5})}, .opset = 7, .outputs = 2});
}

/// All pairs of shapes that are broadcast to each other in another way.
const std::pair<shape, shape> pairs[] = {
    {{2, 3, 5}, {2, 3, 5}}, {{2, 3, 4, 5}, {3, 1, 1}},   {{3, 1, 5}, {2, 1, 4, 1}}, {{4, 5}, {}},
    {{}, {4, 5}},           {{1, 3, 4, 5}, {1, 1, 4, 5}}};

void add_pairs(list& all) {
  for (const auto& [a, b] : pairs) {
    for (const char* name : {"Add", "Sub", "Mul", "Div", "Pow", "Mod", "Max", "Min", "Sum", "Mean",
                             "Less", "LessOrEqual", "Greater", "GreaterOrEqual"})
      all.push_back(
          {.op = name,
           .inputs = {f(a, 0.5, 3), f(b, 0.5, 3)},
           .attrs = std::string_view(name) == "Mod" ? attrs_of({{"fmod", 1}}) : attributes(),
           .opset = 16});
    // Such values that each side lets the other through.
    for (const auto& [name, value] : {std::pair("And", true), {"Or", false}, {"Xor", true}})
      all.push_back({.op = name, .inputs = {truth(a, value, value), truth(b, value, value)}});
    all.push_back({.op = "Equal", .inputs = {truth(a, true, true), truth(b, true, true)}});
    for (const char* name : {"BitwiseAnd", "BitwiseOr", "BitwiseXor"})
      all.push_back({.op = name,
                     .inputs = {some(dtype::u8, a, 0, 255), some(dtype::u8, b, 0, 255)},
                     .opset = 18});
    all.push_back({.op = "BitShift",
                   .inputs = {some(dtype::u8, a, 1, 255), some(dtype::u8, b, 0, 7)},
                   .attrs = attrs_of({{"direction", "LEFT"}})});
    all.push_back({.op = "Where", .inputs = {truth(a, true, false), f(b), f({5})}});
  }
  for (const char* name : {"Max", "Min", "Sum", "Mean"}) {
    all.push_back({.op = name, .inputs = {f({3, 1}), f({5}), f({2, 3, 5})}});
    all.push_back({.op = name, .inputs = {f({3, 5})}});
  }
  for (const auto& slope : {shape{3, 1, 1}, shape{1}, shape{4, 5}, shape{2, 3, 4, 5}})
    all.push_back({.op = "PRelu", .inputs = {f({2, 3, 4, 5}), f(slope)}});
  all.push_back(
      {.op = "BiasGelu", .inputs = {f({2, 3, 5}), f({5})}, .domain = "com.microsoft", .opset = 1});
  all.push_back(
      {.op = "BiasGelu", .inputs = {f({5}), f({5})}, .domain = "com.microsoft", .opset = 1});
}

/// The second input of opset 6 and before lies beside the axis that an attribute names.
void add_pairs_of_old(list& all) {
  const auto axis = [](std::int64_t a) { return attrs_of({{"broadcast", 1}, {"axis", a}}); };
  for (const char* name : {"Add", "Sub", "Mul", "Div", "Pow"}) {
    all.push_back({.op = name,
                   .inputs = {f({2, 3, 4, 5}, 1, 3), f({3, 4}, 1, 3)},
                   .attrs = axis(1),
                   .opset = 6});
    all.push_back({.op = name, .inputs = {f({4, 5}, 1, 3), f({4, 5}, 1, 3)}, .opset = 6});
  }
  for (const auto& [name, value] :
       {std::pair("And", true), {"Or", false}, {"Xor", true}, {"Equal", true}})
    all.push_back({.op = name,
                   .inputs = {truth({2, 3, 4}, value, value), truth({2, 3}, value, value)},
                   .attrs = axis(0),
                   .opset = 6});
  for (const char* name : {"Greater", "Less"})
    all.push_back({.op = name, .inputs = {f({2, 3, 4}), f({2, 3})}, .attrs = axis(0), .opset = 6});
  all.push_back({.op = "PRelu", .inputs = {f({2, 3, 4, 5}), f({3})}, .opset = 6});
  all.push_back({.op = "PRelu", .inputs = {f({2, 3, 4, 5}), f({1})}, .opset = 6});
}

} // namespace

void add_elementwise(list& all) {
  add_functions(all);
  add_pairs(all);
  add_pairs_of_old(all);
}

} // namespace shoal::test::examples
