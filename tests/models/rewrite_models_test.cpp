#include "runtime/graph/rewrite.hpp"
#include "runtime/session/binding.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/stages.hpp"
#include "tests/support/zoo.hpp"

#include <doctest/doctest.h>

#include <cmath>

// Every rewrite rule proved by running the graph before and after it.

using namespace shoal;
using namespace shoal::test;

namespace {

struct named_rule {
  const char* name;
  bool rewrite_options::*on;
};
constexpr named_rule rules[] = {{"remove_dead_nodes", &rewrite_options::remove_dead_nodes},
                                {"remove_identities", &rewrite_options::remove_identities},
                                {"fold_constants", &rewrite_options::fold_constants},
                                {"fold_batch_norm", &rewrite_options::fold_batch_norm},
                                {"fuse_residual", &rewrite_options::fuse_residual},
                                {"fuse_activation", &rewrite_options::fuse_activation},
                                {"join_transposes", &rewrite_options::join_transposes},
                                {"fuse_attention", &rewrite_options::fuse_attention},
                                {"fuse_gelu", &rewrite_options::fuse_gelu},
                                {"fuse_layer_norm", &rewrite_options::fuse_layer_norm},
                                {"fuse_added_norm", &rewrite_options::fuse_added_norm},
                                {"fuse_bias", &rewrite_options::fuse_bias},
                                {"fuse_transposes", &rewrite_options::fuse_transposes}};

rewrite_options only(const named_rule& rule) {
  rewrite_options options;
  for (const auto& other : rules) options.*other.on = false;
  options.*rule.on = true;
  return options;
}

std::vector<tensor_type> types_of(const std::shared_ptr<const graph>& model,
                                  const std::vector<tensor>& inputs) {
  std::vector<operand> operands;
  for (const auto& input : inputs) operands.push_back({input.type(), nullptr, true});
  const auto bound = bind_types(model, operands);
  REQUIRE_MESSAGE(bound, (bound ? std::string() : bound.error().message()));
  std::vector<tensor_type> types;
  for (const auto& value : (*bound)->values) types.push_back(value.type);
  return types;
}

double largest(const tensor& t) {
  double most = 0;
  for (const auto v : t.values<float>()) most = std::max(most, std::abs(static_cast<double>(v)));
  return most;
}

class rewrite_check {
 public:
  rewrite_check(graph model, std::vector<tensor> inputs)
      : model_(std::make_shared<const graph>(std::move(model))), inputs_(std::move(inputs)),
        types_(types_of(model_, inputs_)) {
    auto outputs = run_whole(model_, inputs_);
    REQUIRE_MESSAGE(outputs, (outputs ? std::string() : outputs.error().message()));
    expected_ = *std::move(outputs);
  }

  /// Nodes that are left. The outputs must be the same but for 1e-5 of the largest of them.
  std::size_t apply(rewrite_options options) const {
    options.types = types_;
    options.evaluate = evaluate_node;
    auto after = rewrite(*model_, options);
    REQUIRE_MESSAGE(after, (after ? std::string() : after.error().message()));
    const auto nodes = after->nodes().size();
    const auto got = run_whole(std::make_shared<const graph>(*std::move(after)), inputs_);
    REQUIRE_MESSAGE(got, (got ? std::string() : got.error().message()));
    for (std::size_t o = 0; o < expected_.size(); ++o) {
      CAPTURE(o);
      const double scale = largest(expected_[o]);
      CHECK(std::isfinite(scale));
      CHECK(mismatch((*got)[o], expected_[o], 1e-5, 1e-5 * scale + 1e-12) <= 1);
    }
    return nodes;
  }

  void apply_all() const {
    for (const auto& rule : rules) {
      CAPTURE(rule.name);
      apply(only(rule));
    }
    apply(rewrite_options{});
  }

  std::size_t nodes() const { return model_->nodes().size(); }

 private:
  std::shared_ptr<const graph> model_;
  std::vector<tensor> inputs_;
  std::vector<tensor_type> types_;
  std::vector<tensor> expected_;
};

rewrite_check check_of(graph model, const std::map<std::string, std::int64_t>& extents = {}) {
  auto inputs = make_inputs(model, 5, extents);
  return {std::move(model), std::move(inputs)};
}

} // namespace

TEST_CASE("every rule, and all of them, keep what ResNet-50 computes") {
  const auto resnet = check_of(make_resnet({.size = 64}), {{"N", 2}});
  resnet.apply_all();
  // 53 convolutions, of which normalisation, sum and activation are a part; 3 nodes at the end.
  CHECK(resnet.nodes() == 53 + 53 + 49 + 16 + 1 + 3);
  CHECK(resnet.apply({}) == 53 + 1 + 3);
}

TEST_CASE("every rule, and all of them, keep what MobileNetV2 computes") {
  const auto mobilenet = check_of(make_mobilenet({.size = 64}), {{"N", 2}});
  mobilenet.apply_all();
  CHECK(mobilenet.apply({}) == 52 + 2);
}

TEST_CASE("every rule, and all of them, keep what BERT computes") {
  for (const int opset : {13, 17}) {
    bert_options options{.layers = 2, .hidden = 64, .heads = 4, .sequence = -1, .vocabulary = 99};
    options.opset = opset;
    check_of(make_bert(options), {{"N", 2}, {"S", 11}}).apply_all();
  }
}

TEST_CASE("every rule, and all of them, keep what random models compute") {
  for (std::uint64_t seed = 2000; seed < 2150; ++seed) {
    CAPTURE(seed);
    check_of(make_random_model(seed)).apply_all();
  }
}

namespace {

tensor as_half(const tensor& t) {
  std::vector<half> values;
  for (const auto v : t.values<float>()) values.emplace_back(v);
  return tensor::of<half>(t.dims(), std::span<const half>(values));
}

/// The same model in half precision. Scales of Resize stay what ONNX has them be.
graph as_half(const graph& model) {
  graph_builder b(model);
  std::vector<bool> keep(b.values.size(), false);
  for (const auto& node : b.nodes)
    for (std::size_t i = 1; node.definition->name == "Resize" && i < node.inputs.size(); ++i)
      if (node.inputs[i] != no_value) keep[node.inputs[i]] = true;
  for (std::size_t v = 0; v < b.values.size(); ++v) {
    auto& value = b.values[v];
    if (keep[v] || value.type != dtype::f32) continue;
    value.type = dtype::f16;
    if (value.is_constant()) value.constant = as_half(value.constant);
  }
  auto built = std::move(b).build();
  REQUIRE(built);
  return *std::move(built);
}

} // namespace

TEST_CASE("promoting half precision keeps what random models compute to 1e-2") {
  for (std::uint64_t seed = 3000; seed < 3060; ++seed) {
    CAPTURE(seed);
    const auto single = make_random_model(seed);
    const auto model = std::make_shared<const graph>(as_half(single));
    std::vector<tensor> inputs;
    for (const auto& input : make_inputs(single, seed)) inputs.push_back(as_half(input));
    const auto before = run_whole(model, inputs);
    REQUIRE_MESSAGE(before, (before ? std::string() : before.error().message()));
    rewrite_options options;
    options.promote_half = true;
    auto promoted = rewrite(*model, options);
    REQUIRE_MESSAGE(promoted, (promoted ? std::string() : promoted.error().message()));
    const auto after = run_whole(std::make_shared<const graph>(*std::move(promoted)), inputs);
    REQUIRE_MESSAGE(after, (after ? std::string() : after.error().message()));
    for (std::size_t o = 0; o < before->size(); ++o)
      CHECK(mismatch((*after)[o], (*before)[o], 1e-2, 1e-2) <= 1);
  }
}
