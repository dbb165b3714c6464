#pragma once

#include "kernels/view.hpp"

#include <cstdint>

/// Gathering and scattering of single elements and of slices by tensors of indices (int32 or int64;
/// negative ones count from the end). `kernel_error` when an index is out of range.
namespace shoal::reference {

/// How a scattered element joins the one that is there.
enum class scatter_mode : std::uint8_t { replace, add, mul, max, min };

/// out[i, j, ...] = in[..., indices[i, j, ...] in place of the index along `axis`, ...].
void gather_elements(int axis, const const_view& in, const const_view& indices, const view& out);

/// The slice of `in` at each row of `indices`, whose last axis indexes the axes of `in` from
/// `batch_axes` on; the first `batch_axes` axes are those of both.
void gather_nd(int batch_axes, const const_view& in, const const_view& indices, const view& out);

/// out = in, then out[..., indices[i, j, ...], ...] takes updates[i, j, ...], in row-major order.
void scatter_elements(scatter_mode mode, int axis, const const_view& in, const const_view& indices,
                      const const_view& updates, const view& out);

/// out = in, then the slice of `out` at each row of `indices` takes that of `updates`.
void scatter_nd(scatter_mode mode, const const_view& in, const const_view& indices,
                const const_view& updates, const view& out);

} // namespace shoal::reference
