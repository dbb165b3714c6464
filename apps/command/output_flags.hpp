#pragma once

#include "apps/command/image_flags.hpp"
#include "apps/command/tensor_file.hpp"
#include "runtime/image/recipe.hpp"
#include "runtime/tensor/tensor.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// An output and where it goes.
struct destination {
  std::size_t output = 0;
  std::filesystem::path file;
  tensor_format format = tensor_format::npy;
};

/// The flags that say what becomes of outputs: files, the best classes, or a description.
struct output_flags {
  picture_flags pictures;
  std::vector<std::string> files; ///< "[NAME=]FILE"
  std::optional<tensor_format> format;
  std::size_t top = 0;
  std::filesystem::path labels;
  bool softmax = false;

  void add_to(CLI::App& command);
  /// Once all flags are known: throws `CLI::ValidationError` if standard output would get two
  /// things.
  void check_usage() const;
  /// Where the outputs called `names` go: before `whose` work begins ("model"), so that none is
  /// lost to a misspelt name.
  result<std::vector<destination>> find(std::string_view whose,
                                        std::span<const std::string> names) const;
  /// Lets a recipe say what the first output means: a tensor takes its place, classes are printed
  /// as tables, and pictures look as it says.
  result<void> follow(const recipe& how, tensor& output,
                      std::span<const image_placement> placements);
  /// Writes and prints what was asked for.
  result<void> deliver(std::span<const destination> destinations,
                       std::span<const std::string> names, std::span<const tensor> outputs) const;

 private:
  std::string tables_; ///< of the classes that a recipe has found
};

} // namespace shoal
