#include "runtime/graph/onnx_export.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/operators/operator.hpp"
#include "runtime/tensor/tensor_proto.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <onnx/onnx_pb.h>

#include <map>
#include <unordered_set>

namespace shoal {
namespace {

/// The opset that a model states which has no node of ai.onnx.
constexpr int default_opset = 17;

void write_external(const graph_value& constant, const external_location& where,
                    onnx::TensorProto& proto) {
  const auto& value = constant.constant;
  proto.set_name(constant.name);
  proto.set_data_type(dtype_to_onnx(value.element_type()));
  for (const auto extent : value.dims()) proto.add_dims(extent);
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto entry = [&](std::string key, std::string text) {
    auto& pair = *proto.add_external_data();
    pair.set_key(std::move(key));
    pair.set_value(std::move(text));
  };
  entry("location", where.location);
  entry("offset", std::to_string(where.offset));
  entry("length", std::to_string(value.byte_size()));
}

void write_attribute(const std::string& name, const attribute& value, onnx::AttributeProto& proto) {
  using kind = onnx::AttributeProto;
  proto.set_name(name);
  if (const auto* i = std::get_if<std::int64_t>(&value)) {
    proto.set_type(kind::INT);
    proto.set_i(*i);
  } else if (const auto* f = std::get_if<float>(&value)) {
    proto.set_type(kind::FLOAT);
    proto.set_f(*f);
  } else if (const auto* s = std::get_if<std::string>(&value)) {
    proto.set_type(kind::STRING);
    proto.set_s(*s);
  } else if (const auto* ints = std::get_if<std::vector<std::int64_t>>(&value)) {
    proto.set_type(kind::INTS);
    for (const auto v : *ints) proto.add_ints(v);
  } else if (const auto* floats = std::get_if<std::vector<float>>(&value)) {
    proto.set_type(kind::FLOATS);
    for (const auto v : *floats) proto.add_floats(v);
  } else if (const auto* strings = std::get_if<std::vector<std::string>>(&value)) {
    proto.set_type(kind::STRINGS);
    for (const auto& v : *strings) proto.add_strings(v);
  } else {
    proto.set_type(kind::TENSOR);
    to_proto(std::get<tensor>(value), "", *proto.mutable_t());
  }
}

void write_value_info(const graph_value& value, const std::string& name,
                      onnx::ValueInfoProto& proto) {
  proto.set_name(name);
  if (!value.type && !value.dims && !value.is_constant()) return;
  auto& type = *proto.mutable_type()->mutable_tensor_type();
  if (value.type) type.set_elem_type(dtype_to_onnx(*value.type));
  if (!value.dims) return;
  auto& dims = *type.mutable_shape();
  for (const auto& d : *value.dims) {
    auto& dim = *dims.add_dim();
    if (d.extent >= 0)
      dim.set_dim_value(d.extent);
    else if (!d.symbol.empty())
      dim.set_dim_param(d.symbol);
  }
}

/// What the values of a graph are called, by `value_id`.
using value_names = std::vector<std::string>;

value_names own_names(const graph& model) {
  value_names names;
  for (const auto& value : model.values()) names.push_back(value.name);
  return names;
}

/// The last inputs of a body are called as in the graph around it, and nothing else is.
value_names names_in_body(const graph_body& body, const graph_node& node,
                          const value_names& around) {
  auto names = own_names(*body.code);
  const auto captured = body.code->inputs().last(body.captured.size());
  std::unordered_set<std::string> outer;
  for (const auto i : body.captured) outer.insert(around[node.inputs[i]]);
  std::unordered_set<std::string> taken(names.begin(), names.end());
  for (auto& name : names) {
    if (!outer.contains(name)) continue;
    while (taken.contains(name) || outer.contains(name)) name += '_';
    taken.insert(name);
  }
  for (std::size_t c = 0; c < captured.size(); ++c)
    names[captured[c]] = around[node.inputs[body.captured[c]]];
  return names;
}

void write_graph(const graph& model, const value_names& names, std::size_t captured,
                 const export_options& options, onnx::GraphProto& out);

void write_node(const graph_node& node, const value_names& names, onnx::NodeProto& proto) {
  proto.set_name(node.name);
  proto.set_op_type(std::string(node.definition->name));
  if (!node.definition->domain.empty()) proto.set_domain(std::string(node.definition->domain));
  const auto name_of = [&](value_id id) { return id == no_value ? std::string() : names[id]; };
  for (const auto id : node.own_inputs()) proto.add_input(name_of(id));
  for (const auto id : node.outputs) proto.add_output(name_of(id));
  for (const auto& [name, value] : node.attrs.entries()) {
    auto& written = *proto.add_attribute();
    if (const auto* body = std::get_if<graph_body>(&value)) {
      written.set_name(name);
      written.set_type(onnx::AttributeProto::GRAPH);
      write_graph(*body->code, names_in_body(*body, node, names), body->captured.size(), {},
                  *written.mutable_g());
    } else {
      write_attribute(name, value, written);
    }
  }
}

void write_graph(const graph& model, const value_names& names, std::size_t captured,
                 const export_options& options, onnx::GraphProto& out) {
  out.set_name(model.name());
  for (const auto id : model.inputs().first(model.inputs().size() - captured))
    write_value_info(model.value(id), names[id], *out.add_input());
  for (const auto id : model.outputs())
    write_value_info(model.value(id), names[id], *out.add_output());
  for (const auto& node : model.nodes()) write_node(node, names, *out.add_node());
  for (value_id id = 0; id < model.values().size(); ++id) {
    const auto& value = model.value(id);
    if (!value.is_constant()) continue;
    auto& init = *out.add_initializer();
    std::optional<external_location> where;
    if (options.place && value.constant.byte_size() >= options.embed_below)
      where = options.place(value);
    if (where)
      write_external(value, *where, init);
    else
      to_proto(value.constant, names[id], init);
  }
}

/// The one opset of each domain, those of bodies included.
result<void> collect_opsets(const graph& model, std::map<std::string_view, int>& opsets) {
  for (const auto& node : model.nodes()) {
    const auto [known, fresh] = opsets.emplace(node.definition->domain, node.opset);
    if (!fresh && known->second != node.opset)
      return fail(errc::invalid_argument, "node '{}' is of opset {} of domain '{}', others of {}",
                  node.name, node.opset, node.definition->domain, known->second);
    for (const auto& [name, value] : node.attrs.entries())
      if (const auto* body = std::get_if<graph_body>(&value))
        SHOAL_CHECK(collect_opsets(*body->code, opsets));
  }
  return {};
}

result<void> check_names(const graph& model) {
  std::unordered_set<std::string_view> seen;
  for (const auto& value : model.values()) {
    if (value.name.empty()) return fail(errc::invalid_argument, "a value has no name");
    if (!seen.insert(value.name).second)
      return fail(errc::invalid_argument, "two values have the name '{}'", value.name);
  }
  return {};
}

int ir_version_for(int opset) {
  return opset >= 21 ? 10 : opset >= 19 ? 9 : 8;
}

result<std::string> serialize(const onnx::ModelProto& proto) {
  const auto size = proto.ByteSizeLong();
  if (size > INT32_MAX)
    return fail(errc::resource_exhausted,
                "the model takes {} bytes, a protobuf message at most {}: place large constants "
                "outside",
                size, INT32_MAX);
  std::string bytes;
  bytes.reserve(size);
  {
    google::protobuf::io::StringOutputStream stream(&bytes);
    google::protobuf::io::CodedOutputStream out(&stream);
    out.SetSerializationDeterministic(true);
    if (!proto.SerializeToCodedStream(&out))
      return fail(errc::internal, "protobuf cannot write the model");
  }
  return bytes;
}

} // namespace

result<std::string> export_onnx_bytes(const graph& model, const export_options& options) {
  SHOAL_CHECK(check_names(model));
  std::map<std::string_view, int> opsets;
  SHOAL_CHECK(collect_opsets(model, opsets));
  opsets.emplace("", default_opset);
  onnx::ModelProto proto;
  proto.set_ir_version(ir_version_for(opsets.at("")));
  proto.set_producer_name("shoal");
  for (const auto& [domain, version] : opsets) {
    auto& entry = *proto.add_opset_import();
    entry.set_domain(std::string(domain));
    entry.set_version(version);
  }
  write_graph(model, own_names(model), 0, options, *proto.mutable_graph());
  return serialize(proto);
}

result<void> export_onnx_file(const graph& model, const std::filesystem::path& path,
                              const export_options& options) {
  SHOAL_TRY(const auto bytes, export_onnx_bytes(model, options));
  const byte_span part = bytes_of(bytes);
  return replace_file(path, {&part, 1});
}

} // namespace shoal
