#pragma once

#include "runtime/graph/graph.hpp"
#include "runtime/operators/operator.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <vector>

namespace shoal::test {

/// Type, shape and every byte.
inline std::string text_of(const tensor& t) {
  std::string hex;
  for (const auto byte : t.bytes()) hex += fmt::format("{:02x}", static_cast<unsigned>(byte));
  return to_string(t.type()) + " " + hex;
}

std::string text_of(const graph& g);

inline std::string text_of(const attribute& value) {
  return std::visit(
      [](const auto& v) -> std::string {
        using kind = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<kind, tensor>)
          return text_of(v);
        else if constexpr (std::is_same_v<kind, graph_body>)
          return fmt::format("[{} captures {}]", text_of(*v.code), v.captured);
        else
          return fmt::format("{}", v);
      },
      value);
}

/// One node, as in "Relu(a,-)->(b) 'name' 17 {alpha=0.5}"; the domain, if any, before the operator.
inline std::string text_of(const graph& g, const graph_node& node) {
  const auto names = [&](const std::vector<value_id>& ids) {
    std::string text;
    for (const auto id : ids) {
      if (!text.empty()) text += ',';
      text += id == no_value ? std::string("-") : g.value(id).name;
    }
    return text;
  };
  std::string attrs;
  for (const auto& [name, value] : node.attrs.entries())
    attrs += fmt::format("{}{}={}", attrs.empty() ? "" : " ", name, text_of(value));
  return fmt::format("{}{}{}({})->({}) '{}' {} {{{}}}", node.definition->domain,
                     node.definition->domain.empty() ? "" : ".", node.definition->name,
                     names(node.inputs), names(node.outputs), node.name, node.opset, attrs);
}

/// All that makes a graph, one thing a line, values by name: equal texts are equal graphs.
inline std::string text_of(const graph& g) {
  std::string text = fmt::format("graph '{}'\n", g.name());
  for (const auto id : g.inputs())
    text += fmt::format("in {}: {}\n", g.value(id).name, describe(g.value(id)));
  for (const auto& node : g.nodes()) text += text_of(g, node) + "\n";
  for (const auto id : g.outputs())
    text += fmt::format("out {}: {}\n", g.value(id).name, describe(g.value(id)));
  std::vector<std::string> constants;
  for (const auto& value : g.values())
    if (value.is_constant())
      constants.push_back(fmt::format("const {}: {}\n", value.name, text_of(value.constant)));
  std::sort(constants.begin(), constants.end());
  for (const auto& line : constants) text += line;
  return text;
}

/// The nodes as "Conv Relu Add", for tests that only ask what is left.
inline std::string operators_of(const graph& g) {
  std::string text;
  for (const auto& node : g.nodes()) {
    if (!text.empty()) text += ' ';
    text += node.definition->name;
  }
  return text;
}

} // namespace shoal::test
