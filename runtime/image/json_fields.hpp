#pragma once

#include "runtime/base/fail.hpp"
#include "runtime/base/result.hpp"

#include <nlohmann/json.hpp>

#include <cmath>
#include <concepts>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shoal {

/// A value of untrusted JSON as a message shows it: not too much of it.
inline std::string shown(const nlohmann::json& value) {
  auto text = value.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (text.size() > 60) text = text.substr(0, 57) + "...";
  return text;
}

/// The fields of an object in untrusted JSON, read one by one by those who know them; what nobody
/// knew is an error. Every message begins with the JSON path of what it is about.
class json_fields {
 public:
  static result<json_fields> of(const nlohmann::json& value, std::string path) {
    if (!value.is_object())
      return fail(errc::malformed, "{}: expected an object, got {}", path, shown(value));
    return json_fields(value, std::move(path));
  }

  const std::string& path() const { return path_; }
  std::string path_of(std::string_view name) const { return fmt::format("{}.{}", path_, name); }

  /// Null if it is not there.
  const nlohmann::json* find(const char* name) {
    known_.insert(name);
    const auto found = object_->find(name);
    return found == object_->end() ? nullptr : &*found;
  }

  bool has(const char* name) { return find(name) != nullptr; }

  /// Unchanged if it is not there.
  result<void> read(const char* name, int& to, int least, int most) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    // An integer beyond 64 bits is a floating-point number here.
    const auto inside = [&](auto number) {
      return std::cmp_greater_equal(number, least) && std::cmp_less_equal(number, most);
    };
    if (!value->is_number_integer() ||
        !(value->is_number_unsigned() ? inside(value->get<std::uint64_t>())
                                      : inside(value->get<std::int64_t>())))
      return fail(errc::malformed, "{}: expected an integer from {} to {}, got {}", path_of(name),
                  least, most, shown(*value));
    to = value->get<int>();
    return {};
  }

  result<void> require(const char* name, int& to, int least, int most) {
    if (has(name)) return read(name, to, least, most);
    return fail(errc::malformed, "{}: expected '{}', an integer from {} to {}", path_, name, least,
                most);
  }

  result<void> read(const char* name, bool& to) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_boolean())
      return fail(errc::malformed, "{}: expected true or false, got {}", path_of(name),
                  shown(*value));
    to = value->get<bool>();
    return {};
  }

  result<void> read(const char* name, float& to) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    return number(*value, path_of(name), to);
  }

  result<void> read(const char* name, std::string& to) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    if (!value->is_string())
      return fail(errc::malformed, "{}: expected a string, got {}", path_of(name), shown(*value));
    to = value->get<std::string>();
    return {};
  }

  /// One of a few words.
  template <class Value, class Words>
  result<void> read(const char* name, Value& to, const Words& words) {
    const auto* value = find(name);
    if (value == nullptr) return {};
    std::vector<std::string> quoted;
    for (const auto& [word, meaning] : words) {
      quoted.push_back(fmt::format("\"{}\"", word));
      if (!value->is_string() || value->get_ref<const std::string&>() != word) continue;
      to = meaning;
      return {};
    }
    return fail(errc::malformed, "{}: expected one of {}, got {}", path_of(name),
                fmt::join(quoted, ", "), shown(*value));
  }

  /// After everything known was asked for.
  result<void> check_rest() const {
    for (const auto& [name, value] : object_->items())
      if (!known_.contains(name))
        return fail(errc::malformed, "{}: unknown key {}; known are {}", path_,
                    shown(nlohmann::json(name)), fmt::join(known_, ", "));
    return {};
  }

  static result<void> number(const nlohmann::json& value, const std::string& path, float& to) {
    if (value.is_number()) to = value.get<float>();
    if (value.is_number() && std::isfinite(to)) return {};
    return fail(errc::malformed, "{}: expected a number, got {}", path, shown(value));
  }

 private:
  json_fields(const nlohmann::json& object, std::string path)
      : object_(&object), path_(std::move(path)) {}

  const nlohmann::json* object_;
  std::string path_;
  std::set<std::string> known_;
};

} // namespace shoal
