#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_reader.hpp"
#include "runtime/operators/operator.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

namespace shoal::onnx_reader {
namespace {

class graph_reader {
 public:
  /// `around` is the reader of the graph whose node has this one as a body; null for a model.
  graph_reader(onnx::GraphProto& proto, const std::map<std::string, int>& opsets,
               constant_reader& constants, graph_reader* around = nullptr)
      : proto_(proto), opsets_(opsets), constants_(constants), limits_(constants.options.limits),
        around_(around), depth_(around == nullptr ? 0 : around->depth_ + 1) {}

  result<graph> read() {
    if (depth_ > deepest_body)
      return fail(errc::unsupported, "graphs within graphs are nested more than {} deep",
                  deepest_body);
    builder_.name = proto_.name().substr(0, limits_.max_name_length);
    SHOAL_CHECK(check_counts());
    SHOAL_CHECK(read_initializers());
    SHOAL_CHECK(read_inputs());
    SHOAL_CHECK(read_nodes());
    SHOAL_CHECK(read_outputs());
    forget_unread_outputs();
    for (const auto& node : builder_.nodes) SHOAL_CHECK(check_node(node));
    for (const auto& info : proto_.value_info())
      SHOAL_CHECK(check_name(info.name(), "a value", limits_));
    return std::move(builder_).build();
  }

  /// Names of the values of graphs around this one that it reads: the last of its inputs.
  const std::vector<std::string>& captured() const { return captured_; }

 private:
  static constexpr int deepest_body = 16;

  result<void> check_counts() const {
    if (static_cast<std::uint64_t>(proto_.node_size()) > limits_.max_nodes)
      return fail(errc::resource_exhausted, "the graph has {} nodes, at most {} are accepted",
                  proto_.node_size(), limits_.max_nodes);
    if (proto_.sparse_initializer_size() > 0)
      return fail(errc::unsupported, "sparse initialisers are not supported; the first is '{}'",
                  proto_.sparse_initializer(0).values().name().substr(0, 100));
    std::uint64_t values = static_cast<std::uint64_t>(proto_.initializer_size()) +
                           static_cast<std::uint64_t>(proto_.input_size());
    for (const auto& node : proto_.node()) values += static_cast<std::uint64_t>(node.output_size());
    if (values > limits_.max_values)
      return fail(errc::resource_exhausted, "the graph has {} values, at most {} are accepted",
                  values, limits_.max_values);
    return {};
  }

  /// Registers a value under its name, which must be new.
  result<value_id> add(graph_value value) {
    const auto [at, fresh] =
        ids_.emplace(value.name, static_cast<value_id>(builder_.values.size()));
    if (!fresh) return fail(errc::malformed, "value '{}' has two sources", value.name);
    return builder_.add_value(std::move(value));
  }

  result<void> add_constant(std::string name, tensor value) {
    graph_value v;
    v.name = std::move(name);
    v.type = value.element_type();
    v.constant = std::move(value);
    SHOAL_CHECK(add(std::move(v)));
    return {};
  }

  result<void> read_initializers() {
    for (auto& init : *proto_.mutable_initializer()) {
      SHOAL_CHECK(check_name(init.name(), "an initialiser", limits_));
      if (init.name().empty()) return fail(errc::malformed, "an initialiser has no name");
      std::string name = init.name();
      SHOAL_TRY(auto value, constants_.read(init));
      SHOAL_CHECK(add_constant(std::move(name), std::move(value)));
    }
    return {};
  }

  result<void> read_inputs() {
    std::unordered_set<std::string_view> seen;
    for (const auto& info : proto_.input()) {
      SHOAL_TRY(auto value, read_value_info(info, "input", limits_));
      if (!seen.insert(info.name()).second)
        return fail(errc::malformed, "two graph inputs have the name '{}'", value.name);
      if (const auto known = ids_.find(value.name); known != ids_.end()) {
        // Before IR 4 every initialiser was listed as an input too.
        const auto& constant = builder_.values[known->second];
        if (value.type && value.type != constant.type)
          return fail(errc::malformed, "input '{}' is {}, the initialiser of its name {}",
                      value.name, to_string(*value.type), to_string(*constant.type));
        continue;
      }
      if (around_ != nullptr) value.dims.reset(); // they may change from one run to the next
      if (!value.type && !constants_.options.untyped_inputs && around_ == nullptr)
        return fail(errc::malformed, "input '{}' has no element type", value.name);
      SHOAL_TRY(const auto id, add(std::move(value)));
      builder_.inputs.push_back(id);
    }
    return {};
  }

  /// Explicit names first, so that names made up later cannot collide with them.
  std::vector<std::string> node_names() const {
    std::vector<std::string> names(static_cast<std::size_t>(proto_.node_size()));
    std::unordered_set<std::string> taken;
    for (int i = 0; i < proto_.node_size(); ++i) {
      const auto& name = proto_.node(i).name();
      if (!name.empty() && taken.insert(name).second) names[static_cast<std::size_t>(i)] = name;
    }
    for (int i = 0; i < proto_.node_size(); ++i) {
      auto& name = names[static_cast<std::size_t>(i)];
      if (!name.empty()) continue;
      const auto& node = proto_.node(i);
      name = fmt::format("{}_{}", node.name().empty() ? node.op_type() : node.name(), i);
      while (!taken.insert(name).second) name += '_';
    }
    return names;
  }

  result<void> read_nodes() {
    const auto names = node_names();
    // Values first: nodes may come in any order, the builder sorts them.
    std::vector<graph_node> nodes;
    std::vector<onnx::NodeProto*> protos;
    for (int i = 0; i < proto_.node_size(); ++i) {
      auto& node = *proto_.mutable_node(i);
      SHOAL_CHECK(check_names(node));
      SHOAL_TRY(auto read, read_node(node, names[static_cast<std::size_t>(i)]));
      if (!read) continue; // it was a constant
      nodes.push_back(*std::move(read));
      protos.push_back(&node);
    }
    for (std::size_t n = 0; n < nodes.size(); ++n) {
      SHOAL_CHECK(connect_inputs(*protos[n], nodes[n]));
      SHOAL_CHECK(read_bodies(*protos[n], nodes[n]));
    }
    builder_.nodes = std::move(nodes);
    return {};
  }

  result<void> check_names(const onnx::NodeProto& node) const {
    SHOAL_CHECK(check_name(node.name(), "a node", limits_));
    SHOAL_CHECK(check_name(node.op_type(), "an operator", limits_));
    SHOAL_CHECK(check_name(node.domain(), "a domain", limits_));
    for (const auto& name : node.input()) SHOAL_CHECK(check_name(name, "a value", limits_));
    for (const auto& name : node.output()) SHOAL_CHECK(check_name(name, "a value", limits_));
    return {};
  }

  /// All but the inputs. Nothing when the node is a constant, which becomes a value.
  result<std::optional<graph_node>> read_node(onnx::NodeProto& proto, const std::string& name) {
    graph_node node;
    node.name = name;
    const std::string domain = proto.domain() == "ai.onnx" ? "" : proto.domain();
    const auto opset = opsets_.find(domain);
    if (opset == opsets_.end())
      return fail(errc::malformed,
                  "node '{}' ({}) is of domain '{}', of which the model imports "
                  "no version",
                  name, proto.op_type(), domain.empty() ? "ai.onnx" : domain);
    node.opset = opset->second;
    const bool is_constant = domain.empty() && proto.op_type() == "Constant";
    if (!is_constant) {
      SHOAL_TRY(node.definition, find_operator(proto.op_type(), domain, node.opset, name));
    }
    SHOAL_CHECK(check_schema(proto, name, node.opset));
    auto attrs = read_attributes(proto, constants_);
    if (!attrs)
      return std::move(attrs).error().within(
          fmt::format("{} '{}' (opset {})", proto.op_type(), name, node.opset));
    node.attrs = *std::move(attrs);
    if (is_constant) {
      SHOAL_CHECK(add_constant_node(proto, node));
      return std::optional<graph_node>();
    }
    for (auto& output : *proto.mutable_output()) {
      if (output.empty()) {
        node.outputs.push_back(no_value);
        continue;
      }
      graph_value value;
      value.name = std::move(output);
      auto id = add(std::move(value));
      if (!id) return std::move(id).error().within(fmt::format("node '{}'", name));
      node.outputs.push_back(*id);
    }
    return std::optional<graph_node>(std::move(node));
  }

  result<void> add_constant_node(onnx::NodeProto& proto, const graph_node& node) {
    const auto error_of = [&](errc code, std::string_view what) {
      return fail(code, "Constant '{}' (opset {}): {}", node.name, node.opset, what);
    };
    if (proto.output_size() != 1 || proto.output(0).empty() || proto.input_size() != 0)
      return error_of(errc::malformed, "expected one output and no input");
    if (node.attrs.entries().size() != 1)
      return error_of(errc::malformed,
                      fmt::format("expected one attribute, got {}", node.attrs.entries().size()));
    const auto& [key, value] = node.attrs.entries().front();
    auto& name = *proto.mutable_output(0);
    const auto vector_of = [](const auto& v) {
      return tensor::of(shape{static_cast<std::int64_t>(v.size())}, std::span(v));
    };
    if (const auto* t = std::get_if<tensor>(&value); t != nullptr && key == "value")
      return add_constant(std::move(name), *t);
    if (const auto* f = std::get_if<float>(&value); f != nullptr && key == "value_float")
      return add_constant(std::move(name), tensor::of<float>({}, {*f}));
    if (const auto* i = std::get_if<std::int64_t>(&value); i != nullptr && key == "value_int")
      return add_constant(std::move(name), tensor::of<std::int64_t>({}, {*i}));
    if (const auto* f = std::get_if<std::vector<float>>(&value);
        f != nullptr && key == "value_floats")
      return add_constant(std::move(name), vector_of(*f));
    if (const auto* i = std::get_if<std::vector<std::int64_t>>(&value);
        i != nullptr && key == "value_ints")
      return add_constant(std::move(name), vector_of(*i));
    return error_of(errc::unsupported, fmt::format("attribute '{}' is not supported", key));
  }

  /// The value of that name here or around; one from around becomes an input. `no_value` if there
  /// is none.
  value_id find(const std::string& name) {
    if (const auto found = ids_.find(name); found != ids_.end()) return found->second;
    if (around_ == nullptr || around_->find(name) == no_value) return no_value;
    graph_value value;
    value.name = name;
    const auto id = builder_.add_value(std::move(value));
    ids_.emplace(name, id);
    builder_.inputs.push_back(id);
    captured_.push_back(name);
    return id;
  }

  result<void> read_bodies(onnx::NodeProto& proto, graph_node& node) {
    std::map<std::string_view, onnx::AttributeProto*> bodies; // in an order that export keeps
    for (auto& a : *proto.mutable_attribute()) {
      if (a.type() != onnx::AttributeProto::GRAPH) continue;
      if (!bodies.emplace(a.name(), &a).second)
        return fail(errc::malformed, "{} of node '{}' appears twice", a.name(), node.name);
    }
    for (const auto& [name, a] : bodies) {
      const auto where = [&, key = name] { return fmt::format("{} of node '{}'", key, node.name); };
      if (node.definition->run_bodies == nullptr)
        return fail(errc::malformed, "{}: a graph came, which {} does not run", where(),
                    node.definition->name);
      if (node.attrs.contains(name)) return fail(errc::malformed, "{} appears twice", where());
      graph_reader reader(*a->mutable_g(), opsets_, constants_, this);
      auto code = reader.read();
      if (!code) return std::move(code).error().within(where());
      graph_body body{std::make_shared<const graph>(*std::move(code)), {}};
      for (const auto& outer : reader.captured())
        body.captured.push_back(add_captured(node, outer));
      node.attrs.set(std::string(name), std::move(body));
    }
    return {};
  }

  /// Which input of the node `name` is; a new one, unless another body reads it too.
  std::size_t add_captured(graph_node& node, const std::string& name) {
    const auto id = find(name);
    const auto first = node.inputs.end() - static_cast<std::ptrdiff_t>(node.captured);
    auto at = std::find(first, node.inputs.end(), id);
    if (at == node.inputs.end()) {
      at = node.inputs.insert(at, id);
      ++node.captured;
    }
    return static_cast<std::size_t>(at - node.inputs.begin());
  }

  result<void> connect_inputs(const onnx::NodeProto& proto, graph_node& node) {
    for (const auto& input : proto.input()) {
      if (input.empty()) {
        node.inputs.push_back(no_value);
        continue;
      }
      const auto id = find(input);
      if (id == no_value)
        return fail(errc::malformed, "node '{}' reads value '{}', which nothing produces",
                    node.name, input);
      node.inputs.push_back(id);
    }
    return {};
  }

  /// Exporters name optional outputs that nobody reads, as Dropout's mask; without its name an
  /// output need not be computed.
  void forget_unread_outputs() {
    std::vector<bool> read(builder_.values.size(), false);
    for (const auto& node : builder_.nodes)
      for (const auto id : node.inputs)
        if (id != no_value) read[id] = true;
    for (const auto id : builder_.outputs) read[id] = true;
    for (auto& node : builder_.nodes) {
      if (node.definition->max_outputs < 0) continue; // their number has a meaning
      auto& outputs = node.outputs;
      for (std::size_t i = 1; i < outputs.size(); ++i)
        if (outputs[i] != no_value && !read[outputs[i]]) outputs[i] = no_value;
      while (outputs.size() > 1 && outputs.back() == no_value) outputs.pop_back();
    }
  }

  /// What holds for every version, also where the ONNX library has no schema.
  static result<void> check_node(const graph_node& node) {
    const auto& def = *node.definition;
    auto count = static_cast<int>(node.own_inputs().size());
    while (count > 0 && node.inputs[static_cast<std::size_t>(count) - 1] == no_value) --count;
    if (count < def.min_inputs || (def.max_inputs >= 0 && count > def.max_inputs))
      return node_error(
          node, errc::malformed,
          fmt::format("expected {} to {} inputs, got {}", def.min_inputs,
                      def.max_inputs < 0 ? "any number of" : std::to_string(def.max_inputs),
                      count));
    for (int i = 0; i < def.min_inputs; ++i)
      if (node.inputs[static_cast<std::size_t>(i)] == no_value)
        return node_error(node, errc::malformed, fmt::format("input {} is left out", i));
    const auto outputs = static_cast<int>(node.outputs.size());
    if (outputs == 0 || (def.max_outputs >= 0 && outputs > def.max_outputs))
      return node_error(
          node, errc::malformed,
          fmt::format("expected at most {} outputs, got {}", def.max_outputs, outputs));
    if (def.max_outputs >= 0 && node.outputs[0] == no_value)
      return node_error(node, errc::malformed, "output 0 is left out");
    return def.check == nullptr ? result<void>() : def.check(node);
  }

  result<void> read_outputs() {
    for (const auto& info : proto_.output()) {
      SHOAL_TRY(auto declared, read_value_info(info, "output", limits_));
      const auto id = find(declared.name);
      if (id == no_value)
        return fail(errc::malformed, "graph output '{}' is not produced by any node",
                    declared.name);
      auto& value = builder_.values[id];
      if (value.type && declared.type && *value.type != *declared.type)
        return fail(errc::malformed, "output '{}' is declared {}, but it is {}", value.name,
                    to_string(*declared.type), to_string(*value.type));
      // What an input or constant is has been said already.
      if (!value.type) {
        value.type = declared.type;
        value.dims = std::move(declared.dims);
      }
      builder_.outputs.push_back(id);
    }
    if (builder_.outputs.empty()) return fail(errc::malformed, "the graph has no outputs");
    return {};
  }

  onnx::GraphProto& proto_;
  const std::map<std::string, int>& opsets_;
  constant_reader& constants_;
  const import_limits& limits_;
  graph_reader* around_;
  int depth_;
  std::vector<std::string> captured_;
  graph_builder builder_;
  std::unordered_map<std::string, value_id> ids_;
};

} // namespace

result<graph> read_graph(onnx::GraphProto& proto, const std::map<std::string, int>& opsets,
                         constant_reader& constants) {
  return graph_reader(proto, opsets, constants).read();
}

} // namespace shoal::onnx_reader
