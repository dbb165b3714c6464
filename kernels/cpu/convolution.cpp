#include "kernels/cpu/convolution.hpp"

#include "kernels/cpu/onednn/converted_argument.hpp"
#include "kernels/cpu/onednn/placement.hpp"

#include <cstring>
#include <limits>
#include <string_view>
#include <utility>

namespace shoal::kernels {
namespace {

/// Extents of the weights as oneDNN counts them: [groups if any, out, in, kernel...].
shape weight_extents(const convolution_problem& p) {
  shape dims;
  if (p.groups > 1) dims.push_back(p.groups);
  dims.push_back(p.target[1] / p.groups);
  dims.push_back(p.source[1] / p.groups);
  for (const auto extent : p.at.kernel) dims.push_back(extent);
  return dims;
}

/// The weights as ONNX stores them.
dnnl::memory::desc plain_weights(const convolution_problem& p) {
  const shape dims = weight_extents(p);
  if (!p.transposed) return onednn::described(dims, layout::plain);
  const int out = p.groups > 1 ? 1 : 0;
  shape stored = dims;
  std::swap(stored[out], stored[out + 1]); // the input channel comes first in memory
  shape strides = stored.dense_strides();
  std::swap(strides[out], strides[out + 1]);
  return onednn::strided(dims, strides);
}

/// A primitive whose source and target are in layouts of ours.
struct choice {
  onednn::built what;
  layout source, target;
};

/// Whether this is oneDNN's code for whatever its faster kernels do not do.
bool is_generic(const onednn::built& what) {
  const std::string_view name = what.description.impl_info_str();
  return name.find("ref") != name.npos || name.find(":gemm") != name.npos;
}

/// Which of oneDNN's implementations for images with the channels last sum in an order that follows
/// from window and channels alone: found by comparing crops with wholes, as the others divide sums
/// by what fits the caches for an image. Those of one of these lists give the same bits.
bool sums_by_vectors(std::string_view name) {
  return name == "brgconv_1x1:avx512_core" || name == "jit:avx512_core";
}
bool sums_depthwise(std::string_view name) {
  return name == "jit_dw:avx512_core";
}
bool sums_in_one_go(std::string_view name) {
  return name == "brgconv:avx512_core";
}

/// Windows whose products brgconv, the fastest for most, always sums in one go.
bool fits_one_go(const convolution_problem& p) {
  constexpr std::int64_t most_products = 1600;
  if (p.groups != 1 || p.weights.element_count(1, p.weights.rank()) > most_products) return false;
  bool pointwise = true;
  for (int i = 0; i < p.at.rank(); ++i) {
    const auto k = p.at.kernel[i], half = (k - 1) / 2;
    if (k % 2 == 0 || p.at.stride[i] != 1 || p.at.dilation[i] != 1 || p.at.pad_begin[i] > half ||
        p.at.pad_end[i] > half)
      return false;
    pointwise = pointwise && k == 1;
  }
  return !pointwise;
}

onednn::implementation_filter steady_implementations(const convolution_problem& p) {
  if (p.groups > 1 && p.groups == p.source[1] && p.groups == p.target[1]) return sums_depthwise;
  return fits_one_go(p) ? sums_in_one_go : sums_by_vectors;
}

/// oneDNN's own choice if its layouts are among ours; else the first layout for both sides that has
/// better than generic code. With AVX-512 oneDNN settles for generic code too early, so that the
/// others are tried then too: groups of few channels are 2.5 times as fast in channels_last.
std::optional<choice> choose(const convolution_problem& p) {
  onednn::post_op_list operations;
  if (p.has_residual) operations.push_back({onednn::post_op::kind::sum, {}, 1, 0});
  onednn::append(operations, p.then);
  const auto at = p.transposed ? onednn::place_transposed(p.at, p.source, p.target)
                               : onednn::place(p.at, p.source, p.target);
  std::optional<dnnl::memory::desc> bias;
  if (p.has_bias) bias = onednn::described({p.target[1]}, layout::plain);
  const auto how = p.transposed                         ? onednn::convolution_algorithm::transposed
                   : p.way == convolution_way::winograd ? onednn::convolution_algorithm::winograd
                                                        : onednn::convolution_algorithm::direct;
  const auto build = [&](const dnnl::memory::desc& source, const dnnl::memory::desc& target,
                         onednn::implementation_filter accept = nullptr) {
    return onednn::build_convolution(source, onednn::any_format(weight_extents(p)), bias, target,
                                     at, operations, how, accept);
  };
  if (p.way == convolution_way::steady && has_steady_convolutions()) {
    constexpr auto format = layout::channels_last;
    const auto source = onednn::described(p.source, format);
    const auto target = onednn::described(p.target, format);
    auto what = build(source, target, steady_implementations(p));
    if (!what) what = build(source, target, sums_by_vectors);
    if (!what) return std::nullopt;
    return choice{std::move(*what), format, format};
  }

  std::optional<choice> own, generic;
  if (auto what = build(onednn::any_format(p.source), onednn::any_format(p.target))) {
    const auto source = onednn::layout_of(what->description.src_desc(0), p.source);
    const auto target = onednn::layout_of(what->description.dst_desc(0), p.target);
    if (source && target) own = choice{std::move(*what), *source, *target};
    const bool wide = onednn::preferred_layout() == layout::channels_last;
    if (own && !(wide && is_generic(own->what))) return own;
  }
  if (p.way == convolution_way::winograd) return std::nullopt;
  for (const auto format : {onednn::preferred_layout(), layout::channels_last, layout::blocked_16,
                            layout::blocked_8, layout::plain}) {
    auto what = build(onednn::described(p.source, format), onednn::described(p.target, format));
    if (!what) continue;
    generic = choice{std::move(*what), format, format};
    if (!is_generic(generic->what)) return generic;
  }
  return own ? std::move(own) : std::move(generic);
}

class onednn_convolution final : public packing_kernel {
 public:
  /// `p` is the problem of one run.
  onednn_convolution(const convolution_problem& p, choice chosen, std::size_t runs)
      : program_(std::move(chosen.what)), source_format_(chosen.source),
        target_format_(chosen.target),
        source_(program_.add_argument(DNNL_ARG_SRC, program_.description().src_desc(0))),
        target_(program_.add_argument(DNNL_ARG_DST, program_.description().dst_desc(0))),
        weights_(program_, DNNL_ARG_WEIGHTS, plain_weights(p),
                 program_.description().weights_desc(0)),
        has_residual_(p.has_residual), runs_(runs),
        source_bytes_(program_.description().src_desc(0).get_size()),
        target_bytes_(program_.description().dst_desc(0).get_size()) {
    if (p.has_bias)
      bias_ = program_.add_argument(DNNL_ARG_BIAS, program_.description().weights_desc(1));
  }

  void run(const kernel_io& io) override {
    weights_.bind(program_, io.inputs[1].data,
                  io.scratch + onednn::whole_lines(program_.scratch_bytes()));
    if (bias_ != 0) program_.bind(bias_, io.inputs[2].data);
    // oneDNN adds to what the target holds, which is far faster than a second source.
    if (has_residual_ && io.inputs[3].data != io.outputs[0].data)
      std::memcpy(io.outputs[0].data, io.inputs[3].data, runs_ * target_bytes_);
    for (std::size_t i = 0; i < runs_; ++i) {
      program_.bind(source_, static_cast<const std::byte*>(io.inputs[0].data) + i * source_bytes_);
      program_.bind(target_, static_cast<std::byte*>(io.outputs[0].data) + i * target_bytes_);
      program_.run(io.scratch);
    }
  }

  layout input_layout(std::size_t index) const override {
    return index == 0 ? source_format_ : index == 3 ? target_format_ : layout::plain;
  }
  layout output_layout(std::size_t) const override { return target_format_; }
  std::size_t scratch_bytes() const override {
    return onednn::whole_lines(program_.scratch_bytes()) + weights_.scratch_bytes();
  }
  std::optional<std::size_t> overwritable_input() const override {
    if (!has_residual_) return std::nullopt;
    return 3;
  }

  bool varies_with_batch() const override { return program_.is_gemm(); }

  std::string form() const override { return weights_.form(); }
  std::size_t packed_bytes() const override { return weights_.packed_bytes(); }
  void pack(const void* constant, void* packed) const override { weights_.pack(constant, packed); }
  void take_packed(std::shared_ptr<const void> packed) override {
    weights_.use_packed(program_, std::move(packed));
  }

 private:
  onednn::program program_;
  layout source_format_, target_format_;
  std::size_t source_, target_;
  onednn::converted_argument weights_;
  std::size_t bias_ = 0; ///< 0, the scratchpad's slot, for none
  bool has_residual_;
  std::size_t runs_;                        ///< of the program, for as many parts of the batch
  std::size_t source_bytes_, target_bytes_; ///< of one run
};

/// oneDNN counts the pixels of an image by 32 bits, and divides by what is left of more.
bool countable(const shape& image) {
  return image.element_count(2, image.rank()) <= std::numeric_limits<std::int32_t>::max();
}

} // namespace

bool has_steady_convolutions() {
  return onednn::preferred_layout() == layout::channels_last;
}

std::unique_ptr<packing_kernel> make_convolution(const convolution_problem& p, int threads) {
  if (!onednn::representable(p.source) || !onednn::representable(p.weights) ||
      !onednn::representable(p.target) || p.at.rank() > 3 || !countable(p.source) ||
      !countable(p.target))
    return nullptr;
  const onednn::thread_count_scope scope(threads);
  auto each = p;
  // How oneDNN divides an image for Winograd depends on the batch, and on that the rounding: an
  // image has the same bits in every batch if it is computed alone.
  const bool apart = p.way == convolution_way::winograd && p.source[0] > 1;
  if (apart) each.source[0] = each.target[0] = 1;
  auto chosen = choose(each);
  if (!chosen) return nullptr;
  const auto runs = apart ? static_cast<std::size_t>(p.source[0]) : 1;
  return std::make_unique<onednn_convolution>(each, std::move(*chosen), runs);
}

} // namespace shoal::kernels
