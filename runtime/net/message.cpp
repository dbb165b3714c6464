#include "runtime/net/message.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

result<void> check_layout(const tensor_type& type, layout format) {
  if (format == layout::plain) return {};
  if (type.dims.rank() < 3 || type.dims[1] % channel_block(format) != 0)
    return fail(errc::malformed, "a {} cannot travel in layout {}", to_string(type),
                to_string(format));
  return {};
}

result<void> validate(const message& content) {
  if (content.metadata.size() > message::max_metadata_bytes)
    return fail(errc::invalid_argument, "expected at most {} bytes of metadata, got {}",
                message::max_metadata_bytes, content.metadata.size());
  if (content.tensors.size() > message::max_tensors)
    return fail(errc::invalid_argument, "expected at most {} tensors in a message, got {}",
                message::max_tensors, content.tensors.size());
  for (std::size_t i = 0; i < content.tensors.size(); ++i) {
    const auto& values = content.tensors[i];
    if (values.empty())
      return fail(errc::invalid_argument, "tensor {} of the message has no storage", i);
    SHOAL_CHECK(check_layout(values.type(), values.format()));
  }
  if (static_cast<int>(content.priority) >= message_priority_count)
    return fail(errc::invalid_argument, "there is no message priority {}",
                static_cast<int>(content.priority));
  return {};
}

std::uint64_t payload_bytes(const message& content) {
  std::uint64_t total = 0;
  for (const auto& part : content.tensors) total += part.byte_size();
  return total;
}

} // namespace shoal
