#pragma once

#include "runtime/tensor/image_tensor.hpp"

#include <CLI/CLI.hpp>

#include <optional>

namespace shoal {

/// The flags that say how pictures become inputs.
struct image_flags {
  image_input_options options;
  std::optional<float> scale; ///< default: 1/255, or 1 for a model that takes bytes

  void add_to(CLI::App& command);
  /// For an input of type `type`.
  image_input_options for_type(dtype type) const;
};

/// The flags that say how outputs become pictures.
struct picture_flags {
  image_output_options options;

  void add_to(CLI::App& command);
};

} // namespace shoal
