#include "runtime/tensor/tensor.hpp"

#include "runtime/base/fail.hpp"

#include <fmt/ranges.h>

#include <cstring>

namespace shoal {

std::string to_string(const tensor_type& type) {
  return std::string(to_string(type.type)) + to_string(type.dims);
}

result<std::int64_t> checked_element_count(std::span<const std::int64_t> dims) {
  constexpr std::int64_t cap = std::int64_t{1} << 43; // 2^46 bytes of 8-byte elements
  std::int64_t count = 1;
  bool has_zero = false;
  for (const auto extent : dims) {
    if (extent < 0)
      return fail(errc::malformed, "shape [{}] has the negative extent {}", fmt::join(dims, ","),
                  extent);
    if (extent == 0) {
      has_zero = true;
      continue;
    }
    if (count > cap / extent)
      return fail(errc::malformed, "shape [{}] overflows: more than 2^43 elements",
                  fmt::join(dims, ","));
    count *= extent;
  }
  return has_zero ? 0 : count;
}

tensor::tensor(tensor_type type, storage_ptr bytes, std::size_t offset, layout format)
    : type_(type), bytes_(std::move(bytes)), offset_(offset), format_(format) {
  assert(bytes_ && offset_ <= bytes_->size() && byte_size() <= bytes_->size() - offset_);
}

result<tensor> tensor::allocate(const tensor_type& type, buffer_pool& pool, layout format) {
  SHOAL_CHECK(checked_element_count(type.dims.span()));
  const auto size =
      static_cast<std::size_t>(stored_elements(type.dims, format)) * size_of(type.type);
  auto bytes = pool.take(size);
  if (!bytes)
    return fail(errc::resource_exhausted, "no memory for {} ({} bytes)", to_string(type), size);
  return tensor(type, std::move(bytes), 0, format);
}

tensor tensor::reshaped(const shape& dims) const {
  assert(dims.element_count() == element_count());
  assert(format_ == layout::plain || dims == type_.dims);
  tensor t = *this;
  t.type_.dims = dims;
  return t;
}

tensor tensor::clone() const {
  tensor copy(type_, allocate_storage(byte_size()), 0, format_);
  if (byte_size() > 0) std::memcpy(copy.mutable_data(), data(), byte_size());
  return copy;
}

bool identical(const tensor& a, const tensor& b) {
  if (a.type() != b.type() || a.format() != b.format()) return false;
  return a.byte_size() == 0 || std::memcmp(a.data(), b.data(), a.byte_size()) == 0;
}

} // namespace shoal
