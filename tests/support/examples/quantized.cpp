#include "tests/support/examples/examples.hpp"

// Operators on 8-bit integers, and those that make them.

namespace shoal::test::examples {
namespace {

node_input bytes(const shape& dims) {
  return some(dtype::u8, dims, 0, 256);
}

node_case microsoft(const char* op, std::vector<node_input> inputs, attributes attrs = {}) {
  return {.op = op,
          .inputs = std::move(inputs),
          .attrs = std::move(attrs),
          .domain = "com.microsoft",
          .opset = 1};
}

void add_conversions(list& all) {
  for (const char* domain : {"", "com.microsoft"}) {
    const int opset = domain[0] == 0 ? 21 : 1;
    all.push_back({.op = "QuantizeLinear",
                   .inputs = {f({2, 3, 5}), number(0.05f), byte(99)},
                   .domain = domain,
                   .opset = opset});
    all.push_back({.op = "DequantizeLinear",
                   .inputs = {bytes({2, 3, 5}), number(0.05f), byte(99)},
                   .domain = domain,
                   .opset = opset});
    all.push_back({.op = "QuantizeLinear",
                   .inputs = {f({2, 3, 5}), f({3}, 0.01, 0.1), bytes({3})},
                   .attrs = attrs_of({{"axis", 1}}),
                   .domain = domain,
                   .opset = opset});
    all.push_back({.op = "DequantizeLinear",
                   .inputs = {bytes({2, 3, 5}), f({3}, 0.01, 0.1), bytes({3})},
                   .attrs = attrs_of({{"axis", 1}}),
                   .domain = domain,
                   .opset = opset});
  }
  all.push_back({.op = "QuantizeLinear",
                 .inputs = {f({2, 6}), f({2, 3}, 0.01, 0.1)},
                 .attrs = attrs_of({{"axis", 1}, {"block_size", 2}}),
                 .opset = 21});
  all.push_back({.op = "DequantizeLinear",
                 .inputs = {bytes({2, 6}), f({2, 3}, 0.01, 0.1)},
                 .attrs = attrs_of({{"axis", 1}, {"block_size", 2}}),
                 .opset = 21});
  all.push_back({.op = "DynamicQuantizeLinear", .inputs = {f({3, 5})}, .outputs = 3});
}

void add_convolutions(list& all) {
  const attributes windows[] = {
      attrs_of({{"strides", ints({2, 1})}}), attrs_of({{"pads", ints({1, 0, 2, 1})}}),
      attrs_of({{"dilations", ints({2, 2})}, {"pads", ints({2, 1, 0, 2})}}),
      attrs_of({{"auto_pad", "SAME_UPPER"}, {"strides", ints({2, 2})}})};
  for (const auto& window : windows) {
    all.push_back({.op = "ConvInteger",
                   .inputs = {bytes({2, 2, 7, 6}), bytes({3, 2, 3, 2}), byte(99)},
                   .attrs = window});
    all.push_back({.op = "QLinearConv",
                   .inputs = {bytes({2, 2, 7, 6}), number(0.02f), byte(99),
                              fixed(some(dtype::i8, {3, 2, 3, 2}, -128, 128)),
                              fixed(f({3}, 0.01, 0.05)), fixed(tensor::of<std::int8_t>({}, {0})),
                              number(0.2f), byte(120), fixed(some(dtype::i32, {3}, -500, 500))},
                   .attrs = window});
  }
  all.push_back({.op = "QLinearConv",
                 .inputs = {bytes({1, 2, 5, 4}), number(0.02f), byte(99), bytes({2, 2, 2, 2}),
                            number(0.03f), byte(120), number(0.2f), byte(120)}});
}

void add_products_of_bytes(list& all) {
  all.push_back(
      {.op = "MatMulInteger", .inputs = {bytes({2, 3, 4}), bytes({4, 5}), byte(9), byte(120)}});
  all.push_back({.op = "QLinearMatMul",
                 .inputs = {bytes({2, 3, 4}), number(0.02f), byte(9), bytes({2, 4, 5}),
                            number(0.03f), byte(120), number(0.1f), byte(128)}});
  all.push_back(microsoft("QGemm", {bytes({3, 4}), number(0.02f), byte(9), bytes({4, 5}),
                                    number(0.03f), byte(120), fixed(some(dtype::i32, {5}, -99, 99)),
                                    number(0.1f), byte(128)}));
  all.push_back(microsoft(
      "QGemm", {bytes({4, 3}), number(0.02f), byte(9), bytes({5, 4}), number(0.03f), byte(120)},
      attrs_of({{"transA", 1}, {"transB", 1}})));
  all.push_back(
      microsoft("MatMulIntegerToFloat", {bytes({2, 3, 4}), bytes({4, 5}), number(0.02f),
                                         number(0.03f), byte(9), byte(120), fixed(f({5}))}));
  all.push_back(microsoft("DynamicQuantizeMatMul",
                          {f({2, 3, 4}), bytes({4, 5}), number(0.03f), byte(120), fixed(f({5}))}));
}

void add_elementwise_of_bytes(list& all) {
  for (const char* name : {"QLinearAdd", "QLinearMul"})
    for (const auto& b : {shape{2, 3, 5}, shape{3, 1}, shape{}})
      all.push_back(microsoft(name, {bytes({2, 3, 5}), number(0.02f), byte(9), bytes(b),
                                     number(0.03f), byte(120), number(0.05f), byte(100)}));
  for (const char* name : {"QLinearSigmoid", "QLinearLeakyRelu"})
    all.push_back(
        microsoft(name, {bytes({2, 3, 5}), number(0.02f), byte(120), number(0.03f), byte(9)}));
  for (const std::int64_t axis : {0, 1, 2})
    all.push_back(microsoft("QLinearConcat",
                            {number(0.05f), byte(100), bytes({2, 3, 4}), number(0.02f), byte(9),
                             bytes({2, 3, 4}), number(0.03f), byte(120)},
                            attrs_of({{"axis", axis}})));
  all.push_back(microsoft("QLinearAveragePool",
                          {bytes({2, 2, 7, 6}), number(0.02f), byte(9), number(0.02f), byte(20)},
                          attrs_of({{"kernel_shape", ints({3, 2})},
                                    {"strides", ints({2, 1})},
                                    {"pads", ints({1, 0, 1, 1})}})));
  all.push_back(microsoft("QLinearGlobalAveragePool", {bytes({2, 3, 4, 5}), number(0.002f), byte(9),
                                                       number(0.002f), byte(20)}));
}

} // namespace

void add_quantized(list& all) {
  add_conversions(all);
  add_convolutions(all);
  add_products_of_bytes(all);
  add_elementwise_of_bytes(all);
}

} // namespace shoal::test::examples
