#pragma once

#include <array>
#include <cassert>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

namespace shoal {

/// The extents of a tensor, outermost first; also used for strides, pads and axes. Lives without
/// heap memory. Rank 0 is a scalar. Extents are >= 0; whoever reads them from outside checks that,
/// and the product, with `checked_element_count` (runtime/tensor) before relying on either.
class shape {
 public:
  /// Tensors of a higher rank are refused at import.
  static constexpr int max_rank = 8;

  constexpr shape() = default;
  constexpr shape(std::initializer_list<std::int64_t> extents)
      : shape(std::span<const std::int64_t>(extents.begin(), extents.size())) {}
  constexpr explicit shape(std::span<const std::int64_t> extents)
      : rank_(static_cast<int>(extents.size())) {
    assert(extents.size() <= max_rank);
    for (int i = 0; i < rank_; ++i) extents_[i] = extents[i];
  }
  /// `rank` extents, all `value`.
  static constexpr shape filled(int rank, std::int64_t value) {
    shape s;
    for (int i = 0; i < rank; ++i) s.push_back(value);
    return s;
  }

  constexpr int rank() const { return rank_; }
  constexpr bool empty() const { return rank_ == 0; }
  constexpr std::int64_t& operator[](int axis) {
    assert(axis >= 0 && axis < rank_);
    return extents_[axis];
  }
  constexpr std::int64_t operator[](int axis) const {
    assert(axis >= 0 && axis < rank_);
    return extents_[axis];
  }
  constexpr void push_back(std::int64_t extent) {
    assert(rank_ < max_rank);
    extents_[rank_++] = extent;
  }
  constexpr const std::int64_t* begin() const { return extents_.data(); }
  constexpr const std::int64_t* end() const { return extents_.data() + rank_; }
  constexpr std::int64_t* begin() { return extents_.data(); }
  constexpr std::int64_t* end() { return extents_.data() + rank_; }
  constexpr std::span<const std::int64_t> span() const {
    return {extents_.data(), static_cast<std::size_t>(rank_)};
  }

  /// The product of all extents; 1 for a scalar. Overflow is the caller's business.
  constexpr std::int64_t element_count() const { return element_count(0, rank_); }
  /// The product of the extents of the axes [first, last).
  constexpr std::int64_t element_count(int first, int last) const {
    std::int64_t n = 1;
    for (int i = first; i < last; ++i) n *= extents_[i];
    return n;
  }
  /// Distance, in elements, between neighbours along each axis of a dense row-major tensor.
  constexpr shape dense_strides() const {
    shape strides = *this;
    std::int64_t step = 1;
    for (int i = rank_ - 1; i >= 0; --i) {
      strides.extents_[i] = step;
      step *= extents_[i];
    }
    return strides;
  }

  friend constexpr bool operator==(const shape& a, const shape& b) {
    if (a.rank_ != b.rank_) return false;
    for (int i = 0; i < a.rank_; ++i)
      if (a.extents_[i] != b.extents_[i]) return false;
    return true;
  }

 private:
  std::array<std::int64_t, max_rank> extents_{};
  int rank_ = 0;
};

/// As in "[1,3,224,224]".
std::string to_string(const shape& extents);

} // namespace shoal
