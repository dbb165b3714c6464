#include "kernels/cpu/onednn/primitives.hpp"

#include <sstream>

// Version 3: primitive descriptors are made at once, without an operation descriptor.

namespace shoal::onednn {
namespace {

constexpr auto inference = dnnl::prop_kind::forward_inference;

dnnl::primitive_attr attributes_for(const post_op_list& then) {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops operations;
  for (const auto& op : then) {
    if (op.what == post_op::kind::sum)
      operations.append_sum(op.alpha);
    else
      operations.append_eltwise(op.function, op.alpha, op.beta);
  }
  attributes.set_post_ops(operations);
  return attributes;
}

/// The primitive `P` for the arguments of its description; nullopt when oneDNN refuses.
template <class P, class... Args>
std::optional<built> build_accepted(implementation_filter accept, const Args&... args) {
  try {
    typename P::primitive_desc description(cpu(), args...);
    while (accept != nullptr && !accept(description.impl_info_str()))
      if (!description.next_impl()) return std::nullopt;
    return built{description, P(description)};
  } catch (const dnnl::error&) {
    return std::nullopt;
  }
}

template <class P, class... Args>
std::optional<built> build(const Args&... args) {
  return build_accepted<P>(nullptr, args...);
}

template <class P>
std::optional<built>
convolution(dnnl::algorithm how, const memory::desc& src, const memory::desc& weights,
            const std::optional<memory::desc>& bias, const memory::desc& dst, const placement& at,
            const post_op_list& then, implementation_filter accept) {
  const auto attributes = attributes_for(then);
  if (bias)
    return build_accepted<P>(accept, inference, how, src, weights, *bias, dst, at.stride,
                             at.dilation, at.pad_begin, at.pad_end, attributes);
  return build_accepted<P>(accept, inference, how, src, weights, dst, at.stride, at.dilation,
                           at.pad_begin, at.pad_end, attributes);
}

} // namespace

std::optional<built> build_convolution(const memory::desc& src, const memory::desc& weights,
                                       const std::optional<memory::desc>& bias,
                                       const memory::desc& dst, const placement& at,
                                       const post_op_list& then, convolution_algorithm how,
                                       implementation_filter accept) {
  // What its interface shows of weights packed for Winograd does not tell two packings apart.
  if (how == convolution_algorithm::winograd) return std::nullopt;
  if (how == convolution_algorithm::transposed)
    return convolution<dnnl::deconvolution_forward>(dnnl::algorithm::deconvolution_direct, src,
                                                    weights, bias, dst, at, then, accept);
  return convolution<dnnl::convolution_forward>(dnnl::algorithm::convolution_direct, src, weights,
                                                bias, dst, at, then, accept);
}

/// Sums alone: version 3 takes scales and zero points as arguments of every run, and adds the bias
/// after scaling.
std::optional<built> build_integer_convolution(const memory::desc& src, const memory::desc& weights,
                                               const std::optional<memory::desc>& bias,
                                               const memory::desc& dst, const placement& at,
                                               const integer_conversion& conversion) {
  const bool plain_sums = conversion.scales.empty() && conversion.source_zero == 0 &&
                          conversion.target_zero == 0 && !bias;
  if (!plain_sums) return std::nullopt;
  return build<dnnl::convolution_forward>(inference, dnnl::algorithm::convolution_direct, src,
                                          weights, dst, at.stride, at.dilation, at.pad_begin,
                                          at.pad_end, attributes_for({}));
}

std::optional<built> build_pooling(dnnl::algorithm function, const memory::desc& src,
                                   const memory::desc& dst, const memory::dims& kernel,
                                   const placement& at) {
  return build<dnnl::pooling_forward>(inference, function, src, dst, at.stride, kernel, at.dilation,
                                      at.pad_begin, at.pad_end, attributes_for({}));
}

std::optional<built> build_matmul(const memory::desc& src, const memory::desc& weights,
                                  const std::optional<memory::desc>& bias, const memory::desc& dst,
                                  const post_op_list& then) {
  const auto attributes = attributes_for(then);
  if (bias) return build<dnnl::matmul>(src, weights, *bias, dst, attributes);
  return build<dnnl::matmul>(src, weights, dst, attributes);
}

std::optional<built> build_softmax(const memory::desc& data, int axis, bool logarithm) {
  const auto how = logarithm ? dnnl::algorithm::softmax_log : dnnl::algorithm::softmax_accurate;
  return build<dnnl::softmax_forward>(inference, how, data, data, axis, attributes_for({}));
}

std::optional<built> build_layer_normalization(const memory::desc& data, float epsilon,
                                               bool shift) {
  auto flags = dnnl::normalization_flags::use_scale;
  if (shift) flags |= dnnl::normalization_flags::use_shift;
  return build<dnnl::layer_normalization_forward>(inference, data, data, epsilon, flags,
                                                  attributes_for({}));
}

std::optional<built> build_lrn(const memory::desc& data, std::int64_t size, float alpha, float beta,
                               float bias) {
  return build<dnnl::lrn_forward>(inference, dnnl::algorithm::lrn_across_channels, data, data, size,
                                  alpha, beta, bias, attributes_for({}));
}

std::optional<built> build_reorder(const memory::desc& from, const memory::desc& to) {
  return build<dnnl::reorder>(from, cpu(), to, attributes_for({}));
}

std::string text_of(const memory::desc& format) {
  std::ostringstream text;
  text << "onednn 3 kind " << static_cast<int>(format.get_format_kind());
  const auto dims = format.get_dims(), padded = format.get_padded_dims();
  const auto strides = format.get_strides();
  for (std::size_t i = 0; i < dims.size(); ++i)
    text << ' ' << dims[i] << '/' << padded[i] << ':' << strides[i];
  const auto blocks = format.get_inner_blks(), axes = format.get_inner_idxs();
  for (std::size_t i = 0; i < blocks.size(); ++i) text << ' ' << blocks[i] << '@' << axes[i];
  return text.str();
}

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

} // namespace shoal::onednn
