#include "apps/command/named_words.hpp"

#include "runtime/base/fail.hpp"

#include <charconv>

namespace shoal {

named_words split_named(std::string_view text) {
  const auto at = text.find('=');
  if (at == std::string_view::npos) return {"", std::string(text)};
  return {std::string(text.substr(0, at)), std::string(text.substr(at + 1))};
}

std::string input_names(const graph& model) {
  std::string names;
  for (const auto id : model.inputs())
    names += fmt::format("{}'{}'", names.empty() ? "" : ", ", model.value(id).name);
  return names;
}

result<std::vector<std::optional<std::string>>>
assign_to_inputs(const graph& model, const std::vector<std::string>& arguments,
                 std::string_view option) {
  std::vector<std::optional<std::string>> assigned(model.inputs().size());
  for (const auto& argument : arguments) {
    auto [name, words] = split_named(argument);
    std::size_t at = 0;
    if (!name.empty()) {
      SHOAL_TRY(at, model.input_index(name));
    } else if (assigned.size() != 1) {
      return fail(errc::invalid_argument, "the model has {} inputs ({}): {} NAME=... says which",
                  assigned.size(), input_names(model), option);
    }
    if (assigned[at])
      return fail(errc::invalid_argument, "{} is given twice for input '{}'", option,
                  model.value(model.inputs()[at]).name);
    assigned[at] = std::move(words);
  }
  return assigned;
}

result<shape> parse_shape(std::string_view text) {
  shape dims;
  for (auto rest = text; !rest.empty();) {
    const auto digits = rest.substr(0, rest.find('x'));
    std::int64_t extent = -1;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), extent);
    const bool more = digits.size() < rest.size();
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + digits.size() || extent < 0 ||
        digits.size() + 1 == rest.size())
      return fail(errc::invalid_argument, "expected a shape like 1x3x224x224, got '{}'", text);
    if (dims.rank() == shape::max_rank)
      return fail(errc::invalid_argument, "'{}' has more than {} dimensions", text,
                  shape::max_rank);
    dims.push_back(extent);
    rest = more ? rest.substr(digits.size() + 1) : std::string_view();
  }
  SHOAL_CHECK(checked_element_count(dims.span()));
  return dims;
}

} // namespace shoal
