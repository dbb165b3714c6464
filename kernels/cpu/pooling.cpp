#include "kernels/cpu/pooling.hpp"

#include "kernels/cpu/onednn/placement.hpp"
#include "kernels/cpu/onednn/program.hpp"

#include <algorithm>
#include <string_view>
#include <utility>

namespace shoal::kernels {
namespace {

class onednn_pooling final : public kernel {
 public:
  onednn_pooling(onednn::built what, layout source_format, layout target_format)
      : program_(std::move(what)), source_format_(source_format), target_format_(target_format),
        source_(program_.add_argument(DNNL_ARG_SRC, program_.description().src_desc(0))),
        target_(program_.add_argument(DNNL_ARG_DST, program_.description().dst_desc(0))) {}

  void run(const kernel_io& io) override {
    program_.bind(source_, io.inputs[0].data);
    program_.bind(target_, io.outputs[0].data);
    program_.run(io.scratch);
  }
  layout input_layout(std::size_t) const override { return source_format_; }
  layout output_layout(std::size_t) const override { return target_format_; }
  std::size_t scratch_bytes() const override { return program_.scratch_bytes(); }

 private:
  onednn::program program_;
  layout source_format_, target_format_;
  std::size_t source_, target_;
};

/// Whether oneDNN's average of every window is ONNX's: its divisor is all taps of the window or
/// those inside the source, never those inside the stated padding, and may be zero.
bool average_agrees(pooling function, const shape& source, const shape& target, const window& at) {
  for (int i = 0; i < at.rank(); ++i) {
    const auto end = (target[i + 2] - 1) * at.stride[i] - at.pad_begin[i] + at.reach(i);
    const bool hangs_over = end > source[i + 2] + at.pad_end[i];
    if (function == pooling::average_with_padding && hangs_over) return false;
    if (at.dilation[i] != 1 || at.pad_begin[i] >= at.reach(i) || at.pad_end[i] >= at.reach(i))
      return false;
  }
  return true;
}

/// With one element per channel, layouts that need no padding of channels are all the same.
layout plain_if_same(layout format, const shape& dims) {
  const bool dense = stored_elements(dims, format) == dims.element_count();
  return dense && dims.element_count(2, dims.rank()) == 1 ? layout::plain : format;
}

} // namespace

std::unique_ptr<kernel> make_pooling(pooling function, const shape& source, const shape& target,
                                     const window& at, dtype type, layout produced, int threads) {
  if (!onednn::representable(source) || !onednn::representable(target)) return nullptr;
  const bool exact = function == pooling::max;
  if (type != dtype::f32 && !(exact && (type == dtype::u8 || type == dtype::i8))) return nullptr;
  const auto element = onednn::element_type_of(type);
  if (!exact && !average_agrees(function, source, target, at)) return nullptr;
  constexpr dnnl::algorithm functions[] = {dnnl::algorithm::pooling_max,
                                           dnnl::algorithm::pooling_avg_exclude_padding,
                                           dnnl::algorithm::pooling_avg_include_padding};
  const onednn::thread_count_scope scope(threads);
  const auto build = [&](layout format) {
    return onednn::build_pooling(functions[static_cast<int>(function)],
                                 onednn::described(source, format, element),
                                 onednn::described(target, format, element),
                                 onednn::to_dims(at.kernel), onednn::place(at, source, target));
  };
  // Quantised convolutions have their channels innermost.
  const auto usual = type == dtype::f32 ? onednn::preferred_layout() : layout::channels_last;
  auto format = source[1] < 8 ? layout::plain : usual;
  auto what = build(format);
  if (exact && produced != format) {
    auto followed = build(produced);
    const std::string_view name = followed ? followed->description.impl_info_str() : "";
    if (!what || name.find("jit") != name.npos) {
      what = std::move(followed);
      format = produced;
    }
  }
  if (!what) return nullptr;
  return std::make_unique<onednn_pooling>(std::move(*what), plain_if_same(format, source),
                                          plain_if_same(format, target));
}

} // namespace shoal::kernels
