#include "runtime/graph/onnx_import.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/graph/onnx_reader.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl.h>
#include <unistd.h>

namespace shoal {
namespace {

using google::protobuf::io::ZeroCopyInputStream;

/// From IR 3 on a model states its opsets; up to 13 nothing was added that the import would pass
/// over without an error.
constexpr int first_ir_version = 3;
constexpr int last_ir_version = 13;

using open_stream = std::function<std::unique_ptr<ZeroCopyInputStream>()>;

result<std::unique_ptr<onnx::ModelProto>> parse(const open_stream& open, std::uint64_t size,
                                                const import_limits& limits) {
  if (size == 0) return fail(errc::malformed, "the model is empty: it has no bytes");
  const auto cap = std::min<std::uint64_t>(limits.max_file_bytes, INT32_MAX);
  if (size > cap)
    return fail(errc::resource_exhausted, "the model has {} bytes, at most {} are accepted", size,
                cap);
  SHOAL_CHECK(onnx_reader::scan(*open(), size, limits));
  const auto stream = open();
  google::protobuf::io::CodedInputStream in(stream.get());
  in.SetTotalBytesLimit(INT32_MAX);
  in.SetRecursionLimit(limits.max_nesting + 1);
  auto model = std::make_unique<onnx::ModelProto>();
  if (!model->ParseFromCodedStream(&in) || !in.ConsumedEntireMessage())
    return fail(errc::malformed, "broken ONNX model: protobuf cannot parse it");
  return model;
}

result<std::map<std::string, int>> read_opsets(const onnx::ModelProto& model,
                                               const import_limits& limits) {
  std::map<std::string, int> opsets;
  for (const auto& entry : model.opset_import()) {
    SHOAL_CHECK(onnx_reader::check_name(entry.domain(), "a domain", limits));
    const std::string domain = entry.domain() == "ai.onnx" ? "" : entry.domain();
    if (entry.version() < 1 || entry.version() > INT32_MAX)
      return fail(errc::malformed, "opset {} of domain '{}' is no version", entry.version(),
                  domain);
    const auto version = static_cast<int>(entry.version());
    if (domain.empty() && (version < first_onnx_opset || version > last_onnx_opset))
      return fail(errc::unsupported, "opset {} of ai.onnx is not supported; {} to {} are", version,
                  first_onnx_opset, last_onnx_opset);
    if ((domain == "com.microsoft" || domain == "shoal") && version != 1)
      return fail(errc::unsupported, "opset {} of {} is not supported; 1 is", version, domain);
    const auto [known, fresh] = opsets.emplace(domain, version);
    if (!fresh && known->second != version)
      return fail(errc::malformed, "the model imports opsets {} and {} of domain '{}'",
                  known->second, version, domain);
  }
  return opsets;
}

result<void> check_model(const onnx::ModelProto& model) {
  if (!model.has_graph())
    return fail(errc::malformed, "this is not an ONNX model, or an empty one: it has no graph");
  const auto ir = model.ir_version();
  if (ir < first_ir_version || ir > last_ir_version)
    return fail(errc::unsupported, "IR version {} is not supported; {} to {} are", ir,
                first_ir_version, last_ir_version);
  return {};
}

result<imported_model> build(onnx::ModelProto& model, const import_options& options,
                             weight_source* weights) {
  SHOAL_CHECK(check_model(model));
  SHOAL_CHECK(onnx_reader::inline_functions(model, options.limits));
  imported_model out;
  out.ir_version = static_cast<int>(model.ir_version());
  SHOAL_TRY(out.opsets, read_opsets(model, options.limits));
  out.producer = model.producer_name().substr(0, 200);
  if (!model.producer_version().empty())
    out.producer = fmt::format("{} {}", out.producer, model.producer_version().substr(0, 200));
  onnx_reader::constant_reader constants{options, weights};
  SHOAL_TRY(auto read, onnx_reader::read_graph(*model.mutable_graph(), out.opsets, constants));
  for (const auto& value : read.values())
    if (value.is_constant()) out.parameter_bytes += value.constant.byte_size();
  out.model = std::make_shared<const graph>(std::move(read));
  return out;
}

/// Protobuf and containers throw when memory ends.
template <class F>
result<imported_model> without_exceptions(F&& import) {
  try {
    return import();
  } catch (const std::bad_alloc&) {
    return fail(errc::resource_exhausted, "not enough memory to import the model");
  }
}

} // namespace

result<imported_model> import_onnx_bytes(byte_span bytes, const import_options& options) {
  const auto open = [bytes] {
    return std::make_unique<google::protobuf::io::ArrayInputStream>(bytes.data(),
                                                                    static_cast<int>(bytes.size()));
  };
  return without_exceptions([&]() -> result<imported_model> {
    SHOAL_TRY(const auto model, parse(open, bytes.size(), options.limits));
    return build(*model, options, options.weights);
  });
}

result<imported_model> import_onnx_file(const std::filesystem::path& path,
                                        const import_options& options) {
  SHOAL_TRY(const auto file, input_file::open(path));
  const auto open = [&file] {
    ::lseek(file.descriptor(), 0, SEEK_SET);
    return std::make_unique<google::protobuf::io::FileInputStream>(file.descriptor());
  };
  auto model = without_exceptions([&]() -> result<imported_model> {
    SHOAL_TRY(const auto proto, parse(open, file.size(), options.limits));
    if (options.weights != nullptr) return build(*proto, options, options.weights);
    SHOAL_TRY(const auto folder, open_weight_folder(path.parent_path()));
    return build(*proto, options, folder.get());
  });
  if (!model) return std::move(model).error().within(path.string());
  return model;
}

} // namespace shoal
