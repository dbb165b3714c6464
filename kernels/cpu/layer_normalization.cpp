#include "kernels/cpu/normalization.hpp"
#include "kernels/cpu/onednn/formats.hpp"
#include "kernels/cpu/onednn/program.hpp"

#include <utility>

namespace shoal::kernels {
namespace {

class onednn_layer_normalization final : public kernel {
 public:
  onednn_layer_normalization(onednn::built what, const dnnl::memory::desc& rows,
                             const dnnl::memory::desc& coefficients, bool shifted)
      : program_(std::move(what)), source_(program_.add_argument(DNNL_ARG_SRC, rows)),
        target_(program_.add_argument(DNNL_ARG_DST, rows)),
        scale_(program_.add_argument(DNNL_ARG_SCALE, coefficients)),
        shift_(shifted ? program_.add_argument(DNNL_ARG_SHIFT, coefficients) : 0) {}

  void run(const kernel_io& io) override {
    program_.bind(source_, io.inputs[0].data);
    program_.bind(target_, io.outputs[0].data);
    program_.bind(scale_, io.inputs[1].data);
    if (shift_ != 0) program_.bind(shift_, io.inputs[2].data);
    program_.run(io.scratch);
  }
  std::size_t scratch_bytes() const override { return program_.scratch_bytes(); }
  std::optional<std::size_t> overwritable_input() const override { return 0; }

 private:
  onednn::program program_;
  std::size_t source_, target_, scale_;
  std::size_t shift_; ///< 0, the scratchpad's slot, for none
};

} // namespace

std::unique_ptr<kernel> make_layer_normalization(std::int64_t rows, std::int64_t inner,
                                                 float epsilon, bool shifted, int threads) {
  if (rows < 1 || inner < 1) return nullptr;
  const onednn::thread_count_scope scope(threads);
  const auto data = onednn::described({rows, inner}, layout::plain);
  auto what = onednn::build_layer_normalization(data, epsilon, shifted);
  if (!what) return nullptr;
  return std::make_unique<onednn_layer_normalization>(
      std::move(*what), data, onednn::described({inner}, layout::plain), shifted);
}

} // namespace shoal::kernels
