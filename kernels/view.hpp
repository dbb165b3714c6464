#pragma once

#include "kernels/dtype.hpp"
#include "kernels/shape.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shoal {

/// How the elements of a tensor lie in memory. Everything but `plain` exists only between kernels:
/// within a session, or from one session to the next.
enum class layout : std::uint8_t {
  plain = 0,         ///< dense row-major
  channels_last = 1, ///< axis 1 innermost (NHWC)
  blocked_8 = 2,     ///< axis 1 in blocks of 8, the block innermost (nChw8c); padded with zeros
  blocked_16 = 3     ///< axis 1 in blocks of 16, the block innermost (nChw16c); padded with zeros
};

std::string_view to_string(layout format);

/// Channels in a block; 1 where they are not in blocks.
std::int64_t channel_block(layout format);

/// Elements that a tensor occupies in `format`, padding of blocked channels included.
std::int64_t stored_elements(const shape& dims, layout format);

/// A tensor that someone else owns and a kernel reads. Aligned to at least the element size.
struct const_view {
  const void* data = nullptr;
  dtype type = dtype::f32;
  layout format = layout::plain;
  shape dims;

  /// Elements as `T`, which the caller knows to be the type of `type`.
  template <class T>
  const T* as() const {
    return static_cast<const T*>(data);
  }
  std::int64_t element_count() const { return dims.element_count(); }
};

/// A tensor that someone else owns and a kernel writes.
struct view {
  void* data = nullptr;
  dtype type = dtype::f32;
  layout format = layout::plain;
  shape dims;

  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  std::int64_t element_count() const { return dims.element_count(); }
  operator const_view() const { return {data, type, format, dims}; }
};

} // namespace shoal
