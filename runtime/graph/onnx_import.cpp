#include "runtime/graph/onnx_import.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/graph/onnx_reader.hpp"
#include "runtime/tensor/deferred_storage.hpp"

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

/// Smaller raw data are not worth reading apart.
constexpr std::uint64_t least_deferred_bytes = 64 << 10;

result<void> check_size(std::uint64_t size, const import_limits& limits) {
  if (size == 0) return fail(errc::malformed, "the model is empty: it has no bytes");
  const auto cap = std::min<std::uint64_t>(limits.max_file_bytes, INT32_MAX);
  if (size <= cap) return {};
  return fail(errc::resource_exhausted, "the model has {} bytes, at most {} are accepted", size,
              cap);
}

result<std::unique_ptr<onnx::ModelProto>> parse(ZeroCopyInputStream& stream,
                                                const import_limits& limits) {
  google::protobuf::io::CodedInputStream in(&stream);
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
    return catch_deferred(import);
  } catch (const std::bad_alloc&) {
    return fail(errc::resource_exhausted, "not enough memory to import the model");
  }
}

/// The model of a file, with the raw data of `spans` left out.
result<std::unique_ptr<onnx::ModelProto>> parse_file(const input_file& file,
                                                     std::span<const onnx_reader::wire_span> spans,
                                                     const import_limits& limits) {
  if (spans.empty()) {
    ::lseek(file.descriptor(), 0, SEEK_SET);
    google::protobuf::io::FileInputStream stream(file.descriptor());
    return parse(stream, limits);
  }
  SHOAL_TRY(const auto slim, onnx_reader::without_raw_data(file, spans));
  google::protobuf::io::ArrayInputStream stream(slim.data(), static_cast<int>(slim.size()));
  return parse(stream, limits);
}

result<imported_model> import_file(std::shared_ptr<const input_file> file,
                                   const import_options& options) {
  SHOAL_CHECK(check_size(file->size(), options.limits));
  google::protobuf::io::FileInputStream stream(file->descriptor());
  SHOAL_TRY(const auto spans,
            onnx_reader::scan(stream, file->size(), options.limits,
                              options.defer_weights ? least_deferred_bytes : UINT64_MAX));
  SHOAL_TRY(const auto proto, parse_file(*file, spans, options.limits));
  std::unique_ptr<weight_source> folder;
  auto* weights = options.weights;
  if (weights == nullptr) {
    SHOAL_TRY(folder, open_weight_folder(file->path().parent_path()));
    weights = folder.get();
  }
  const auto own = onnx_reader::defer_own_weights(file, weights);
  return build(*proto, options, own.get());
}

} // namespace

result<imported_model> import_onnx_bytes(byte_span bytes, const import_options& options) {
  return without_exceptions([&]() -> result<imported_model> {
    SHOAL_CHECK(check_size(bytes.size(), options.limits));
    const auto size = static_cast<int>(bytes.size());
    google::protobuf::io::ArrayInputStream walked(bytes.data(), size), read(bytes.data(), size);
    SHOAL_CHECK(onnx_reader::scan(walked, bytes.size(), options.limits, UINT64_MAX));
    SHOAL_TRY(const auto model, parse(read, options.limits));
    return build(*model, options, options.weights);
  });
}

result<imported_model> import_onnx_file(const std::filesystem::path& path,
                                        const import_options& options) {
  SHOAL_TRY(auto file, input_file::open(path));
  auto model = without_exceptions(
      [&] { return import_file(std::make_shared<const input_file>(std::move(file)), options); });
  if (!model) return std::move(model).error().within(path.string());
  return model;
}

} // namespace shoal
