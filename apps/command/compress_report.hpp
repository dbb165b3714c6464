#pragma once

#include "runtime/compress/compare_models.hpp"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace shoal {

/// What `shoal compress` tells of its work.
struct compress_report {
  std::string method; ///< as in "int8"
  std::filesystem::path original, written;
  std::uint64_t original_bytes = 0, written_bytes = 0;
  std::size_t quantized_nodes = 0, quantized_values = 0;
  bool per_channel = true; ///< the weights of each output channel have a scale of their own
  double zeros_before = 0, zeros_after = 0; ///< shares of the weights
  /// On the inputs calibrated with, and on those that calibration has not seen.
  std::optional<model_comparison> calibration, held_out;
};

std::string compress_text(const compress_report& report);
std::string compress_json(const compress_report& report);

} // namespace shoal
