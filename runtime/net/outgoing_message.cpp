#include "runtime/net/outgoing_message.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

result<std::unique_ptr<outgoing_message>> prepare(message content, const link_codec& codec,
                                                  buffer_pool& pool) {
  SHOAL_CHECK(validate(content));
  auto out = std::make_unique<outgoing_message>();
  out->content = std::move(content);
  out->entries.reserve(out->content.tensors.size());
  out->parts.reserve(out->content.tensors.size());
  for (const auto& values : out->content.tensors) {
    tensor_entry entry{values.type(), tensor_encoding::plain, values.format()};
    outgoing_message::body_part part{values.bytes(), {}};
    if (codec.fp16 && values.element_type() == dtype::f32) {
      entry.encoding = tensor_encoding::fp16;
      part.converted = narrow_to_fp16(values, pool);
      if (!part.converted)
        return fail(errc::resource_exhausted, "no memory to convert {}", to_string(values.type()));
      part.bytes = {part.converted->data(), part.converted->size()};
    }
    out->body_bytes += part.bytes.size();
    out->memory_bytes += values.byte_size();
    if (!part.bytes.empty()) out->parts.push_back(std::move(part));
    out->entries.push_back(entry);
  }
  return out;
}

} // namespace shoal
