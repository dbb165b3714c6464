#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_reader.hpp"
#include "runtime/tensor/tensor_proto.hpp"

namespace shoal::onnx_reader {
namespace {

std::string_view kind_of(const onnx::TypeProto& type) {
  switch (type.value_case()) {
  case onnx::TypeProto::kSequenceType:
    return "a sequence";
  case onnx::TypeProto::kMapType:
    return "a map";
  case onnx::TypeProto::kOptionalType:
    return "an optional";
  case onnx::TypeProto::kSparseTensorType:
    return "a sparse tensor";
  default:
    return "of an unknown kind";
  }
}

result<std::vector<dimension>> read_dims(const onnx::TensorShapeProto& proto,
                                         const import_limits& limits) {
  if (proto.dim_size() > shape::max_rank)
    return fail(errc::unsupported, "{} dimensions, at most {} are supported", proto.dim_size(),
                shape::max_rank);
  std::vector<dimension> dims;
  std::vector<std::int64_t> fixed;
  for (const auto& d : proto.dim()) {
    // Some exporters write -1 for an extent that is bound at run time.
    if (d.value_case() == onnx::TensorShapeProto_Dimension::kDimValue && d.dim_value() >= 0) {
      dims.push_back({d.dim_value(), ""});
      fixed.push_back(d.dim_value());
      continue;
    }
    if (d.dim_param().size() > limits.max_name_length)
      return fail(errc::resource_exhausted,
                  "a dimension's name has {} bytes, at most {} are "
                  "accepted",
                  d.dim_param().size(), limits.max_name_length);
    dims.push_back({-1, d.dim_param()});
  }
  SHOAL_CHECK(checked_element_count(fixed));
  return dims;
}

} // namespace

result<void> check_name(std::string_view name, std::string_view what, const import_limits& limits) {
  if (name.size() <= limits.max_name_length) return {};
  return fail(errc::resource_exhausted,
              "the name of {} has {} bytes, at most {} are accepted: "
              "'{}…'",
              what, name.size(), limits.max_name_length, name.substr(0, 40));
}

result<graph_value> read_value_info(const onnx::ValueInfoProto& proto, std::string_view side,
                                    const import_limits& limits) {
  SHOAL_CHECK(check_name(proto.name(), fmt::format("an {}", side), limits));
  graph_value value;
  value.name = proto.name();
  if (value.name.empty()) return fail(errc::malformed, "an {} of the graph has no name", side);
  const auto where = [&] { return fmt::format("{} '{}'", side, value.name); };
  if (!proto.has_type() || proto.type().value_case() == onnx::TypeProto::VALUE_NOT_SET)
    return value;
  if (!proto.type().has_tensor_type())
    return fail(errc::unsupported, "{} is {}; only tensors are supported", where(),
                kind_of(proto.type()));
  const auto& type = proto.type().tensor_type();
  if (type.elem_type() != onnx::TensorProto::UNDEFINED) {
    auto element = dtype_from_onnx(type.elem_type());
    if (!element) return std::move(element).error().within(where());
    value.type = *element;
  }
  if (type.has_shape()) {
    auto dims = read_dims(type.shape(), limits);
    if (!dims) return std::move(dims).error().within(where());
    value.dims = *std::move(dims);
  }
  return value;
}

} // namespace shoal::onnx_reader
