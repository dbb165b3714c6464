#include "runtime/operators/convolution_rules.hpp"
#include "runtime/operators/operators.hpp"
#include "runtime/operators/window_rules.hpp"

namespace shoal::operators {
namespace {

result<std::unique_ptr<kernel>> prepare_onednn(const prepare_context& c) {
  return rules::prepare_onednn_convolution(c, {});
}

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  return rules::prepare_reference_convolution(c, {});
}

constexpr kernel_entry kernels[] = {{"onednn", prepare_onednn}, {"reference", prepare_reference}};

} // namespace

const operator_def conv{
    .name = "Conv",
    .min_inputs = 2,
    .max_inputs = 3,
    .infer = rules::infer_convolution,
    .cost = rules::convolution_cost,
    .receptive_field = rules::convolution_field,
    .split_axis = rules::split_batch,
    .kernels = kernels,
};

} // namespace shoal::operators
