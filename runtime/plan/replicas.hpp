#pragma once

#include "runtime/plan/cost_model.hpp"
#include "runtime/plan/device_profile.hpp"
#include "runtime/plan/plan.hpp"

#include <span>

namespace shoal {

/// Gives devices that have no stage one that another has already: each time that stage which a
/// device has to spend most on a request, as long as its memory suffices. The plan is one of these
/// devices, none of which is listed in shares.
void add_replicas(execution_plan& plan, const cost_model& model,
                  std::span<const device_profile> devices);

} // namespace shoal
