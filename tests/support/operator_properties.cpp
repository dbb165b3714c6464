#include "tests/support/operator_properties.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cstring>

namespace shoal::test {
namespace {

constexpr layout layouts[] = {layout::plain, layout::channels_last, layout::blocked_8,
                              layout::blocked_16};

bool all_identical(const std::vector<tensor>& a, const std::vector<tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), identical);
}

/// The elements [first, first + count) of `whole` along `axis`.
tensor cut(const tensor& whole, int axis, std::int64_t first, std::int64_t count) {
  shape dims = whole.dims();
  const auto extent = dims[axis];
  const auto rows = dims.element_count(0, axis);
  const auto row = static_cast<std::size_t>(dims.element_count(axis + 1, dims.rank())) *
                   size_of(whole.element_type());
  dims[axis] = count;
  tensor part({whole.element_type(), dims},
              allocate_storage(static_cast<std::size_t>(rows * count) * row));
  for (std::int64_t r = 0; r < rows; ++r)
    std::memcpy(part.mutable_data() + static_cast<std::size_t>(r * count) * row,
                whole.data() + static_cast<std::size_t>(r * extent + first) * row,
                static_cast<std::size_t>(count) * row);
  return part;
}

/// Whether output elements differ, per index along `axis`.
std::vector<bool> moved(const tensor& a, const tensor& b, int axis) {
  std::vector<bool> out;
  for (std::int64_t i = 0; i < a.dims()[axis]; ++i)
    out.push_back(!identical(cut(a, axis, i, 1), cut(b, axis, i, 1)));
  return out;
}

/// A copy in which element `index` has another value.
tensor disturbed(const tensor& original, std::int64_t index) {
  tensor changed = original.clone();
  visit_dtype(original.element_type(), [&]<class T>(std::type_identity<T>) {
    auto& value = changed.mutable_values<T>()[static_cast<std::size_t>(index)];
    if constexpr (std::is_same_v<T, bool>)
      value = !value;
    else if constexpr (std::is_integral_v<T>)
      value = static_cast<T>(value + 1);
    else
      value = static_cast<T>(static_cast<float>(value) * 1.5f + 3.0f);
  });
  return changed;
}

/// The node as its rules see it.
struct asked_node {
  explicit asked_node(const node_case& test) {
    node.name = "node_under_test";
    node.opset = test.opset;
    node.attrs = test.attrs;
    for (const auto& in : test.inputs) {
      node.inputs.push_back(in.value.empty() ? no_value : 0);
      operands.push_back({in.value.empty() ? tensor_type{} : in.value.type(),
                          in.constant ? &in.value : nullptr, !in.value.empty()});
    }
    node.outputs.assign(test.outputs, 0);
    if (auto found = find_operator(test.op, test.domain, test.opset, node.name))
      node.definition = *found;
  }
  node_context context() const { return {node, operands}; }

  graph_node node;
  std::vector<operand> operands;
};

/// What the operator states, without the optional: GCC mistakes a formatted one for uninitialised.
struct stated_field {
  bool global = true;
  interval read;
};

stated_field ask_field(const asked_node& asked, std::size_t input, int axis, std::int64_t output) {
  const auto rule = asked.node.definition->receptive_field;
  if (rule == nullptr) return {};
  const auto field = rule(asked.context(), input, axis, {output, output});
  return field ? stated_field{false, *field} : stated_field{};
}

} // namespace

std::string kernels_disagree(node_case test, double relative, double absolute) {
  test.producers = layout::plain;
  const auto names = applicable_kernels(test);
  if (names.empty()) return "no kernel applies";
  const auto expected = run_node(test, names.back());
  if (!expected) return to_string(expected.error());
  for (const auto format : layouts) {
    test.producers = format;
    for (const auto& name : names) {
      test.threads = 1;
      const auto alone = run_node(test, name);
      test.threads = 2;
      const auto paired = run_node(test, name);
      const auto where = fmt::format("kernel '{}' after {}", name, to_string(format));
      if (!alone) return where + ": " + to_string(alone.error());
      if (!paired || !all_identical(*alone, *paired))
        return where + ": two threads give other bits than one";
      for (std::size_t i = 0; i < expected->size(); ++i)
        if (const auto off = mismatch((*alone)[i], (*expected)[i], relative, absolute); !(off <= 1))
          return fmt::format("{}: output {} is {} times the tolerance off", where, i, off);
    }
  }
  return "";
}

std::string split_is_wrong(const node_case& test, const std::vector<int>& split,
                           std::optional<int> expected_axis, std::int64_t part) {
  const asked_node asked(test);
  const auto* definition = asked.node.definition;
  if (definition == nullptr) return "no such operator";
  const auto axis = definition->split_axis == nullptr
                        ? std::nullopt
                        : definition->split_axis(asked.context(), split);
  if (axis != expected_axis)
    return fmt::format("split_axis says {}, expected {}", axis ? *axis : -1,
                       expected_axis ? *expected_axis : -1);
  if (!axis) return "";
  const auto whole = run_node(test);
  if (!whole) return to_string(whole.error());
  const auto first_cut = static_cast<std::size_t>(
      std::find_if(split.begin(), split.end(), [](int s) { return s != unsplit; }) - split.begin());
  const auto extent = test.inputs[first_cut].value.dims()[split[first_cut]];
  for (std::int64_t first = 0; first < extent; first += part) {
    const auto count = std::min(part, extent - first);
    node_case piece = test;
    for (std::size_t i = 0; i < split.size(); ++i)
      if (split[i] != unsplit)
        piece.inputs[i].value = cut(test.inputs[i].value, split[i], first, count);
    const auto outputs = run_node(piece);
    if (!outputs) return fmt::format("part from {}: {}", first, to_string(outputs.error()));
    for (std::size_t i = 0; i < whole->size(); ++i) {
      const auto ratio = (*whole)[i].dims()[*axis] / extent;
      if (!identical((*outputs)[i], cut((*whole)[i], *axis, first * ratio, count * ratio)))
        return fmt::format("output {} of the part from {} differs from the whole", i, first);
    }
  }
  return "";
}

std::string field_is_wrong(const node_case& test, std::size_t input, int axis,
                           const field_expectation& expected) {
  const asked_node asked(test);
  const auto* definition = asked.node.definition;
  if (definition == nullptr) return "no such operator";
  const auto before = run_node(test);
  if (!before) return to_string(before.error());
  const auto& dims = test.inputs[input].value.dims();
  const auto outputs = (*before)[0].dims()[axis];
  struct seen {
    std::int64_t first = INT64_MAX, last = -1;
  };
  std::vector<seen> by_output(static_cast<std::size_t>(outputs)); // inputs that reach each output
  const int own_axis = expected.input_axis < 0 ? axis : expected.input_axis;
  if (own_axis >= dims.rank()) return "the input has no such axis";
  const auto inner = dims.element_count(own_axis + 1, dims.rank());
  for (std::int64_t e = 0; e < dims.element_count(); ++e) {
    node_case changed = test;
    changed.inputs[input].value = disturbed(test.inputs[input].value, e);
    const auto after = run_node(changed);
    if (!after) return to_string(after.error());
    const auto at = e / inner % dims[own_axis];
    const auto differs = moved((*before)[0], (*after)[0], axis);
    for (std::size_t o = 0; o < differs.size(); ++o)
      if (differs[o]) {
        by_output[o].first = std::min(by_output[o].first, at);
        by_output[o].last = std::max(by_output[o].last, at);
      }
  }
  for (std::int64_t o = 0; o < outputs; ++o) {
    const auto& reached = by_output[static_cast<std::size_t>(o)];
    const auto stated = ask_field(asked, input, axis, o);
    const auto what = fmt::format("output {} reads [{}, {}], stated is {}[{}, {}]", o,
                                  reached.first, reached.last, stated.global ? "everything, " : "",
                                  stated.read.first, stated.read.last);
    if (stated.global != expected.global) return what;
    if (expected.global) continue;
    const auto [first, last] = stated.read;
    if (last >= dims[own_axis] || first < 0) return what + ": not clipped";
    if (reached.last < 0) continue;
    if (first > reached.first || last < reached.last) return what;
    if (first < reached.first - expected.slack || last > reached.last + expected.slack)
      return what + ": too wide";
  }
  return "";
}

} // namespace shoal::test
