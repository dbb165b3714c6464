#pragma once

#include "runtime/graph/graph.hpp"
#include "runtime/operators/operator.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace shoal::test {

/// Writes down a graph by the names of its values.
class sketch {
 public:
  explicit sketch(int opset = 13) : opset_(opset) {}

  sketch& input(const std::string& name, const shape& dims, dtype type = dtype::f32) {
    graph_value value{name, type, std::vector<dimension>(), {}};
    for (const auto extent : dims) value.dims->push_back({extent, ""});
    b_.inputs.push_back(add(std::move(value)));
    return *this;
  }
  sketch& constant(const std::string& name, tensor content) {
    add({name, content.element_type(), {}, content});
    return *this;
  }
  /// An empty name among `in` or `out` stands for what is left out. The node is called after its
  /// operator and first output. "domain:Operator" for operators outside ai.onnx.
  sketch& node(std::string_view op, const std::vector<std::string>& in,
               const std::vector<std::string>& out, attributes attrs = {}) {
    graph_node n;
    const auto colon = op.find(':');
    const auto domain = colon == op.npos ? "" : op.substr(0, colon);
    const auto name = colon == op.npos ? op : op.substr(colon + 1);
    n.name = fmt::format("{}:{}", name, out[0]);
    n.opset = domain.empty() ? opset_ : 1;
    const auto found = find_operator(name, domain, n.opset, n.name);
    REQUIRE_MESSAGE(found, name);
    n.definition = *found;
    n.attrs = std::move(attrs);
    for (const auto& i : in) n.inputs.push_back(i.empty() ? no_value : ids_.at(i));
    for (const auto& o : out) n.outputs.push_back(o.empty() ? no_value : add({o, {}, {}, {}}));
    b_.nodes.push_back(std::move(n));
    return *this;
  }
  sketch& output(const std::string& name, std::optional<dtype> type = {}) {
    b_.outputs.push_back(ids_.at(name));
    if (type) b_.values[ids_.at(name)].type = type;
    return *this;
  }
  graph build() const {
    auto copy = b_;
    auto built = std::move(copy).build();
    REQUIRE(built);
    return *std::move(built);
  }

 private:
  value_id add(graph_value value) {
    const auto name = value.name;
    return ids_[name] = b_.add_value(std::move(value));
  }

  int opset_;
  graph_builder b_;
  std::map<std::string, value_id> ids_;
};

inline attributes with(std::string name, attribute value, attributes rest = {}) {
  rest.set(std::move(name), std::move(value));
  return rest;
}

/// The attribute of a Transpose.
inline attributes order(std::vector<std::int64_t> perm) {
  return with("perm", std::move(perm));
}

} // namespace shoal::test
