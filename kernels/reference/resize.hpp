#pragma once

#include "kernels/resize_table.hpp"
#include "kernels/view.hpp"

#include <span>

namespace shoal::reference {

/// Every output element is the weighted sum, in double, over the taps of all axes; `tables` has one
/// per axis. Where every table has one tap the element is copied; where it lies outside along any
/// axis it is `outside`.
void resize(std::span<const resize_table> tables, double outside, const const_view& in,
            const view& out);

} // namespace shoal::reference
