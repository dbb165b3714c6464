#include "kernels/cpu/reorder.hpp"

#include "kernels/cpu/onednn/formats.hpp"
#include "kernels/cpu/onednn/program.hpp"
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

class onednn_reorder final : public kernel {
 public:
  onednn_reorder(onednn::built what, const dnnl::memory::desc& source,
                 const dnnl::memory::desc& target, layout from, layout to)
      : program_(std::move(what)), source_(program_.add_argument(DNNL_ARG_FROM, source)),
        target_(program_.add_argument(DNNL_ARG_TO, target)), from_(from), to_(to) {}
  void run(const kernel_io& io) override {
    program_.bind(source_, io.inputs[0].data);
    program_.bind(target_, io.outputs[0].data);
    program_.run(io.scratch);
  }
  layout input_layout(std::size_t) const override { return from_; }
  layout output_layout(std::size_t) const override { return to_; }
  std::size_t scratch_bytes() const override { return program_.scratch_bytes(); }

 private:
  onednn::program program_;
  std::size_t source_, target_;
  layout from_, to_;
};

} // namespace

std::unique_ptr<kernel> make_reorder(const shape& dims, dtype type, layout from, layout to,
                                     int threads) {
  // Bits are moved, never computed with, so integers may pass for floats, and any byte for u8.
  const auto size = size_of(type);
  const bool suits = (size == 4 || size == 1) && dims.rank() >= 3 && dims.rank() <= 5;
  if (suits && onednn::representable(dims)) {
    const onednn::thread_count_scope scope(threads);
    const auto bits = size == 4 ? onednn::element_type::f32 : onednn::element_type::u8;
    const auto source = onednn::described(dims, from, bits);
    const auto target = onednn::described(dims, to, bits);
    if (auto what = onednn::build_reorder(source, target))
      return std::make_unique<onednn_reorder>(std::move(*what), source, target, from, to);
  }
  return std::make_unique<reference_reorder>(from, to);
}

} // namespace shoal::kernels
