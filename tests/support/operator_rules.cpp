#include "tests/support/operator_rules.hpp"

#include "runtime/base/fail.hpp"
#include "tests/support/field_watch.hpp"

#include <algorithm>
#include <cmath>

namespace shoal::test {

const operator_def* definition_of(const node_case& test) {
  const auto found = find_operator(test.op, test.domain, test.opset, "example");
  return found ? *found : nullptr;
}

std::string outputs_are_wrong(const node_case& test) {
  const auto types = infer_node(test);
  if (!types) return to_string(types.error());
  for (const auto& name : kernels_of(test)) {
    auto node = prepared_node::make(test, name);
    if (!node) return to_string(node.error());
    const auto one = node->run(test.inputs, 0xcd), other = node->run(test.inputs, 0x32);
    if (!one || !other) return to_string((one ? other : one).error());
    if (one->size() != types->size())
      return fmt::format("{} outputs, stated are {}", one->size(), types->size());
    for (std::size_t i = 0; i < types->size(); ++i) {
      if ((*one)[i].type() != (*types)[i])
        return fmt::format("output {} is {}, stated is {}", i, to_string((*one)[i].type()),
                           to_string((*types)[i]));
      if (!identical((*one)[i], (*other)[i]))
        return fmt::format("kernel '{}' leaves elements of output {} as they were", name, i);
    }
  }
  return "";
}

std::string cost_is_wrong(const node_case& test) {
  const asked_node asked(test);
  const auto* definition = asked.node.definition;
  if (definition == nullptr) return "no such operator";
  const auto types = infer_node(test);
  if (!types) return to_string(types.error());
  if (definition->cost == nullptr) return ""; // one operation per element
  const auto cost = definition->cost(asked.context(), *types);
  const auto& out = (*types)[0];
  const auto written =
      static_cast<double>(out.dims.element_count()) * static_cast<double>(size_of(out.type));
  if (std::isfinite(cost.flops) && cost.flops > 0 && std::isfinite(cost.bytes) &&
      cost.bytes >= written)
    return "";
  return fmt::format("{} operations on {} bytes, {} of which are written", cost.flops, cost.bytes,
                     written);
}

namespace {

/// An axis of output 0 that input `input` does not have, but of which a field is stated.
std::optional<int> stated_axis_that_is_not(const asked_node& asked, std::size_t input,
                                           const watched_input& watched) {
  const auto rule = asked.node.definition->receptive_field;
  for (int axis = 0; rule != nullptr && axis < watched.output_rank; ++axis)
    if (std::ranges::find(watched.axes, axis, &seen_axis::axis) == watched.axes.end() &&
        rule(asked.context(), input, axis, {0, 0}))
      return axis;
  return std::nullopt;
}

} // namespace

std::string fields_are_wrong(const node_case& test, std::int64_t slack, field_findings& findings) {
  const asked_node asked(test);
  if (asked.node.definition == nullptr) return "no such operator";
  for (std::size_t input = 0; input < test.inputs.size(); ++input) {
    if (test.inputs[input].value.empty() || test.inputs[input].constant) continue;
    const auto watched = watch_input(test, input);
    if (!watched) return to_string(watched.error());
    findings.watched.insert(input);
    if (watched->moves) findings.followed.insert(input);
    if (const auto axis = stated_axis_that_is_not(asked, input, *watched))
      return fmt::format("input {} has no axis for axis {}, but an interval of it is stated", input,
                         *axis);
    for (const auto& seen : watched->axes) {
      auto stated = stated_width::interval;
      const auto wrong = compare_field(asked, input, seen, slack, stated);
      if (!wrong.empty()) return wrong;
      if (stated == stated_width::wider_than_read)
        findings.whole_axes.push_back({input, seen.axis});
    }
  }
  return "";
}

namespace {

/// The outputs of the node on parts of `part` elements of what is cut, joined along `axis`.
result<std::vector<tensor>> run_parts(const node_case& test, const std::string& kernel,
                                      const std::vector<int>& split, int axis, std::int64_t extent,
                                      std::int64_t part) {
  std::vector<std::vector<tensor>> parts;
  for (std::int64_t first = 0; first < extent; first += part) {
    node_case piece = test;
    for (std::size_t i = 0; i < split.size(); ++i)
      if (split[i] != unsplit)
        piece.inputs[i].value =
            cut(test.inputs[i].value, split[i], first, std::min(part, extent - first));
    SHOAL_TRY(auto outputs, run_node(piece, kernel));
    parts.push_back(std::move(outputs));
  }
  std::vector<tensor> joined;
  for (std::size_t i = 0; i < parts[0].size(); ++i) {
    std::vector<tensor> pieces;
    for (const auto& p : parts) pieces.push_back(p[i]);
    if (pieces[0].dims().rank() <= axis)
      return fail(errc::internal, "output {} has no axis {}", i, axis);
    joined.push_back(join(pieces, axis));
  }
  return joined;
}

/// One cut that the rule allows, in parts of one and of two elements.
std::string compare_parts(const node_case& test, const std::vector<int>& split, int axis,
                          std::int64_t extent) {
  for (const auto& kernel : {std::string(), kernels_of(test).back()}) {
    const auto whole = run_node(test, kernel);
    if (!whole) return to_string(whole.error());
    for (const std::int64_t part : {1, 2}) {
      const auto joined = run_parts(test, kernel, split, axis, extent, part);
      if (!joined) return to_string(joined.error());
      for (std::size_t i = 0; i < whole->size(); ++i)
        if (!identical((*joined)[i], (*whole)[i]))
          return fmt::format("output {} of parts of {}, by kernel '{}', differs from the whole", i,
                             part, kernel);
    }
  }
  return "";
}

/// The extent that all inputs have where they are cut; nothing if they disagree.
std::optional<std::int64_t> common_extent(const node_case& test, const std::vector<int>& split) {
  std::optional<std::int64_t> extent;
  for (std::size_t i = 0; i < split.size(); ++i) {
    if (split[i] == unsplit) continue;
    const auto own = test.inputs[i].value.dims()[split[i]];
    if (extent && *extent != own) return std::nullopt;
    extent = own;
  }
  return extent;
}

/// The next way to cut, counting through all of them; false after the last.
bool advance(const node_case& test, std::vector<int>& split) {
  for (std::size_t i = 0; i < split.size(); ++i) {
    const auto& value = test.inputs[i].value;
    const int axes = value.empty() ? 0 : value.dims().rank();
    if (++split[i] < axes) return true;
    split[i] = unsplit;
  }
  return false;
}

} // namespace

std::string splits_are_wrong(const node_case& test, std::size_t& cuts) {
  const asked_node asked(test);
  if (asked.node.definition == nullptr) return "no such operator";
  const auto rule = asked.node.definition->split_axis;
  if (rule == nullptr) return "";
  std::vector<int> split(test.inputs.size(), unsplit);
  while (advance(test, split)) {
    const auto axis = rule(asked.context(), split);
    const auto extent = common_extent(test, split);
    if (!axis || !extent || *extent == 0) continue;
    const auto where = fmt::format("cut along [{}]", fmt::join(split, ","));
    if (*axis < 0) return where + ": the outputs are said to be whole";
    ++cuts;
    const auto wrong = compare_parts(test, split, *axis, *extent);
    if (!wrong.empty()) return fmt::format("{}: {}", where, wrong);
  }
  return "";
}

} // namespace shoal::test
