#pragma once

#include "kernels/resize_table.hpp"

#include <cstddef>

namespace shoal::kernels {

/// Images of in_rows x in_columns pixels, each of `lanes` neighbouring floats: one where channels
/// are planes of their own, a block of channels or all of them in other layouts.
struct resize_extents {
  std::int64_t planes, in_rows, in_columns, out_rows, out_columns, lanes;
};

/// First the rows that an output row is made of are summed, then the columns, whatever `lanes` is:
/// the layout does not change a bit. `scratch` holds `in_columns * lanes` floats for each OpenMP
/// thread of the caller, which are used when the work is large.
void resize(const resize_extents& extents, const resize_table& rows, const resize_table& columns,
            const float* in, float* out, float* scratch);

} // namespace shoal::kernels
