#include "kernels/cpu/normalization.hpp"
#include "kernels/cpu/onednn/formats.hpp"
#include "kernels/cpu/onednn/program.hpp"

#include <utility>

namespace shoal::kernels {
namespace {

/// One source and one target in the same layout.
class onednn_response_normalization final : public kernel {
 public:
  onednn_response_normalization(onednn::built what, const dnnl::memory::desc& data, layout format)
      : program_(std::move(what)), format_(format),
        source_(program_.add_argument(DNNL_ARG_SRC, data)),
        target_(program_.add_argument(DNNL_ARG_DST, data)) {}

  void run(const kernel_io& io) override {
    program_.bind(source_, io.inputs[0].data);
    program_.bind(target_, io.outputs[0].data);
    program_.run(io.scratch);
  }
  layout input_layout(std::size_t) const override { return format_; }
  layout output_layout(std::size_t) const override { return format_; }
  std::size_t scratch_bytes() const override { return program_.scratch_bytes(); }

 private:
  onednn::program program_;
  layout format_;
  std::size_t source_, target_;
};

} // namespace

std::unique_ptr<kernel> make_local_response_normalization(const shape& dims, std::int64_t size,
                                                          float alpha, float beta, float bias,
                                                          int threads) {
  if (size % 2 == 0 || !onednn::representable(dims) || dims.rank() > 5) return nullptr;
  const auto format = dims[1] < 8 ? layout::plain : onednn::preferred_layout();
  const auto data = onednn::described(dims, format);
  const onednn::thread_count_scope scope(threads);
  auto what = onednn::build_lrn(data, size, alpha, beta, bias);
  if (!what) return nullptr;
  return std::make_unique<onednn_response_normalization>(std::move(*what), data, format);
}

} // namespace shoal::kernels
