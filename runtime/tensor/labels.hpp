#pragma once

#include "runtime/tensor/tensor.hpp"

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace shoal {

/// The names of a classifier's classes, one per line of a text file, in the order of its outputs.
/// Line ends of either kind; at most 16 MiB.
result<std::vector<std::string>> read_labels(const std::filesystem::path& path);

struct scored_class {
  std::int64_t index = 0;
  double score = 0;
  std::string label; ///< empty where there is none

  friend bool operator==(const scored_class&, const scored_class&) = default;
};

enum class score_transform : std::uint8_t {
  none,
  softmax ///< over all scores, in double precision: exp(s - max) / sum
};

/// The `count` best of the scores in a floating-point tensor of one item (all extents but one are
/// 1), best first; equal scores in the order of their index, NaN after everything else.
result<std::vector<scored_class>> top_classes(const tensor& scores, std::size_t count,
                                              std::span<const std::string> labels = {},
                                              score_transform transform = score_transform::none);

} // namespace shoal
