#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {

const operator_def identity{
    .name = "Identity",
    .infer = rules::same_as_input,
    .receptive_field = rules::pointwise_field,
    .split_axis = rules::split_like_input,
    .is_view = true,
};

} // namespace shoal::operators
