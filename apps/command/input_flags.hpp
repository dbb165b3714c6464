#pragma once

#include "apps/command/image_flags.hpp"
#include "runtime/graph/graph.hpp"
#include "runtime/image/recipe.hpp"

#include <CLI/CLI.hpp>

#include <optional>
#include <string>
#include <vector>

namespace shoal {

/// The flags that say which tensors, or which shapes, go into a model.
struct input_flags {
  image_flags pictures;
  std::vector<std::string> files;  ///< "[NAME=]FILE"
  std::vector<std::string> shapes; ///< "[NAME=]1x3x224x224"
  std::optional<recipe> how;       ///< instead of `pictures`

  /// --input and what belongs to pictures.
  void add_to(CLI::App& command);
  /// --shape, too.
  void add_with_shapes_to(CLI::App& command);

  /// Every input of the model from its file, in the model's order, fit for the model. `placements`
  /// get those of the last picture that was prepared by a recipe.
  result<std::vector<tensor>> read(const graph& model,
                                   std::vector<image_placement>* placements = nullptr) const;
  /// Every input of the model: from its file, or made up: floating point even in [0, 1), bytes
  /// of any value, other integers 0, by the shape said, or the declared one with what is open
  /// taken as 1 on the first axis and 224 on the others.
  result<std::vector<tensor>> read_or_make(const graph& model, std::uint64_t seed) const;
  /// The types of the inputs; empty when nothing was said: the planner then guesses.
  result<std::vector<tensor_type>> types(const graph& model) const;

 private:
  result<tensor> read_input(const graph_value& input, const std::string& file,
                            std::vector<image_placement>* placements = nullptr) const;
};

} // namespace shoal
