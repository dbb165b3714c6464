#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_reader.hpp"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/unknown_field_set.h>
#include <onnx/defs/schema.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

namespace shoal::onnx_reader {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::UnknownField;

/// Fields of newer versions of the format: the ONNX library may be too old to have names for them.
constexpr int node_overload = 8, function_attribute_defaults = 11, function_overload = 13;

/// The bytes of each entry of field `number` of `message`, a string or message, repeated or not.
std::vector<std::string> entries_of(const Message& message, int number) {
  std::vector<std::string> out;
  const auto& fields = *message.GetReflection();
  const auto* field = message.GetDescriptor()->FindFieldByNumber(number);
  if (field == nullptr) {
    const auto& unknown = fields.GetUnknownFields(message);
    for (int i = 0; i < unknown.field_count(); ++i)
      if (const auto& f = unknown.field(i);
          f.number() == number && f.type() == UnknownField::TYPE_LENGTH_DELIMITED)
        out.push_back(f.length_delimited());
  } else if (field->is_repeated()) {
    for (int i = 0; i < fields.FieldSize(message, field); ++i)
      out.push_back(fields.GetRepeatedMessage(message, field, i).SerializeAsString());
  } else if (fields.HasField(message, field)) {
    out.push_back(fields.GetString(message, field));
  }
  return out;
}

std::string domain_of(const std::string& domain) {
  return domain == "ai.onnx" ? "" : domain;
}

/// Domain, name and overload, by which calls find their function.
using function_id = std::tuple<std::string, std::string, std::string>;

template <class Proto>
function_id id_of(const Proto& proto, const std::string& name, int overload_field) {
  const auto overload = entries_of(proto, overload_field);
  return {domain_of(proto.domain()), name, overload.empty() ? "" : overload.back()};
}

struct function {
  const onnx::FunctionProto* body = nullptr;
  std::map<std::string, std::int64_t> opsets;
  std::map<std::string, onnx::AttributeProto> defaults;
  bool is_open = false; ///< being expanded: a call now would be a recursion
};

/// What the names of one call's function stand for, and its attributes.
struct call_scope {
  std::string prefix;
  std::unordered_map<std::string, std::string> names;
  std::unordered_map<std::string, const onnx::AttributeProto*> attributes;
  const function* callee = nullptr;
};

class inliner {
 public:
  inliner(onnx::ModelProto& model, const import_limits& limits) : model_(model), limits_(limits) {}

  result<void> run() {
    SHOAL_CHECK(read_functions());
    for (const auto& entry : model_.opset_import())
      opsets_.emplace(domain_of(entry.domain()), entry.version());
    note_names(model_.graph());
    SHOAL_CHECK(expand_graph(*model_.mutable_graph(), 0));
    model_.clear_functions();
    return {};
  }

 private:
  result<void> read_functions() {
    std::uint64_t default_bytes = 0;
    for (const auto& proto : model_.functions()) {
      SHOAL_CHECK(check_name(proto.name(), "a function", limits_));
      SHOAL_CHECK(check_name(proto.domain(), "a domain", limits_));
      function f{.body = &proto, .opsets = {}, .defaults = {}};
      for (const auto& entry : proto.opset_import())
        if (!f.opsets.emplace(domain_of(entry.domain()), entry.version()).second)
          return fail(errc::malformed, "function '{}' imports domain '{}' twice", proto.name(),
                      entry.domain());
      for (const auto& bytes : entries_of(proto, function_attribute_defaults)) {
        default_bytes += bytes.size();
        if (default_bytes > limits_.max_attribute_bytes)
          return fail(errc::resource_exhausted,
                      "attributes of functions have more than {} bytes of defaults",
                      limits_.max_attribute_bytes);
        SHOAL_TRY(auto value, read_default(proto, bytes));
        f.defaults[value.name()] = std::move(value);
      }
      for (const auto* names : {&proto.input(), &proto.output()})
        if (std::find(names->begin(), names->end(), "") != names->end())
          return fail(errc::malformed, "function '{}' has an input or output without a name",
                      proto.name());
      const auto [at, fresh] =
          functions_.emplace(id_of(proto, proto.name(), function_overload), std::move(f));
      if (!fresh) return fail(errc::malformed, "two functions have the name '{}'", proto.name());
    }
    return {};
  }

  result<onnx::AttributeProto> read_default(const onnx::FunctionProto& f,
                                            const std::string& bytes) const {
    google::protobuf::io::CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                                              static_cast<int>(bytes.size()));
    in.SetRecursionLimit(limits_.max_nesting);
    onnx::AttributeProto value;
    if (!value.ParseFromCodedStream(&in) || !in.ConsumedEntireMessage())
      return fail(errc::malformed, "function '{}': the default of an attribute is broken",
                  f.name());
    return value;
  }

  /// All names of a graph and those within, which new ones must differ from.
  void note_names(const onnx::GraphProto& graph) {
    for (const auto& value : graph.input()) taken_.insert(value.name());
    for (const auto& value : graph.initializer()) taken_.insert(value.name());
    for (const auto& node : graph.node()) {
      for (const auto& name : node.input()) taken_.insert(name);
      for (const auto& name : node.output()) taken_.insert(name);
      for (const auto& a : node.attribute()) {
        if (a.has_g()) note_names(a.g());
        for (const auto& g : a.graphs()) note_names(g);
      }
    }
  }

  /// Replaces the calls of a graph, and of the graphs within. `depth` counts calls and graphs.
  result<void> expand_graph(onnx::GraphProto& graph, int depth) {
    google::protobuf::RepeatedPtrField<onnx::NodeProto> old;
    old.Swap(graph.mutable_node());
    for (auto& node : old) SHOAL_CHECK(expand(node, *graph.mutable_node(), depth));
    return {};
  }

  using nodes = google::protobuf::RepeatedPtrField<onnx::NodeProto>;

  /// Adds what `node` comes to, itself or the nodes of the function that it calls, to `out`.
  result<void> expand(onnx::NodeProto& node, nodes& out, int depth) {
    if (depth > limits_.max_nesting)
      return fail(errc::resource_exhausted, "functions and graphs nest deeper than {}",
                  limits_.max_nesting);
    const auto found = functions_.find(id_of(node, node.op_type(), node_overload));
    if (found != functions_.end()) return expand_call(node, found->second, out, depth);
    for (auto& a : *node.mutable_attribute()) {
      if (a.has_g()) SHOAL_CHECK(expand_graph(*a.mutable_g(), depth + 1));
      for (auto& g : *a.mutable_graphs()) SHOAL_CHECK(expand_graph(g, depth + 1));
    }
    out.Add()->Swap(&node);
    return {};
  }

  result<void> expand_call(const onnx::NodeProto& call, function& callee, nodes& out, int depth) {
    const auto where = [&] { return fmt::format("function '{}'", callee.body->name()); };
    if (callee.is_open) return fail(errc::malformed, "{} calls itself", where());
    SHOAL_TRY(auto scope, bind(call, callee));
    SHOAL_CHECK(check_size());
    nodes copies;
    callee.is_open = true;
    for (const auto& node : callee.body->node()) {
      SHOAL_CHECK(count(node));
      auto& copy = *copies.Add();
      copy = node;
      copy.set_name(
          fmt::format("{}{}", scope.prefix, node.name().empty() ? node.op_type() : node.name()));
      auto resolved = resolve(copy, scope);
      if (!resolved) return std::move(resolved).error().within(where());
    }
    for (auto& copy : copies) {
      auto expanded = expand(copy, out, depth + 1);
      if (!expanded) return expanded;
    }
    callee.is_open = false;
    return pass_through(call, scope, out);
  }

  /// Every copy counts, so that functions that call each other many times end soon.
  result<void> count(const onnx::NodeProto& node) {
    bytes_ += node.ByteSizeLong();
    if (++nodes_ > limits_.max_nodes)
      return fail(errc::resource_exhausted, "functions come to more than {} nodes",
                  limits_.max_nodes);
    return check_size();
  }

  result<void> check_size() const {
    if (bytes_ <= limits_.max_function_bytes) return {};
    return fail(errc::resource_exhausted, "functions come to more than {} bytes",
                limits_.max_function_bytes);
  }

  result<call_scope> bind(const onnx::NodeProto& call, const function& callee) {
    const auto& f = *callee.body;
    if (call.input_size() > f.input_size() || call.output_size() > f.output_size())
      return fail(errc::malformed,
                  "node '{}' calls function '{}' with {} inputs and {} outputs; it has {} and {}",
                  call.name(), f.name(), call.input_size(), call.output_size(), f.input_size(),
                  f.output_size());
    bytes_ += 64 * (static_cast<std::uint64_t>(f.input_size()) + callee.defaults.size());
    call_scope scope;
    scope.callee = &callee;
    scope.prefix = fmt::format("{}_{}/", call.name().empty() ? f.name() : call.name(), ++calls_);
    for (int i = 0; i < f.input_size(); ++i)
      if (!scope.names.emplace(f.input(i), i < call.input_size() ? call.input(i) : "").second)
        return fail(errc::malformed, "function '{}' has two inputs '{}'", f.name(), f.input(i));
    // An output that is an input too, or comes twice, is copied by `pass_through`.
    for (int i = 0; i < call.output_size(); ++i)
      if (!call.output(i).empty()) scope.names.emplace(f.output(i), call.output(i));
    for (const auto& [name, value] : callee.defaults) scope.attributes[name] = &value;
    for (const auto& value : call.attribute()) scope.attributes[value.name()] = &value;
    return scope;
  }

  result<void> pass_through(const onnx::NodeProto& call, const call_scope& scope, nodes& out) {
    for (int i = 0; i < call.output_size(); ++i) {
      const auto& name = call.output(i);
      if (name.empty()) continue;
      const auto& inner = scope.names.find(scope.callee->body->output(i))->second;
      if (inner == name) continue;
      auto& copy = *out.Add();
      copy.set_op_type("Identity");
      copy.add_input(inner);
      copy.add_output(name);
    }
    return {};
  }

  const std::string& renamed(const std::string& name, call_scope& scope) {
    const auto [at, fresh] = scope.names.emplace(name, "");
    if (!fresh || name.empty()) return at->second;
    at->second = scope.prefix + name;
    while (!taken_.insert(at->second).second) at->second += '_';
    return at->second;
  }

  /// A node of a function in the words of its caller: names, attributes, version of its domain.
  result<void> resolve(onnx::NodeProto& node, call_scope& scope) {
    SHOAL_CHECK(check_name(node.name(), "a node", limits_));
    for (auto& name : *node.mutable_input()) name = renamed(name, scope);
    for (auto& name : *node.mutable_output()) name = renamed(name, scope);
    for (int i = node.attribute_size() - 1; i >= 0; --i) {
      auto& a = *node.mutable_attribute(i);
      if (!a.ref_attr_name().empty()) {
        const auto found = scope.attributes.find(a.ref_attr_name());
        if (found == scope.attributes.end()) { // then it has no value here either
          node.mutable_attribute()->DeleteSubrange(i, 1);
          continue;
        }
        SHOAL_CHECK(replace(a, *found->second));
        continue;
      }
      if (a.has_g()) SHOAL_CHECK(resolve_graph(*a.mutable_g(), scope));
      for (auto& g : *a.mutable_graphs()) SHOAL_CHECK(resolve_graph(g, scope));
    }
    const bool calls = functions_.contains(id_of(node, node.op_type(), node_overload));
    return calls ? result<void>() : check_version(node, *scope.callee);
  }

  /// The value of a call's attribute, under the name that the operator knows. Its graphs, if any,
  /// are written in the caller's words already.
  result<void> replace(onnx::AttributeProto& reference, const onnx::AttributeProto& value) {
    bytes_ += value.ByteSizeLong();
    SHOAL_CHECK(check_size());
    std::string name = reference.name();
    reference = value;
    reference.set_name(std::move(name));
    return {};
  }

  result<void> resolve_graph(onnx::GraphProto& graph, call_scope& scope) {
    graph.clear_value_info();
    for (auto& value : *graph.mutable_input()) value.set_name(renamed(value.name(), scope));
    for (auto& value : *graph.mutable_output()) value.set_name(renamed(value.name(), scope));
    for (auto& value : *graph.mutable_initializer()) value.set_name(renamed(value.name(), scope));
    for (auto& node : *graph.mutable_node()) SHOAL_CHECK(resolve(node, scope));
    return {};
  }

  /// Functions state versions of their own. One graph has one version of each domain: another one
  /// does if it is known to mean the same.
  result<void> check_version(const onnx::NodeProto& node, const function& callee) {
    const auto domain = domain_of(node.domain());
    const auto own = callee.opsets.find(domain);
    if (own == callee.opsets.end())
      return fail(errc::malformed, "node '{}' ({}) is of domain '{}', which is not imported",
                  node.name(), node.op_type(), domain);
    const auto [of_model, fresh] = opsets_.emplace(domain, own->second);
    if (fresh) {
      auto& entry = *model_.add_opset_import();
      entry.set_domain(domain);
      entry.set_version(own->second);
    }
    if (own->second == of_model->second) return {};
    const auto& known = onnx::OpSchemaRegistry::DomainToVersionRange::Instance().Map();
    const auto range = known.find(domain);
    const auto newer = std::max(own->second, of_model->second);
    if (range != known.end() && newer <= range->second.second) {
      const auto schema = [&](std::int64_t version) {
        return onnx::OpSchemaRegistry::Schema(node.op_type(), static_cast<int>(version), domain);
      };
      const auto* meant = schema(newer);
      if (meant != nullptr && meant == schema(std::min(own->second, of_model->second))) return {};
    }
    return fail(errc::unsupported,
                "{} is of version {} of domain '{}', but the model imports version {}",
                node.op_type(), own->second, domain, of_model->second);
  }

  onnx::ModelProto& model_;
  const import_limits& limits_;
  std::map<function_id, function> functions_;
  std::map<std::string, std::int64_t> opsets_; ///< of the model
  std::unordered_set<std::string> taken_;
  std::uint64_t nodes_ = 0, bytes_ = 0, calls_ = 0;
};

} // namespace

result<void> inline_functions(onnx::ModelProto& model, const import_limits& limits) {
  if (model.functions_size() == 0) return {};
  return inliner(model, limits).run();
}

} // namespace shoal::onnx_reader
