#include "apps/command/recipe_flags.hpp"

#include <algorithm>
#include <cstdio>

namespace shoal {

void recipe_flags::add_to(CLI::App& command) {
  constexpr const char* group = "Recipe";
  auto* named =
      command.add_option("--recipe", file,
                         "How pictures are prepared and what the output means, as JSON; default: "
                         "MODEL.recipe.json beside MODEL.onnx, where there is one. Flags for "
                         "pictures as inputs replace all that it says of the input, those for "
                         "outputs as pictures and for classes all that it says of the output");
  named->type_name("FILE")->group(group);
  command.add_flag("--no-recipe", none, "Leave the recipe beside the model alone")
      ->excludes(named)
      ->group(group);
}

result<std::optional<recipe>> recipe_flags::find(const std::filesystem::path& model) const {
  if (none) return std::optional<recipe>();
  const auto path = file.empty() ? recipe_path_for(model) : file;
  std::error_code unknown;
  if (file.empty() && !std::filesystem::exists(path, unknown)) return std::optional<recipe>();
  SHOAL_TRY(auto found, read_recipe(path));
  if (file.empty()) std::fprintf(stderr, "following the recipe %s\n", path.c_str());
  return std::optional<recipe>(std::move(found));
}

bool uses_group(const CLI::App& command, std::string_view group) {
  return std::ranges::any_of(command.get_options(), [&](const CLI::Option* option) {
    return option->get_group() == group && option->count() > 0;
  });
}

} // namespace shoal
