#pragma once

#include "runtime/base/bytes.hpp"

namespace shoal {

/// An ONNX model: super-resolution ×2 of RGB photographs, input "image" and output "upscaled", both
/// float32 NCHW in [0,1] with open N, H and W. See README.md here.
byte_span builtin_model();

/// A photograph, as a PNG file.
byte_span builtin_photo();

} // namespace shoal
