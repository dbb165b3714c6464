#pragma once

#include "kernels/dtype.hpp"

#include <cstdint>
#include <optional>

namespace shoal {

/// The element type that ONNX's TensorProto.DataType numbers so, as attributes like Cast's `to` do.
constexpr std::optional<dtype> dtype_of_onnx(std::int64_t number) {
  switch (number) {
  case 1:
    return dtype::f32;
  case 2:
    return dtype::u8;
  case 3:
    return dtype::i8;
  case 4:
    return dtype::u16;
  case 5:
    return dtype::i16;
  case 6:
    return dtype::i32;
  case 7:
    return dtype::i64;
  case 9:
    return dtype::boolean;
  case 10:
    return dtype::f16;
  case 11:
    return dtype::f64;
  case 12:
    return dtype::u32;
  case 13:
    return dtype::u64;
  case 16:
    return dtype::bf16;
  default:
    return std::nullopt;
  }
}

} // namespace shoal
