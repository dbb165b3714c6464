#pragma once

#include "kernels/shape.hpp"

#include <array>
#include <cstdint>
#include <initializer_list>

namespace shoal {

/// Nested loops over the elements of up to four operands, each with a stride, in elements, per
/// loop; outermost first. A stride of 0 repeats (broadcasts) the operand, a negative one walks it
/// backwards.
class loop_nest {
 public:
  static constexpr int max_depth = 2 * shape::max_rank;
  static constexpr int max_operands = 4;

  explicit loop_nest(int operands) : operands_(operands) {}

  void push(std::int64_t extent, std::initializer_list<std::int64_t> strides);
  void push(std::int64_t extent, const std::array<std::int64_t, max_operands>& strides);
  /// Drops loops of one iteration and fuses neighbours that all operands walk in one stride. The
  /// order of the iterations stays. At least one loop remains.
  void merge();

  int depth() const { return depth_; }
  int operands() const { return operands_; }
  std::int64_t extent(int loop) const { return extents_[static_cast<std::size_t>(loop)]; }
  std::int64_t stride(int operand, int loop) const {
    return strides_[static_cast<std::size_t>(loop)][static_cast<std::size_t>(operand)];
  }
  /// Iterations of the loops [first, last).
  std::int64_t iterations(int first, int last) const;
  std::int64_t iterations() const { return iterations(0, depth_); }

 private:
  int operands_;
  int depth_ = 0;
  std::array<std::int64_t, max_depth> extents_{};
  std::array<std::array<std::int64_t, max_operands>, max_depth> strides_{};
};

/// A position in the outer `depth` loops of a nest: the offset of every operand, in elements.
class loop_position {
 public:
  /// The iteration `index`, counted from the start.
  loop_position(const loop_nest& nest, int depth, std::int64_t index);
  std::int64_t operator[](int operand) const { return offsets_[static_cast<std::size_t>(operand)]; }
  void next();

 private:
  const loop_nest& nest_;
  int depth_;
  std::array<std::int64_t, loop_nest::max_depth> index_{};
  std::array<std::int64_t, loop_nest::max_operands> offsets_{};
};

/// Strides with which a dense row-major tensor of extents `dims` is read as `target`, whose extents
/// it is broadcast to by NumPy's rule (aligned on the right; an extent of 1 is repeated).
shape broadcast_strides(const shape& dims, const shape& target);

} // namespace shoal
