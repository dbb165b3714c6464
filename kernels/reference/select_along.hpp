#pragma once

#include "kernels/view.hpp"

#include <cstdint>

/// Operations along one axis of a tensor [outer][axis][inner].
namespace shoal::reference {

struct axis_extents {
  std::int64_t outer, axis, inner;
};

/// out[o][i] = where in[o][...][i] is largest (or smallest); the first of several, or the last.
void arg_extremum(bool largest, bool last, const axis_extents& extents, const const_view& in,
                  std::int64_t* out);

/// Running sums; `exclusive` ones leave out the element itself, `reverse` ones run from the end.
/// Integers wrap around, halves accumulate in float.
void cumulative_sum(bool exclusive, bool reverse, const axis_extents& extents, const const_view& in,
                    const view& out);

/// The `k` largest (or smallest) elements, in descending (ascending) order, equal ones in theirs,
/// and where they were (not, if `indices` is null). NaN counts as larger than every number.
/// `scratch` holds `extents.axis` indices.
void top_k(bool largest, std::int64_t k, const axis_extents& extents, const const_view& in,
           const view& values, std::int64_t* indices, std::int64_t* scratch);

} // namespace shoal::reference
