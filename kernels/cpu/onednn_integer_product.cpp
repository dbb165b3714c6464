#include "kernels/cpu/integer_product.hpp"
#include "kernels/cpu/onednn/converted_argument.hpp"
#include "kernels/cpu/onednn/placement.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/reference/quantize.hpp"

#include <utility>

namespace shoal::kernels {
namespace {

using onednn::element_type;

/// Weights of u8 around 128 are those of i8 around 0 but for their first bit.
std::vector<std::byte> with_first_bits_flipped(const void* bytes, std::int64_t count) {
  std::vector<std::byte> flipped(static_cast<std::size_t>(count));
  const auto* from = static_cast<const std::byte*>(bytes);
  for (std::size_t i = 0; i < flipped.size(); ++i) flipped[i] = from[i] ^ std::byte{0x80};
  return flipped;
}

/// As a 1x1 convolution over an image of `rows` pixels, see make_matmul.
class onednn_integer_matmul final : public packing_kernel {
 public:
  onednn_integer_matmul(const integer_matmul_problem& p, std::vector<std::int32_t> column_sums,
                        std::int64_t rows, onednn::built what, const dnnl::memory::desc& plain_b)
      : p_(p), rows_(rows), column_sums_(std::move(column_sums)), program_(std::move(what)),
        a_(program_.add_argument(DNNL_ARG_SRC, program_.description().src_desc(0))),
        y_(program_.add_argument(DNNL_ARG_DST, program_.description().dst_desc(0))),
        b_(program_, DNNL_ARG_WEIGHTS, plain_b, program_.description().weights_desc(0)) {}

  void run(const kernel_io& io) override {
    auto* y = io.outputs[0].as<std::int32_t>();
    program_.bind(a_, io.inputs[0].data);
    program_.bind(y_, y);
    b_.bind(program_, io.inputs[1].data,
            io.scratch + onednn::whole_lines(program_.scratch_bytes()));
    program_.run(io.scratch);
    const auto zero = reference::integer(io.inputs.size() > 2 ? io.inputs[2] : const_view{}, 0);
    if (zero == 0) return;
    parallel_pieces(rows_, parallel_threshold / p_.columns + 1,
                    [&](std::int64_t first, std::int64_t last) {
                      for (auto r = first; r < last; ++r)
                        for (std::int64_t j = 0; j < p_.columns; ++j)
                          y[r * p_.columns + j] -= zero * column_sums_[static_cast<std::size_t>(j)];
                    });
  }

  std::size_t scratch_bytes() const override {
    return onednn::whole_lines(program_.scratch_bytes()) + b_.scratch_bytes();
  }
  std::string form() const override {
    const auto form = b_.form();
    return p_.b_type == dtype::u8 ? "first bits flipped, " + form : form;
  }
  std::size_t packed_bytes() const override { return b_.packed_bytes(); }
  void pack(const void* constant, void* packed) const override {
    if (p_.b_type != dtype::u8) return b_.pack(constant, packed);
    b_.pack(with_first_bits_flipped(constant, p_.length * p_.columns).data(), packed);
  }
  void take_packed(std::shared_ptr<const void> packed) override {
    b_.use_packed(program_, std::move(packed));
  }

 private:
  integer_matmul_problem p_;
  std::int64_t rows_;
  std::vector<std::int32_t> column_sums_;
  onednn::program program_;
  std::size_t a_, y_;
  onednn::converted_argument b_;
};

class onednn_quantized_convolution final : public packing_kernel {
 public:
  onednn_quantized_convolution(const quantized_convolution_problem& p, onednn::built what,
                               const dnnl::memory::desc& plain_weights)
      : program_(std::move(what)),
        source_(program_.add_argument(DNNL_ARG_SRC, program_.description().src_desc(0))),
        target_(program_.add_argument(DNNL_ARG_DST, program_.description().dst_desc(0))),
        weights_(program_, DNNL_ARG_WEIGHTS, plain_weights,
                 program_.description().weights_desc(0)) {
    if (p.has_bias)
      bias_ = program_.add_argument(DNNL_ARG_BIAS, program_.description().weights_desc(1));
  }

  void run(const kernel_io& io) override {
    program_.bind(source_, io.inputs[0].data);
    program_.bind(target_, io.outputs[0].data);
    weights_.bind(program_, io.inputs[1].data,
                  io.scratch + onednn::whole_lines(program_.scratch_bytes()));
    if (bias_ != 0) program_.bind(bias_, io.inputs[2].data);
    program_.run(io.scratch);
  }

  layout input_layout(std::size_t index) const override {
    return index == 0 ? layout::channels_last : layout::plain;
  }
  layout output_layout(std::size_t) const override { return layout::channels_last; }
  std::size_t scratch_bytes() const override {
    return onednn::whole_lines(program_.scratch_bytes()) + weights_.scratch_bytes();
  }
  std::string form() const override { return weights_.form(); }
  std::size_t packed_bytes() const override { return weights_.packed_bytes(); }
  void pack(const void* constant, void* packed) const override { weights_.pack(constant, packed); }
  void take_packed(std::shared_ptr<const void> packed) override {
    weights_.use_packed(program_, std::move(packed));
  }

 private:
  onednn::program program_;
  std::size_t source_, target_;
  onednn::converted_argument weights_;
  std::size_t bias_ = 0; ///< 0, the scratchpad's slot, for none
};

} // namespace

std::unique_ptr<packing_kernel> make_onednn_integer_matmul(const integer_matmul_problem& p,
                                                           std::vector<std::int32_t> column_sums,
                                                           int threads) {
  const auto rows = p.a_batch.element_count() * p.rows;
  if (!onednn::multiplies_bytes_exactly() || p.transpose_a || p.b_batch.element_count() != 1 ||
      rows < 1 || p.columns < 1 || p.length < 1 || p.length > longest_integer_sum)
    return nullptr;
  const onednn::thread_count_scope scope(threads);
  const shape source{1, p.length, rows, 1}, weights{p.columns, p.length, 1, 1};
  const auto plain_b =
      onednn::strided(weights, p.transpose_b ? shape{p.length, 1, 1, 1} : shape{1, p.columns, 1, 1},
                      element_type::s8);
  auto what = onednn::build_integer_convolution(
      onednn::described(source, layout::channels_last, onednn::element_type_of(p.a_type)),
      onednn::any_format(weights, element_type::s8), std::nullopt,
      onednn::described({1, p.columns, rows, 1}, layout::channels_last, element_type::s32),
      {{1, 1}, {0, 0}, {0, 0}, {0, 0}}, {});
  if (!what) return nullptr;
  return std::make_unique<onednn_integer_matmul>(p, std::move(column_sums), rows, std::move(*what),
                                                 plain_b);
}

std::unique_ptr<packing_kernel>
make_onednn_quantized_convolution(const quantized_convolution_problem& p, int threads) {
  if (!onednn::multiplies_bytes_exactly() || !onednn::representable(p.source) ||
      !onednn::representable(p.weights) || !onednn::representable(p.target) ||
      p.weight_type != dtype::i8)
    return nullptr;
  const onednn::thread_count_scope scope(threads);
  shape weights;
  if (p.groups > 1) weights.push_back(p.groups);
  weights.push_back(p.target[1] / p.groups);
  weights.push_back(p.source[1] / p.groups);
  for (const auto extent : p.at.kernel) weights.push_back(extent);
  std::optional<dnnl::memory::desc> bias;
  if (p.has_bias) bias = onednn::described({p.target[1]}, layout::plain, element_type::s32);
  auto what = onednn::build_integer_convolution(
      onednn::described(p.source, layout::channels_last, onednn::element_type_of(p.source_type)),
      onednn::any_format(weights, element_type::s8), bias,
      onednn::described(p.target, layout::channels_last, onednn::element_type_of(p.target_type)),
      onednn::place(p.at, p.source, p.target), {p.scales, p.source_zero, p.target_zero});
  if (!what) return nullptr;
  return std::make_unique<onednn_quantized_convolution>(
      p, std::move(*what), onednn::described(weights, layout::plain, element_type::s8));
}

} // namespace shoal::kernels
