#include "runtime/graph/rewrite.hpp"
#include "runtime/session/binding.hpp"
#include "tests/runtime/graph/graph_text.hpp"
#include "tests/runtime/graph/run_graph.hpp"
#include "tests/runtime/graph/sketch.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace shoal;
using namespace shoal::test;

namespace {

tensor floats(const shape& dims, std::uint64_t seed) {
  return random_tensor({dtype::f32, dims}, seed);
}

/// Adds scale, bias, mean and a positive variance for `channels`, and normalises `in` to `out`.
sketch& add_norm(sketch& s, const std::string& in, const std::string& out, std::int64_t channels) {
  s.constant("scale", floats({channels}, 11)).constant("shift", floats({channels}, 12));
  s.constant("mean", floats({channels}, 13));
  s.constant("var", random_tensor({dtype::f32, {channels}}, 14, 0.1, 2));
  return s.node("BatchNormalization", {in, "scale", "shift", "mean", "var"}, {out},
                with("epsilon", 1e-3f));
}

/// The types of all values of a graph whose inputs have fixed extents.
std::vector<tensor_type> types_of(const graph& model) {
  std::vector<operand> inputs;
  for (const auto id : model.inputs()) {
    tensor_type type{*model.value(id).type, {}};
    for (const auto& d : *model.value(id).dims) type.dims.push_back(d.extent);
    inputs.push_back({type, nullptr, true});
  }
  const auto bound = bind_types(std::make_shared<graph>(model), inputs);
  REQUIRE_MESSAGE(bound, (bound ? std::string() : bound.error().message()));
  std::vector<tensor_type> types;
  for (const auto& value : (*bound)->values) types.push_back(value.type);
  return types;
}

graph rewritten_with_types(const graph& original) {
  const auto types = types_of(original);
  rewrite_options options;
  options.types = types;
  return rewritten(original, options);
}

/// x [1,4,6,6] through a convolution with 6 output channels to c; nothing reads c yet.
sketch conv_sketch(int opset = 13) {
  sketch s(opset);
  s.input("x", {1, 4, 6, 6});
  s.constant("w", floats({6, 4, 3, 3}, 2)).constant("b", floats({6}, 3));
  s.node("Conv", {"x", "w", "b"}, {"c"}, with("pads", std::vector<std::int64_t>{1, 1, 1, 1}));
  return s;
}

} // namespace

TEST_CASE("BatchNormalization folds into a convolution, with groups and without bias") {
  for (const std::int64_t groups : {1, 2}) {
    for (const bool bias : {false, true}) {
      CAPTURE(groups);
      CAPTURE(bias);
      sketch s;
      s.input("x", {2, 4, 5, 5}).constant("w", floats({6, 4 / groups, 3, 3}, 2));
      s.constant("b", floats({6}, 3));
      s.node("Conv", {"x", "w", bias ? "b" : ""}, {"c"}, with("group", groups));
      const auto before = add_norm(s, "c", "y", 6).output("y").build();
      const auto after = rewritten(before);
      CHECK(operators_of(after) == "Conv");
      CHECK(after.nodes()[0].name == "Conv:c");
      check_same_outputs(before, after);
    }
  }
}

TEST_CASE("BatchNormalization folds into a transposed convolution") {
  for (const std::int64_t groups : {1, 2}) {
    CAPTURE(groups);
    sketch s;
    s.input("x", {1, 4, 5, 5}).constant("w", floats({4, 6 / groups, 3, 3}, 2));
    s.node("ConvTranspose", {"x", "w"}, {"c"},
           with("group", groups, with("strides", std::vector<std::int64_t>{2, 2})));
    const auto before = add_norm(s, "c", "y", 6).output("y").build();
    const auto after = rewritten(before);
    CHECK(operators_of(after) == "ConvTranspose");
    check_same_outputs(before, after);
  }
}

TEST_CASE("BatchNormalization folds into Gemm whatever the form of its bias") {
  const shape biases[] = {{5}, {1, 5}, {1}, {}};
  for (const std::int64_t transposed : {0, 1}) {
    for (const auto& bias : biases) {
      CAPTURE(transposed);
      CAPTURE(to_string(bias));
      sketch s;
      s.input("x", {3, 4}).constant("w", floats(transposed != 0 ? shape{5, 4} : shape{4, 5}, 2));
      s.constant("b", floats(bias, 3));
      s.node("Gemm", {"x", "w", "b"}, {"c"}, with("transB", transposed, with("alpha", 0.5f)));
      const auto before = add_norm(s, "c", "y", 5).output("y").build();
      const auto after = rewritten(before);
      CHECK(operators_of(after) == "Gemm");
      check_same_outputs(before, after);
    }
  }
}

TEST_CASE("BatchNormalization stays where its input has another reader or it trains") {
  auto s = conv_sketch();
  add_norm(s, "c", "y", 6).output("y").output("c");
  CHECK(operators_of(rewritten(s.build())) == "Conv BatchNormalization");
  auto shared = conv_sketch();
  add_norm(shared, "c", "n", 6).node("Add", {"n", "c"}, {"y"}).output("y");
  CHECK(operators_of(rewritten(shared.build())) == "Conv BatchNormalization Add");
}

TEST_CASE("every activation fuses into the convolution before it") {
  struct activation_case {
    const char* op;
    attributes attrs;
    std::vector<float> parameters;
  };
  const activation_case cases[] = {
      {"Relu", {}, {}},
      {"Sigmoid", {}, {}},
      {"Tanh", {}, {}},
      {"LeakyRelu", {}, {0.01f}},
      {"LeakyRelu", with("alpha", 0.3f), {0.3f}},
      {"HardSigmoid", {}, {0.2f, 0.5f}},
      {"HardSigmoid", with("alpha", 0.1f, with("beta", 0.4f)), {0.1f, 0.4f}}};
  for (const auto& c : cases) {
    CAPTURE(c.op);
    const auto before = conv_sketch().node(c.op, {"c"}, {"y"}, c.attrs).output("y").build();
    const auto after = rewritten(before);
    REQUIRE(operators_of(after) == "FusedConv");
    const auto& node = after.nodes()[0];
    CHECK(node.name == "Conv:c");
    CHECK(node.definition->domain == "com.microsoft");
    CHECK(node.opset == 1);
    CHECK(node.attrs.get_string("activation", "") == c.op);
    const auto* parameters = node.attrs.get<std::vector<float>>("activation_params");
    CHECK((parameters == nullptr ? std::vector<float>() : *parameters) == c.parameters);
    CHECK(node.attrs.get_ints("pads").size() == 4);
    check_same_outputs(before, after);
  }
}

TEST_CASE("Clip fuses when its bounds are constant") {
  const auto old_before = conv_sketch(10)
                              .node("Clip", {"c"}, {"y"}, with("min", -0.25f, with("max", 0.5f)))
                              .output("y")
                              .build();
  const auto old_after = rewritten(old_before);
  CHECK(operators_of(old_after) == "FusedConv");
  check_same_outputs(old_before, old_after);

  const auto before = conv_sketch()
                          .constant("high", tensor::of<float>({}, {0.5f}))
                          .node("Clip", {"c", "", "high"}, {"y"})
                          .output("y")
                          .build();
  const auto after = rewritten(before);
  CHECK(operators_of(after) == "FusedConv");
  check_same_outputs(before, after);

  const auto open =
      conv_sketch().input("high", {}).node("Clip", {"c", "", "high"}, {"y"}).output("y").build();
  CHECK(operators_of(rewritten(open)) == "Conv Clip");
}

TEST_CASE("an activation stays when the value before it is an output or has another reader") {
  const auto output = conv_sketch().node("Relu", {"c"}, {"y"}).output("y").output("c").build();
  CHECK(operators_of(rewritten(output)) == "Conv Relu");
  const auto shared =
      conv_sketch().node("Relu", {"c"}, {"a"}).node("Sub", {"c", "a"}, {"y"}).output("y").build();
  CHECK(operators_of(rewritten(shared)) == "Conv Relu Sub");
}

TEST_CASE("a residual of the same shape fuses, then the activation behind it") {
  for (const bool swapped : {false, true}) {
    CAPTURE(swapped);
    const std::vector<std::string> operands =
        swapped ? std::vector<std::string>{"z", "c"} : std::vector<std::string>{"c", "z"};
    const auto before = conv_sketch()
                            .input("z", {1, 6, 6, 6})
                            .node("Add", operands, {"s"})
                            .node("Relu", {"s"}, {"y"})
                            .output("y")
                            .build();
    for (const auto& after : {rewritten_with_types(before), rewritten(before)}) {
      CHECK(operators_of(after) == "FusedConv");
      CHECK(after.value(after.nodes()[0].inputs[3]).name == "z");
      check_same_outputs(before, after);
    }
  }
}

TEST_CASE("a residual of unknown shape fuses once the types are known") {
  const auto before = conv_sketch()
                          .constant("shape", tensor::of<std::int64_t>({4}, {1, 6, 6, 6}))
                          .input("z", {216})
                          .node("Reshape", {"z", "shape"}, {"r"})
                          .node("Add", {"c", "r"}, {"y"})
                          .output("y")
                          .build();
  CHECK(operators_of(rewritten(before)) == "Conv Reshape Add");
  CHECK(operators_of(rewritten_with_types(before)) == "Reshape FusedConv");
}

TEST_CASE("a residual that would broadcast, or is the convolution itself, stays") {
  const auto broadcast =
      conv_sketch().input("z", {1, 6, 1, 1}).node("Add", {"c", "z"}, {"y"}).output("y").build();
  CHECK(operators_of(rewritten_with_types(broadcast)) == "Conv Add");
  CHECK(operators_of(rewritten(broadcast)) == "Conv Add");
  const auto twice = conv_sketch().node("Add", {"c", "c"}, {"y"}).output("y").build();
  CHECK(operators_of(rewritten_with_types(twice)) == "Conv Add");
}

TEST_CASE("of two convolutions that are added the later one takes the sum") {
  const auto before =
      conv_sketch()
          .node("Conv", {"x", "w"}, {"d"}, with("pads", std::vector<std::int64_t>{1, 1, 1, 1}))
          .node("Add", {"c", "d"}, {"y"})
          .output("y")
          .build();
  const auto after = rewritten_with_types(before);
  REQUIRE(operators_of(after) == "Conv FusedConv");
  CHECK(after.nodes()[1].name == "Conv:d");
  check_same_outputs(before, after);
}

TEST_CASE("of two convolutions that are added the one that reads less takes the sum") {
  const auto halves = with("strides", std::vector<std::int64_t>{2, 2});
  for (const bool swapped : {false, true}) {
    CAPTURE(swapped);
    sketch s;
    s.input("x", {1, 4, 6, 6}).constant("narrow", floats({2, 4, 1, 1}, 2));
    s.constant("wide", floats({6, 2, 1, 1}, 3)).constant("short", floats({6, 4, 1, 1}, 4));
    s.node("Conv", {"x", "narrow"}, {"a"}, halves).node("Conv", {"a", "wide"}, {"main"});
    s.node("Conv", {"x", "short"}, {"cut"}, halves);
    const std::vector<std::string> operands =
        swapped ? std::vector<std::string>{"cut", "main"} : std::vector<std::string>{"main", "cut"};
    const auto before = s.node("Add", operands, {"y"}).output("y").build();
    const auto after = rewritten(before);
    REQUIRE(operators_of(after) == "Conv Conv FusedConv");
    CHECK(after.nodes()[2].name == "Conv:main");
    CHECK(after.value(after.nodes()[2].inputs[3]).name == "cut");
    check_same_outputs(before, after);
  }
}

TEST_CASE("a whole residual block becomes two fused convolutions") {
  sketch s;
  s.input("x", {1, 4, 6, 6}).constant("w", floats({4, 4, 3, 3}, 2));
  const auto pads = with("pads", std::vector<std::int64_t>{1, 1, 1, 1});
  s.node("Conv", {"x", "w"}, {"a"}, pads);
  add_norm(s, "a", "b", 4).node("Relu", {"b"}, {"c"}).node("Conv", {"c", "w"}, {"d"}, pads);
  s.node("BatchNormalization", {"d", "scale", "shift", "mean", "var"}, {"e"});
  s.node("Add", {"e", "x"}, {"f"}).node("Relu", {"f"}, {"y"}).output("y");
  const auto before = s.build();
  const auto after = rewritten_with_types(before);
  CHECK(operators_of(after) == "FusedConv FusedConv");
  check_same_outputs(before, after);
}
