#pragma once

#include "kernels/resize_table.hpp"

#include <cstddef>

namespace shoal::kernels {

/// Resizes the rows and columns of `planes` images of in_rows x in_columns floats: first the rows
/// that an output row is made of are summed, then the columns. `scratch` holds `in_columns` floats
/// for each OpenMP thread of the caller, which are used when the work is large.
struct resize_extents {
  std::int64_t planes, in_rows, in_columns, out_rows, out_columns;
};
void resize(const resize_extents& extents, const resize_table& rows, const resize_table& columns,
            const float* in, float* out, float* scratch);

} // namespace shoal::kernels
