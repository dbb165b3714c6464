#pragma once

#include "kernels/resize_table.hpp"
#include "kernels/view.hpp"

namespace shoal::reference {

/// What lies outside of the image: zeros, the nearest pixel, or the image mirrored.
enum class sample_padding : std::uint8_t { zeros, border, reflection };

struct grid_sample_rule {
  interpolation mode = interpolation::linear; ///< cubic: Keys' with a = -0.75
  sample_padding padding = sample_padding::zeros;
  bool align_corners = false; ///< -1 and 1 are the centres of the outermost pixels, not their edges
};

/// y[n,c,o...] is x[n,c] at the place grid[n,o...,:], whose coordinates run from -1 to 1 and come
/// in the order of the axes from last to first. x is [N,C,spatial...] with up to 3 spatial axes,
/// none of them empty. Floating types, plain; the grid may be of another one; sums are of doubles.
/// A coordinate that is no number lies far outside.
void grid_sample(const grid_sample_rule& rule, const const_view& x, const const_view& grid,
                 const view& y);

} // namespace shoal::reference
