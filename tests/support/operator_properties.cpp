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

stated_field ask_field(const asked_node& asked, std::size_t input, int axis, interval wanted) {
  const auto rule = asked.node.definition->receptive_field;
  if (rule == nullptr) return {};
  const auto field = rule(asked.context(), input, axis, wanted);
  return field ? stated_field{false, *field} : stated_field{};
}

constexpr interval nothing{INT64_MAX, -1};

void widen(interval& all, interval more) {
  all = {std::min(all.first, more.first), std::max(all.last, more.last)};
}

std::string compare_fields(interval reached, const stated_field& stated, std::int64_t extent,
                           const field_expectation& expected) {
  const auto [first, last] = stated.read;
  const auto what = fmt::format("[{}, {}] is read, stated is {}[{}, {}]", reached.first,
                                reached.last, stated.global ? "everything, " : "", first, last);
  if (stated.global != expected.global) return what;
  if (stated.global) return "";
  if (last >= extent || first < 0) return what + ": not clipped";
  if (reached.last < 0) return "";
  if (first > reached.first || last < reached.last) return what;
  if (first < reached.first - expected.slack || last > reached.last + expected.slack)
    return what + ": too wide";
  return "";
}

} // namespace

std::string kernels_disagree(node_case test, double relative, double absolute) {
  test.producers = layout::plain;
  const auto names = applicable_kernels(test);
  if (names.empty()) return "no kernel applies";
  const auto expected = run_node(test, names.back());
  if (!expected) return to_string(expected.error());
  for (const auto& name : names) {
    std::optional<std::vector<tensor>> first;
    for (const auto format : layouts)
      for (const int threads : {1, 2}) {
        test.producers = format;
        test.threads = threads;
        const auto got = run_node(test, name);
        const auto where =
            fmt::format("kernel '{}' after {}, {} threads", name, to_string(format), threads);
        if (!got) return where + ": " + to_string(got.error());
        if (!first) first = *got;
        if (!all_identical(*got, *first)) return where + ": other bits than plain, with one thread";
        for (std::size_t i = 0; i < expected->size(); ++i)
          if (const auto off = mismatch((*got)[i], (*expected)[i], relative, absolute); !(off <= 1))
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
  std::vector<interval> by_output(static_cast<std::size_t>(outputs), nothing);
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
        widen(by_output[o], {at, at});
      }
  }
  for (const auto width : {std::int64_t{1}, std::int64_t{3}, outputs})
    for (std::int64_t o = 0; o + width <= outputs; ++o) {
      interval reached = nothing;
      for (auto i = o; i < o + width; ++i) widen(reached, by_output[static_cast<std::size_t>(i)]);
      const auto stated = ask_field(asked, input, axis, {o, o + width - 1});
      auto wrong = compare_fields(reached, stated, dims[own_axis], expected);
      if (!wrong.empty()) return fmt::format("outputs {} to {}: {}", o, o + width - 1, wrong);
    }
  return "";
}

} // namespace shoal::test
