#include "tests/support/operator_properties.hpp"

#include "runtime/base/fail.hpp"
#include "tests/support/field_watch.hpp"

#include <algorithm>

namespace shoal::test {
namespace {

constexpr layout layouts[] = {layout::plain, layout::channels_last, layout::blocked_8,
                              layout::blocked_16};

bool all_identical(const std::vector<tensor>& a, const std::vector<tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), identical);
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
  if (asked.node.definition == nullptr) return "no such operator";
  const auto watched = watch_input(test, input);
  if (!watched) return to_string(watched.error());
  for (const auto& seen : watched->axes) {
    if (seen.axis != axis) continue;
    auto stated = stated_width::interval;
    const auto wrong = compare_field(asked, input, seen, expected.slack, stated);
    const bool global = stated != stated_width::interval;
    if (wrong.empty() && global != expected.global)
      return global ? "stated is the whole axis" : "stated is an interval";
    return wrong;
  }
  return expected.global ? "" : "the input has no such axis";
}

} // namespace shoal::test
