#include "runtime/aggregate/json_fields.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>
#include <set>

namespace shoal {

using nlohmann::json;

result<json> parse_json(std::string_view text, int max_depth) {
  std::vector<std::set<std::string>> keys; // of the objects that are open
  std::optional<error> broken;
  const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
    if (depth >= max_depth && !broken)
      broken =
          fail(errc::malformed, "more than {} arrays and objects lie within each other", max_depth);
    if (event == json::parse_event_t::object_start) keys.emplace_back();
    if (event == json::parse_event_t::object_end && !keys.empty()) keys.pop_back();
    if (event == json::parse_event_t::key && !keys.empty() &&
        !keys.back().insert(parsed.get<std::string>()).second && !broken)
      broken = fail(errc::malformed, "key '{}' is there twice", parsed.get<std::string>());
    return !broken; // false drops what was parsed, so that no depth can exhaust memory
  };
  try {
    auto document = json::parse(text, watch);
    if (broken) return *std::move(broken);
    return document;
  } catch (const json::exception& e) {
    if (broken) return *std::move(broken);
    return fail(errc::malformed, "not JSON: {}", e.what());
  }
}

error json_field::wrong(std::string_view what) const {
  return path_.empty() ? fail(errc::invalid_argument, "{}", what)
                       : fail(errc::invalid_argument, "{}: {}", path_, what);
}

error json_field::expected(std::string_view what) const {
  return wrong(fmt::format("expected {}, got {}", what, value_->type_name()));
}

result<void> json_field::check_keys(std::initializer_list<std::string_view> known) const {
  if (!value_->is_object()) return expected("an object");
  for (const auto& [key, value] : value_->items())
    if (std::ranges::find(known, key) == known.end())
      return wrong(fmt::format("unknown key '{}'; those known are {}", key,
                               fmt::join(known.begin(), known.end(), ", ")));
  return {};
}

result<json_field> json_field::at(std::string_view key) const {
  const auto found = value_->find(key);
  if (found == value_->end()) return wrong(fmt::format("key '{}' is missing", key));
  return json_field(*found, path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key));
}

result<std::vector<json_field>> json_field::elements() const {
  if (!value_->is_array()) return expected("an array");
  std::vector<json_field> all;
  for (std::size_t i = 0; i < value_->size(); ++i)
    all.emplace_back((*value_)[i], fmt::format("{}[{}]", path_, i));
  return all;
}

result<std::vector<std::pair<std::string, json_field>>> json_field::entries() const {
  if (!value_->is_object()) return expected("an object");
  std::vector<std::pair<std::string, json_field>> all;
  for (const auto& [key, value] : value_->items())
    all.emplace_back(key, json_field(value, fmt::format("{}.{}", path_, key)));
  return all;
}

result<std::string> json_field::text() const {
  if (!value_->is_string()) return expected("a string");
  auto text = value_->get<std::string>();
  if (text.empty()) return wrong("it is empty");
  return text;
}

result<double> json_field::number() const {
  if (!value_->is_number()) return expected("a number");
  const auto number = value_->get<double>();
  if (!std::isfinite(number)) return wrong("it is not finite");
  return number;
}

result<std::int64_t> json_field::integer(std::int64_t least, std::int64_t greatest) const {
  const auto range = fmt::format("a whole number in [{}, {}]", least, greatest);
  if (!value_->is_number_integer()) return expected(range);
  // Beyond int64, numbers are unsigned.
  const bool huge = value_->is_number_unsigned() && value_->get<std::uint64_t>() > INT64_MAX;
  if (huge || value_->get<std::int64_t>() < least || value_->get<std::int64_t>() > greatest)
    return wrong(fmt::format("expected {}, got {}", range, value_->dump()));
  return value_->get<std::int64_t>();
}

result<bool> json_field::boolean() const {
  if (!value_->is_boolean()) return expected("true or false");
  return value_->get<bool>();
}

} // namespace shoal
