#pragma once

#include "runtime/plan/cost_model.hpp"
#include "runtime/plan/plan.hpp"

#include <string>
#include <string_view>

namespace shoal {

/// A plan as a self-contained SVG picture: a block per stage, as wide as its share of the time, the
/// layers inside as bars, the bytes over each cut on the arrows. Every text from outside is
/// escaped. The plan must be one of this model.
std::string render_svg(const execution_plan& plan, const cost_model& model, std::string_view title);

} // namespace shoal
