#pragma once

#include "tests/runtime/operators/known_values.hpp"

/// What tests of quantised operators are made of.
namespace shoal::test {

using bytes = std::vector<std::uint8_t>;
using signed_bytes = std::vector<std::int8_t>;

inline tensor scalar(float value) {
  return tensor::of<float>({}, {value});
}

/// Known before the first run, as are weights.
inline node_input fixed(tensor value) {
  return {std::move(value), true};
}

/// A zero point.
template <class T>
node_input zero(int value) {
  return {tensor::of<T>({}, {static_cast<T>(value)}), true};
}

/// Of uint8 or int8.
inline tensor random_bytes(dtype type, const shape& dims, std::uint64_t seed) {
  return type == dtype::u8 ? random_tensor({type, dims}, seed, 0, 256)
                           : random_tensor({type, dims}, seed, -128, 128);
}

} // namespace shoal::test
