#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_reader.hpp"
#include "runtime/tensor/deferred_storage.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace shoal::onnx_reader {
namespace {

using google::protobuf::io::CodedOutputStream;

/// Names no file, so no model's own external data can mean it.
const std::string own_file(1, '\0');

/// The fields that stand for raw data at this place.
std::string reference_to(const wire_span& raw) {
  onnx::TensorProto fields;
  fields.set_data_location(onnx::TensorProto::EXTERNAL);
  const auto add = [&](const char* key, std::string value) {
    auto& entry = *fields.add_external_data();
    entry.set_key(key);
    entry.set_value(std::move(value));
  };
  add("location", own_file);
  add("offset", fmt::format("{}", raw.begin));
  add("length", fmt::format("{}", raw.end - raw.begin));
  return fields.SerializeAsString();
}

class slim_writer {
 public:
  slim_writer(const input_file& file, std::string& out) : file_(file), out_(out) {}

  /// Everything of [begin, end), changed where spans lie in it.
  result<void> write(std::uint64_t begin, std::uint64_t end, std::span<const wire_span> spans) {
    for (const auto& span : spans) {
      SHOAL_CHECK(copy(begin, span.start));
      begin = span.end;
      if (span.inner.empty()) {
        out_ += reference_to(span);
        continue;
      }
      number(span.tag);
      number(slim_size(span.begin, span.end, span.inner));
      SHOAL_CHECK(write(span.begin, span.end, span.inner));
    }
    return copy(begin, end);
  }

  static std::uint64_t slim_size(std::uint64_t begin, std::uint64_t end,
                                 std::span<const wire_span> spans) {
    auto size = end - begin;
    for (const auto& span : spans) {
      size -= span.end - span.start;
      if (span.inner.empty()) {
        size += reference_to(span).size();
        continue;
      }
      const auto content = slim_size(span.begin, span.end, span.inner);
      size += CodedOutputStream::VarintSize32(span.tag) + CodedOutputStream::VarintSize64(content) +
              content;
    }
    return size;
  }

 private:
  void number(std::uint64_t value) {
    std::uint8_t bytes[10];
    const auto* end = CodedOutputStream::WriteVarint64ToArray(value, bytes);
    out_.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(end - bytes));
  }

  result<void> copy(std::uint64_t begin, std::uint64_t end) {
    const auto before = out_.size();
    out_.resize(before + (end - begin));
    return file_.read_at(begin, std::as_writable_bytes(std::span(out_)).subspan(before));
  }

  const input_file& file_;
  std::string& out_;
};

class own_weights final : public weight_source {
 public:
  own_weights(std::shared_ptr<const input_file> file, weight_source* others)
      : file_(std::move(file)), others_(others) {}

  result<tensor> load(const std::string& location, std::uint64_t offset,
                      std::optional<std::uint64_t> length, const tensor_type& type) override {
    if (location != own_file) {
      if (others_ == nullptr)
        return fail(errc::unsupported, "external data '{}': there is nothing to read it from",
                    location.substr(0, 100));
      return others_->load(location, offset, length, type);
    }
    const auto need = static_cast<std::uint64_t>(type.dims.element_count()) * size_of(type.type);
    if (length.value_or(0) != need)
      return fail(errc::malformed, "{} takes {} bytes, raw_data has {}", to_string(type), need,
                  length.value_or(0));
    if (offset > file_->size() || need > file_->size() - offset)
      return fail(errc::malformed, "{} bytes from offset {} are wanted of a file of {}", need,
                  offset, file_->size());
    return tensor(type, defer_storage(file_, offset, static_cast<std::size_t>(need)));
  }

 private:
  std::shared_ptr<const input_file> file_;
  weight_source* others_;
};

} // namespace

result<std::string> without_raw_data(const input_file& file, std::span<const wire_span> spans) {
  std::string slim;
  slim.reserve(slim_writer::slim_size(0, file.size(), spans));
  SHOAL_CHECK(slim_writer(file, slim).write(0, file.size(), spans));
  return slim;
}

std::unique_ptr<weight_source> defer_own_weights(std::shared_ptr<const input_file> file,
                                                 weight_source* others) {
  return std::make_unique<own_weights>(std::move(file), others);
}

} // namespace shoal::onnx_reader
