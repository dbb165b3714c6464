#include "kernels/cpu/reorder.hpp"

#include "kernels/reference/reorder.hpp"

namespace shoal::kernels {
namespace {
class reference_reorder final : public kernel {
 public:
  reference_reorder(layout from, layout to) : from_(from), to_(to) {}
  void run(const kernel_io& io) override { reference::reorder(io.inputs[0], io.outputs[0]); }
  layout input_layout(std::size_t) const override { return from_; }
  layout output_layout(std::size_t) const override { return to_; }

 private:
  layout from_, to_;
};
} // namespace

std::unique_ptr<kernel> make_reorder(const shape&, dtype, layout from, layout to, int) {
  return std::make_unique<reference_reorder>(from, to);
}

} // namespace shoal::kernels
