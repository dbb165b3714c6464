#pragma once

#include "runtime/operators/operator.hpp"

/// One constant per operator, defined in the file of its name.
namespace shoal::operators {

#define SHOAL_OPERATOR(name) extern const operator_def name;
#include "runtime/operators/operators.def"
#undef SHOAL_OPERATOR

} // namespace shoal::operators
