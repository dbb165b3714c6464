#pragma once

#include "runtime/aggregate/element_values.hpp"

#include <cstdint>
#include <vector>

namespace shoal {

/// The best class of every run along the classes, in float64 scores; int64, without that axis.
result<tensor> best_classes(const tensor& scores, const axis_layout& along);

/// The share of `choices` (of one shape, int64) that are `winners`, over all members and positions;
/// 1 where there is nothing to choose.
double agreement_of(const std::vector<tensor>& choices, const tensor& winners);

} // namespace shoal
