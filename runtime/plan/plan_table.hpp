#pragma once

#include "runtime/plan/cost_model.hpp"
#include "runtime/plan/plan.hpp"

#include <string>

namespace shoal {

/// A plan as an aligned text table for a terminal (UTF-8): per stage its layers, their number,
/// parameters, FLOPs, time, the bytes over the cuts around it and its device; below it the totals
/// and the devices left idle, with the reason. The plan must be one of this model.
std::string render_table(const execution_plan& plan, const cost_model& model);

} // namespace shoal
