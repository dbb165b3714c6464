#pragma once

#include "runtime/tensor/image.hpp"

namespace shoal {

/// The two decoders behind `decode_image`; each expects its own format.
result<image> decode_png(byte_span bytes, std::uint64_t max_pixels);
result<image> decode_jpeg(byte_span bytes, std::uint64_t max_pixels);

} // namespace shoal
