#pragma once

#include "runtime/graph/rewrite_editor.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace shoal {

/// The shapes of a graph's values while open extents of its inputs are only symbols: an extent is a
/// number, a declared symbol, or a term that names how it was computed from others. Equal terms are
/// equal extents whatever the inputs will be. Knows the operators of image networks; what others
/// give is unknown.
class symbolic_shapes {
 public:
  explicit symbolic_shapes(const graph_editor& g);

  /// Whether both have provably the same shape for all inputs that the graph accepts.
  bool same(value_id a, value_id b) const;

 private:
  /// A number if not negative, else the symbol of index -1 - extent.
  using extent = std::int64_t;
  using extents = std::optional<std::vector<extent>>;

  extent term(const std::string& text);
  extents declared(value_id id);
  extents of_node(std::size_t n);
  extents of_convolution(std::size_t n, std::vector<extent> x);
  extents of_pool(std::size_t n, std::vector<extent> x);
  extents of_binary(std::size_t n) const;
  extents of_concat(std::size_t n);
  extents of_resize(std::size_t n, std::vector<extent> x);
  bool slide(std::size_t n, std::vector<extent>& x, std::vector<std::int64_t> kernel);
  const extents& at(value_id id) const;

  const graph_editor& g_;
  std::vector<extents> shapes_; ///< one per value
  std::map<std::string, extent> symbols_;
};

} // namespace shoal
