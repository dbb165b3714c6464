// Feeds bytes to the decoders of tensor and image files: no input may crash them, and what they
// accept must be consistent. The first byte selects the format.

#include "runtime/tensor/image.hpp"
#include "runtime/tensor/npy.hpp"
#include "runtime/tensor/tensor_proto.hpp"

#include <cstdlib>

namespace {

using namespace shoal;

constexpr std::uint64_t max_pixels = 1 << 20;

void require(bool holds) {
  if (!holds) std::abort();
}

void try_npy(byte_span bytes) {
  const auto values = decode_npy(bytes);
  if (!values) return;
  const auto encoded = encode_npy(*values);
  require(encoded.has_value());
  const auto again = decode_npy(*encoded);
  require(again && identical(*again, *values));
}

void try_tensor_proto(byte_span bytes) {
  const auto values = decode_tensor_proto(bytes);
  if (values) require(identical(*values, values->clone()));
}

void try_image(byte_span bytes) {
  const auto picture = decode_image(bytes, max_pixels);
  if (picture) require(check_image(*picture).has_value());
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const byte_span bytes{reinterpret_cast<const std::byte*>(data) + 1, size - 1};
  switch (data[0] % 3) {
  case 0:
    try_npy(bytes);
    break;
  case 1:
    try_tensor_proto(bytes);
    break;
  default:
    try_image(bytes);
    break; // PNG and JPEG, told apart by content
  }
  return 0;
}
