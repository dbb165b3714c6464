#pragma once

#include "kernels/half.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace shoal {

/// Element types of tensors. The values are part of the wire format: append, never renumber.
enum class dtype : std::uint8_t {
  f32 = 0,     ///< IEEE 754 binary32
  f64 = 1,     ///< IEEE 754 binary64
  f16 = 2,     ///< IEEE 754 binary16
  bf16 = 3,    ///< the upper half of a binary32
  i8 = 4,      ///< two's complement, as are all of i8 to i64
  i16 = 5,     ///< 16 bits
  i32 = 6,     ///< 32 bits
  i64 = 7,     ///< 64 bits
  u8 = 8,      ///< 8 bits, unsigned
  u16 = 9,     ///< 16 bits, unsigned
  u32 = 10,    ///< 32 bits, unsigned
  u64 = 11,    ///< 64 bits, unsigned
  boolean = 12 ///< one byte, 0 or 1
};

/// Number of enumerators of `dtype`.
inline constexpr int dtype_count = 13;

/// Bytes of one element.
constexpr std::size_t size_of(dtype type) {
  constexpr std::size_t sizes[dtype_count] = {4, 8, 2, 2, 1, 2, 4, 8, 1, 2, 4, 8, 1};
  return sizes[static_cast<int>(type)];
}

constexpr std::string_view to_string(dtype type) {
  constexpr std::string_view names[dtype_count] = {
      "float32", "float64", "float16", "bfloat16", "int8",   "int16", "int32",
      "int64",   "uint8",   "uint16",  "uint32",   "uint64", "bool"};
  return names[static_cast<int>(type)];
}

constexpr bool is_floating(dtype type) {
  return type == dtype::f32 || type == dtype::f64 || type == dtype::f16 || type == dtype::bf16;
}

/// The dtype that stands for the C++ type `T`.
template <class T>
constexpr dtype dtype_of() {
  if constexpr (std::is_same_v<T, float>)
    return dtype::f32;
  else if constexpr (std::is_same_v<T, double>)
    return dtype::f64;
  else if constexpr (std::is_same_v<T, half>)
    return dtype::f16;
  else if constexpr (std::is_same_v<T, bfloat16>)
    return dtype::bf16;
  else if constexpr (std::is_same_v<T, std::int8_t>)
    return dtype::i8;
  else if constexpr (std::is_same_v<T, std::int16_t>)
    return dtype::i16;
  else if constexpr (std::is_same_v<T, std::int32_t>)
    return dtype::i32;
  else if constexpr (std::is_same_v<T, std::int64_t>)
    return dtype::i64;
  else if constexpr (std::is_same_v<T, std::uint8_t>)
    return dtype::u8;
  else if constexpr (std::is_same_v<T, std::uint16_t>)
    return dtype::u16;
  else if constexpr (std::is_same_v<T, std::uint32_t>)
    return dtype::u32;
  else if constexpr (std::is_same_v<T, std::uint64_t>)
    return dtype::u64;
  else {
    static_assert(std::is_same_v<T, bool>, "no dtype stands for this type");
    return dtype::boolean;
  }
}

/// Calls `f(std::type_identity<T>{})` with the C++ type `T` that stands for `type`.
template <class F>
decltype(auto) visit_dtype(dtype type, F&& f) {
  switch (type) {
  case dtype::f32:
    return f(std::type_identity<float>{});
  case dtype::f64:
    return f(std::type_identity<double>{});
  case dtype::f16:
    return f(std::type_identity<half>{});
  case dtype::bf16:
    return f(std::type_identity<bfloat16>{});
  case dtype::i8:
    return f(std::type_identity<std::int8_t>{});
  case dtype::i16:
    return f(std::type_identity<std::int16_t>{});
  case dtype::i32:
    return f(std::type_identity<std::int32_t>{});
  case dtype::i64:
    return f(std::type_identity<std::int64_t>{});
  case dtype::u8:
    return f(std::type_identity<std::uint8_t>{});
  case dtype::u16:
    return f(std::type_identity<std::uint16_t>{});
  case dtype::u32:
    return f(std::type_identity<std::uint32_t>{});
  case dtype::u64:
    return f(std::type_identity<std::uint64_t>{});
  case dtype::boolean:
    break;
  }
  return f(std::type_identity<bool>{});
}

} // namespace shoal
