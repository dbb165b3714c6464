#pragma once

#include "kernels/view.hpp"
#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/tensor/buffer_pool.hpp"
#include "runtime/tensor/storage.hpp"

#include <cstdint>
#include <span>
#include <string>

namespace shoal {

/// Element type and extents: all that is known of a tensor before it exists.
struct tensor_type {
  dtype type = dtype::f32;
  shape dims;

  friend bool operator==(const tensor_type&, const tensor_type&) = default;
};

/// As in "float32[1,3,224,224]".
std::string to_string(const tensor_type& type);

/// The product of `dims`; an error for a negative extent or a product (or its size in bytes, for
/// 8-byte elements) beyond 2^46. Call it before allocating by a shape that came from outside.
result<std::int64_t> checked_element_count(std::span<const std::int64_t> dims);

/// A dense array with shared ownership of its bytes. Copying shares; nothing copies the elements
/// but `clone`. Once a tensor is shared it is read-only by convention.
///
/// Row-major unless `format()` says otherwise. Only a session that was asked for it makes tensors
/// of other formats, for the next session: nobody else may see them.
class tensor {
 public:
  tensor() = default;
  /// `bytes` holds at least the elements of `type`, starting at `offset`.
  tensor(tensor_type type, storage_ptr bytes, std::size_t offset = 0,
         layout format = layout::plain);

  /// Not initialised. Fails if the shape is absurd or memory is short.
  static result<tensor> allocate(const tensor_type& type, buffer_pool& pool = buffer_pool::shared(),
                                 layout format = layout::plain);
  /// A copy of `values`, whose count must fit `dims`.
  template <class T>
  static tensor of(const shape& dims, std::span<const T> values);
  template <class T>
  static tensor of(const shape& dims, std::initializer_list<T> values) {
    return of(dims, std::span<const T>(values.begin(), values.size()));
  }

  bool empty() const { return !bytes_; }
  const tensor_type& type() const { return type_; }
  dtype element_type() const { return type_.type; }
  const shape& dims() const { return type_.dims; }
  std::int64_t element_count() const { return type_.dims.element_count(); }
  layout format() const { return format_; }
  /// Bytes of the elements, and of the padding that `format()` asks for.
  std::size_t byte_size() const {
    return static_cast<std::size_t>(stored_elements(type_.dims, format_)) * size_of(type_.type);
  }

  const std::byte* data() const { return bytes_ ? bytes_->data() + offset_ : nullptr; }
  std::byte* mutable_data() { return bytes_ ? bytes_->data() + offset_ : nullptr; }
  byte_span bytes() const { return {data(), byte_size()}; }
  /// The elements; `T` must be the type of the tensor.
  template <class T>
  std::span<const T> values() const {
    assert(dtype_of<T>() == type_.type && format_ == layout::plain);
    return {reinterpret_cast<const T*>(data()), static_cast<std::size_t>(element_count())};
  }
  template <class T>
  std::span<T> mutable_values() {
    assert(dtype_of<T>() == type_.type && format_ == layout::plain);
    return {reinterpret_cast<T*>(mutable_data()), static_cast<std::size_t>(element_count())};
  }

  /// The same bytes under another shape of equal element count; that of a plain tensor.
  tensor reshaped(const shape& dims) const;
  tensor clone() const;
  const storage_ptr& bytes_owner() const { return bytes_; }
  std::size_t byte_offset() const { return offset_; }

  operator const_view() const { return {data(), type_.type, format_, type_.dims}; }
  view mutable_view() { return {mutable_data(), type_.type, format_, type_.dims}; }

 private:
  tensor_type type_;
  storage_ptr bytes_;
  std::size_t offset_ = 0;
  layout format_ = layout::plain;
};

/// Type, shape, format and every byte agree (so NaNs compare by their bits).
bool identical(const tensor& a, const tensor& b);

template <class T>
tensor tensor::of(const shape& dims, std::span<const T> values) {
  assert(static_cast<std::size_t>(dims.element_count()) == values.size());
  tensor t({dtype_of<T>(), dims}, allocate_storage(values.size() * sizeof(T)));
  auto* out = reinterpret_cast<T*>(t.mutable_data());
  for (std::size_t i = 0; i < values.size(); ++i) out[i] = values[i];
  return t;
}

} // namespace shoal
