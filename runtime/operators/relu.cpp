#include "runtime/operators/operators.hpp"
#include "runtime/operators/rules.hpp"

namespace shoal::operators {
namespace {

class reference_relu final : public kernel {
 public:
  void run(const kernel_io& io) override {
    const auto* in = io.inputs[0].as<float>();
    auto* out = io.outputs[0].as<float>();
    const auto count = io.inputs[0].element_count();
    for (std::int64_t i = 0; i < count; ++i) out[i] = in[i] > 0 ? in[i] : 0;
  }
  std::optional<std::size_t> overwritable_input() const override { return 0; }
};

result<std::unique_ptr<kernel>> prepare_reference(const prepare_context& c) {
  if (c.type(0) != dtype::f32) return nullptr;
  return std::make_unique<reference_relu>();
}

constexpr kernel_entry kernels[] = {{"reference", prepare_reference}};

} // namespace

const operator_def relu{
    .name = "Relu",
    .infer = rules::same_as_input,
    .receptive_field = rules::pointwise_field,
    .split_axis = rules::split_like_input,
    .kernels = kernels,
};

} // namespace shoal::operators
