#pragma once

#include "runtime/image/recipe.hpp"

#include <CLI/CLI.hpp>

#include <filesystem>
#include <optional>

namespace shoal {

/// The flags that say which recipe a model's pictures and outputs follow: docs/recipes.md.
struct recipe_flags {
  std::filesystem::path file; ///< empty: that beside the model, if there is one
  bool none = false;

  void add_to(CLI::App& command);
  /// Says on stderr if it is one that nobody named.
  result<std::optional<recipe>> find(const std::filesystem::path& model) const;
};

/// Whether an option of that group was given: what the user says replaces what a recipe says.
bool uses_group(const CLI::App& command, std::string_view group);

} // namespace shoal
