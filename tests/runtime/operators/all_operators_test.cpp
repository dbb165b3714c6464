#include "tests/support/operator_examples.hpp"
#include "tests/support/operator_rules.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>

using namespace shoal;
using namespace shoal::test;

namespace {

std::string name_of(const operator_def& definition) {
  return fmt::format("{}{}{} ({} to {})", definition.domain, definition.domain.empty() ? "" : ".",
                     definition.name, definition.first_opset, definition.last_opset);
}

struct shown_attribute {
  std::string operator()(std::int64_t v) const { return fmt::to_string(v); }
  std::string operator()(float v) const { return fmt::to_string(v); }
  std::string operator()(const std::string& v) const { return v; }
  std::string operator()(const std::vector<std::int64_t>& v) const {
    return fmt::format("[{}]", fmt::join(v, ","));
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return "...";
  }
};

/// For messages.
std::string described(const node_case& test) {
  std::vector<std::string> inputs, attrs;
  for (const auto& in : test.inputs)
    inputs.push_back(in.value.empty() ? "-" : to_string(in.value.type()));
  for (const auto& [name, value] : test.attrs.entries())
    attrs.push_back(fmt::format("{}={}", name, std::visit(shown_attribute{}, value)));
  return fmt::format("{} of opset {}: {}; {}", test.op, test.opset, fmt::join(inputs, " "),
                     fmt::join(attrs, " "));
}

/// Whether there are outputs between the windows of a transposed convolution, which read nothing.
bool has_gaps(const node_case& test) {
  const auto strides = test.attrs.get_ints("strides");
  for (std::size_t i = 0; i < strides.size(); ++i)
    if (strides[i] > test.inputs[1].value.dims()[static_cast<int>(i) + 2]) return true;
  return false;
}

/// How much wider than what is read an interval may be. Taps that lie apart are stated together
/// with what lies between them, though that may be all there is of the image. Before a gap one more
/// element is stated, so that a part covers the gap.
std::int64_t slack_of(const node_case& test) {
  std::int64_t slack = test.op == "ConvTranspose" && has_gaps(test) ? 1 : 0;
  for (const auto dilation : test.attrs.get_ints("dilations"))
    slack = std::max(slack, dilation - 1);
  return slack;
}

/// Operators that need a graph around them, or have nothing that a node could be given.
constexpr const char* without_example[] = {
    "Constant",           // an attribute, evaluated on import
    "If", "Loop", "Scan", // run graphs
};

/// Inputs whose type matters, not their values.
constexpr std::pair<const char*, std::size_t> without_influence[] = {
    {"CastLike", 1},          {"EyeLike", 0}, {"RandomNormalLike", 0},
    {"RandomUniformLike", 0}, {"Shape", 0},   {"Size", 0},
};

constexpr int any = -1;

/// Where an operator states that it needs an axis whole, but does not read all of it, and why that
/// is as it should be.
struct whole_axis {
  const char* op;
  std::size_t input;
  int axis;
};

constexpr whole_axis whole_on_purpose[] = {
    // Which elements are read follows from values.
    {"DeformConv", 0, any},
    {"EmbedLayerNormalization", 2, any},
    {"EmbedLayerNormalization", 3, any},
    {"GatherElements", 0, any},
    {"GatherND", 0, any},
    {"GridSample", 0, any},
    {"Hardmax", 0, any},
    {"MaxUnpool", 0, any},
    {"MaxUnpool", 1, any},
    {"Multinomial", 0, any},
    {"NegativeLogLikelihoodLoss", 0, 1},
    {"ReverseSequence", 0, any},
    {"RoiAlign", 0, any},
    {"RotaryEmbedding", 2, any},
    {"RotaryEmbedding", 3, any},
    {"Scatter", 0, any},
    {"Scatter", 1, any},
    {"Scatter", 2, any},
    {"ScatterElements", 0, any},
    {"ScatterElements", 1, any},
    {"ScatterElements", 2, any},
    {"ScatterND", 0, any},
    {"ScatterND", 1, any},
    {"ScatterND", 2, any},
    {"TfIdfVectorizer", 0, 1},
    // Weights, scales, masks and positions stay whole when images and batches are cut.
    {"Attention", 3, any},
    {"Conv", 1, any},
    {"ConvInteger", 1, any},
    {"ConvTranspose", 1, any},
    {"DequantizeLinear", 1, any},
    {"DynamicQuantizeMatMul", 1, any},
    {"EmbedLayerNormalization", 7, any},
    {"FusedConv", 1, any},
    {"MultiHeadAttention", 4, any},
    {"NegativeLogLikelihoodLoss", 2, any},
    {"QuantizeLinear", 1, any},
    {"RotaryEmbedding", 1, any},
    {"SoftmaxCrossEntropyLoss", 2, any},
    // Groups of channels, of heads, of columns: elements far apart are read together.
    {"Col2Im", 0, any},
    {"DepthToSpace", 0, 1},
    {"GroupNormalization", 0, 1},
    {"MultiHeadAttention", 0, 2},
    {"MultiHeadAttention", 1, 2},
    {"MultiHeadAttention", 2, 2},
    {"RotaryEmbedding", 0, any},
    {"SpaceToDepth", 0, 1},
    // The outputs do not agree on what the axis means.
    {"GRU", 0, any},
    {"LSTM", 0, any},
    {"RNN", 0, any},
    {"Split", 0, any},
    // The place in the whole tensor decides what becomes of an element.
    {"Bernoulli", 0, any},
    {"Trilu", 0, any},
};

bool covers(const whole_axis& entry, const operator_def& definition, const followed_axis& found) {
  return entry.op == definition.name && entry.input == found.input &&
         (entry.axis == any || entry.axis == found.axis);
}

bool is_listed(const operator_def& definition) {
  return std::ranges::find(without_example, definition.name) != std::end(without_example);
}

} // namespace

TEST_CASE("every operator has an example, or a reason to have none") {
  std::set<const operator_def*> shown;
  for (const auto& test : operator_examples()) {
    INFO(described(test));
    REQUIRE(definition_of(test) != nullptr);
    shown.insert(definition_of(test));
  }
  for (const auto* definition : all_operators()) {
    INFO(name_of(*definition));
    CHECK(shown.contains(definition) != is_listed(*definition));
  }
  for (const auto* name : without_example)
    CHECK(std::ranges::any_of(all_operators(), [&](auto* d) { return d->name == name; }));
}

TEST_CASE("kernels write what the shape rule says, all of it, at a positive cost") {
  for (const auto& test : operator_examples()) {
    INFO(described(test));
    CHECK(outputs_are_wrong(test) == "");
    CHECK(cost_is_wrong(test) == "");
  }
}

TEST_CASE("what moves an output lies in its receptive field, which is no wider") {
  std::map<const operator_def*, field_findings> found;
  for (const auto& test : operator_examples()) {
    INFO(described(test));
    CHECK(fields_are_wrong(test, slack_of(test), found[definition_of(test)]) == "");
  }
  std::set<const whole_axis*> needed;
  for (const auto& [definition, findings] : found) {
    INFO(name_of(*definition));
    for (const auto input : findings.watched) {
      const std::pair<std::string_view, std::size_t> key{definition->name, input};
      const bool listed = std::ranges::any_of(without_influence, [&](const auto& e) {
        return key == std::pair(std::string_view(e.first), e.second);
      });
      CAPTURE(input);
      CHECK(findings.followed.contains(input) != listed);
    }
    for (const auto& whole : findings.whole_axes) {
      const auto* entry = std::ranges::find_if(
          whole_on_purpose, [&](const auto& e) { return covers(e, *definition, whole); });
      CAPTURE(whole.input);
      CAPTURE(whole.axis);
      CHECK(entry != std::end(whole_on_purpose));
      needed.insert(entry);
    }
  }
  for (const auto& entry : whole_on_purpose) {
    INFO(std::string(entry.op), " ", entry.input);
    CHECK(needed.contains(&entry));
  }
}

TEST_CASE("windows of any form lie in their receptive fields") {
  int tried = 0;
  for (std::uint64_t seed = 1; seed <= 600; ++seed) {
    const auto test = random_window(seed);
    const auto types = infer_node(test);
    if (!types || (*types)[0].dims.element_count() == 0) continue;
    ++tried;
    INFO("seed ", seed, ": ", described(test));
    field_findings ignored;
    CHECK(outputs_are_wrong(test) == "");
    CHECK(fields_are_wrong(test, slack_of(test), ignored) == "");
  }
  CHECK(tried > 300);
}

TEST_CASE("parts, cut where an operator can be split, have the bits of the whole") {
  std::map<const operator_def*, std::size_t> cuts;
  for (const auto& test : operator_examples()) {
    INFO(described(test));
    CHECK(splits_are_wrong(test, cuts[definition_of(test)]) == "");
  }
  for (const auto& [definition, count] : cuts) {
    INFO(name_of(*definition));
    CHECK((count > 0) == (definition->split_axis != nullptr));
  }
}
