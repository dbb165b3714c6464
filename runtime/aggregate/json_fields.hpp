#pragma once

#include "runtime/base/result.hpp"

#include <nlohmann/json.hpp>

#include <initializer_list>
#include <string>
#include <string_view>

namespace shoal {

/// JSON text whose objects have each key once; at most `max_depth` arrays and objects within each
/// other. `malformed` says where it breaks the rules.
result<nlohmann::json> parse_json(std::string_view text, int max_depth = 32);

/// A value of a JSON document and where it is, as in "members[1].weight": what errors begin with.
/// Views a document that outlives it.
class json_field {
 public:
  json_field(const nlohmann::json& value, std::string path)
      : value_(&value), path_(std::move(path)) {}

  const std::string& path() const { return path_; }
  const nlohmann::json& value() const { return *value_; }
  /// `invalid_argument` at this place.
  error wrong(std::string_view what) const;
  /// The same for a value that is of another type than `expected`.
  error expected(std::string_view what) const;

  /// Refuses what is not an object, and keys other than these.
  result<void> check_keys(std::initializer_list<std::string_view> known) const;
  bool has(std::string_view key) const { return value_->contains(key); }
  /// Of an object; fails without the key.
  result<json_field> at(std::string_view key) const;
  /// The elements of an array.
  result<std::vector<json_field>> elements() const;
  /// The keys and values of an object.
  result<std::vector<std::pair<std::string, json_field>>> entries() const;

  result<std::string> text() const; ///< not empty
  result<double> number() const;    ///< finite
  result<std::int64_t> integer(std::int64_t least, std::int64_t greatest) const;
  result<bool> boolean() const;

 private:
  const nlohmann::json* value_;
  std::string path_;
};

} // namespace shoal
