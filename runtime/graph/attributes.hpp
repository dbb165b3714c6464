#pragma once

#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace shoal {

class graph;

/// A graph that a node runs (If, Loop, Scan). It sees the values of the graphs around it; those it
/// reads are inputs of its own behind the ones that the operator gives it, and inputs of the node.
struct graph_body {
  std::shared_ptr<const graph> code;
  /// For each of the last inputs of `code`: which input of the node it is.
  std::vector<std::size_t> captured;
};

/// The value of one attribute of a node, in ONNX's kinds.
using attribute = std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>,
                               std::vector<float>, std::vector<std::string>, tensor, graph_body>;

/// The attributes of a node, by name; defaults are not filled in. Small, so a sorted vector.
class attributes {
 public:
  void set(std::string name, attribute value);
  void erase(std::string_view name);
  /// Null when there is none of that name and kind.
  template <class T>
  const T* get(std::string_view name) const {
    const attribute* found = find(name);
    return found == nullptr ? nullptr : std::get_if<T>(found);
  }
  const attribute* find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }

  std::int64_t get_int(std::string_view name, std::int64_t fallback) const;
  float get_float(std::string_view name, float fallback) const;
  std::string_view get_string(std::string_view name, std::string_view fallback) const;
  /// Empty when absent.
  std::span<const std::int64_t> get_ints(std::string_view name) const;

  const std::vector<std::pair<std::string, attribute>>& entries() const { return entries_; }

 private:
  std::vector<std::pair<std::string, attribute>> entries_;
};

} // namespace shoal
