#include "apps/command/help_format.hpp"

#include <algorithm>

namespace shoal {
namespace {

/// `type` is the type's name, and after a colon what a check says of itself.
std::string readable(std::string type) {
  const auto colon = type.find(':');
  auto check = colon == std::string::npos ? std::string() : type.substr(colon + 1);
  type = type.substr(0, colon);
  if (const auto range = check.find(" in ["); range != std::string::npos) {
    auto limits = check.substr(range + 5, check.size() - range - 6);
    const auto dash = limits.find(" - ");
    return dash == std::string::npos ? limits : limits.replace(dash, 3, "..");
  }
  if (check.starts_with('{')) {
    std::ranges::replace(check, ',', '|');
    return check.substr(1, check.size() - 2);
  }
  if (check.starts_with("SIZE")) return "SIZE";
  const bool number = type == "INT" || type == "UINT" || type == "FLOAT";
  return number ? "NUMBER" : type;
}

std::string names_of(const std::set<CLI::Option*>& options) {
  std::string names;
  for (const auto* one : options) names += " " + one->get_name();
  return names;
}

} // namespace

std::string help_format::make_option_opts(const CLI::Option* option) const {
  std::string text;
  if (option->get_type_size() != 0) {
    text += " " + readable(option->get_type_name());
    if (!option->get_default_str().empty()) text += "=" + option->get_default_str();
    if (option->get_expected_max() == CLI::detail::expected_max_vector_size) text += " ...";
    if (option->get_required()) text += " (required)";
  }
  if (!option->get_needs().empty()) text += " (with" + names_of(option->get_needs()) + ")";
  if (!option->get_excludes().empty())
    text += " (not with" + names_of(option->get_excludes()) + ")";
  return text;
}

} // namespace shoal
