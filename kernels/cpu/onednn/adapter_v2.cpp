#include "kernels/cpu/onednn/primitives.hpp"

#include <sstream>

// Version 2: an operation descriptor first, a primitive descriptor made from it.

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
      operations.append_eltwise(1, op.function, op.alpha, op.beta);
  }
  attributes.set_post_ops(operations);
  return attributes;
}

/// The primitive `P` for what `make_descriptor` describes; nullopt when oneDNN refuses.
template <class P, class F>
std::optional<built> build(const post_op_list& then, F make_descriptor,
                           implementation_filter accept = nullptr) {
  try {
    const auto what = make_descriptor(); // next_impl reads it
    typename P::primitive_desc description(what, attributes_for(then), cpu());
    while (accept != nullptr && !accept(description.impl_info_str()))
      if (!description.next_impl()) return std::nullopt;
    return built{description, P(description)};
  } catch (const dnnl::error&) {
    return std::nullopt;
  }
}

} // namespace

std::optional<built> build_convolution(const memory::desc& src, const memory::desc& weights,
                                       const std::optional<memory::desc>& bias,
                                       const memory::desc& dst, const placement& at,
                                       const post_op_list& then, convolution_algorithm how,
                                       implementation_filter accept) {
  const auto make = [&]<class P>(std::type_identity<P>, dnnl::algorithm name) {
    const auto descriptor = [&] {
      return bias ? typename P::desc(inference, name, src, weights, *bias, dst, at.stride,
                                     at.dilation, at.pad_begin, at.pad_end)
                  : typename P::desc(inference, name, src, weights, dst, at.stride, at.dilation,
                                     at.pad_begin, at.pad_end);
    };
    return build<P>(then, descriptor, accept);
  };
  if (how == convolution_algorithm::transposed)
    return make(std::type_identity<dnnl::deconvolution_forward>{},
                dnnl::algorithm::deconvolution_direct);
  return make(std::type_identity<dnnl::convolution_forward>{},
              how == convolution_algorithm::winograd ? dnnl::algorithm::convolution_winograd
                                                     : dnnl::algorithm::convolution_direct);
}

std::optional<built> build_integer_convolution(const memory::desc& src, const memory::desc& weights,
                                               const std::optional<memory::desc>& bias,
                                               const memory::desc& dst, const placement& at,
                                               const integer_conversion& conversion) {
  using convolution = dnnl::convolution_forward;
  constexpr auto how = dnnl::algorithm::convolution_direct;
  try {
    auto attributes = attributes_for({});
    const int per_channel = 1 << 1;
    if (!conversion.scales.empty())
      attributes.set_output_scales(conversion.scales.size() > 1 ? per_channel : 0,
                                   conversion.scales);
    if (conversion.source_zero != 0)
      attributes.set_zero_points(DNNL_ARG_SRC, 0, {conversion.source_zero});
    if (conversion.target_zero != 0)
      attributes.set_zero_points(DNNL_ARG_DST, 0, {conversion.target_zero});
    const auto what = bias ? convolution::desc(inference, how, src, weights, *bias, dst, at.stride,
                                               at.dilation, at.pad_begin, at.pad_end)
                           : convolution::desc(inference, how, src, weights, dst, at.stride,
                                               at.dilation, at.pad_begin, at.pad_end);
    const convolution::primitive_desc description(what, attributes, cpu());
    return built{description, convolution(description)};
  } catch (const dnnl::error&) {
    return std::nullopt;
  }
}

std::optional<built> build_pooling(dnnl::algorithm function, const memory::desc& src,
                                   const memory::desc& dst, const memory::dims& kernel,
                                   const placement& at) {
  return build<dnnl::pooling_v2_forward>({}, [&] {
    return dnnl::pooling_v2_forward::desc(inference, function, src, dst, at.stride, kernel,
                                          at.dilation, at.pad_begin, at.pad_end);
  });
}

std::optional<built> build_matmul(const memory::desc& src, const memory::desc& weights,
                                  const std::optional<memory::desc>& bias, const memory::desc& dst,
                                  const post_op_list& then) {
  return build<dnnl::matmul>(then, [&] {
    return bias ? dnnl::matmul::desc(src, weights, *bias, dst)
                : dnnl::matmul::desc(src, weights, dst);
  });
}

std::optional<built> build_softmax(const memory::desc& data, int axis, bool logarithm) {
  const auto how = logarithm ? dnnl::algorithm::softmax_log : dnnl::algorithm::softmax_accurate;
  return build<dnnl::softmax_v2_forward>(
      {}, [&] { return dnnl::softmax_v2_forward::desc(inference, how, data, data, axis); });
}

std::optional<built> build_layer_normalization(const memory::desc& data, float epsilon,
                                               bool shift) {
  auto flags = dnnl::normalization_flags::use_scale;
  if (shift) flags |= dnnl::normalization_flags::use_shift;
  return build<dnnl::layer_normalization_forward>(
      {}, [&] { return dnnl::layer_normalization_forward::desc(inference, data, epsilon, flags); });
}

std::optional<built> build_lrn(const memory::desc& data, std::int64_t size, float alpha, float beta,
                               float bias) {
  return build<dnnl::lrn_forward>({}, [&] {
    return dnnl::lrn_forward::desc(inference, dnnl::algorithm::lrn_across_channels, data, size,
                                   alpha, beta, bias);
  });
}

std::optional<built> build_reorder(const memory::desc& from, const memory::desc& to) {
  try {
    const dnnl::reorder::primitive_desc description(cpu(), from, cpu(), to, attributes_for({}));
    return built{description, dnnl::reorder(description)};
  } catch (const dnnl::error&) {
    return std::nullopt;
  }
}

std::string text_of(const memory::desc& format) {
  const auto& d = format.data;
  std::ostringstream text;
  text << "onednn 2 kind " << d.format_kind << " flags " << d.extra.flags;
  if (d.format_kind == dnnl_format_kind_wino) {
    const auto& w = d.format_desc.wino_desc;
    text << ' ' << w.wino_format << ' ' << w.r << ' ' << w.alpha << ' ' << w.ic << '/' << w.ic_block
         << '/' << w.ic2_block << ' ' << w.oc << '/' << w.oc_block << '/' << w.oc2_block << ' '
         << w.adj_scale << ' ' << w.size;
    return text.str();
  }
  for (int i = 0; i < d.ndims; ++i)
    text << ' ' << d.dims[i] << '/' << d.padded_dims[i] << ':' << d.format_desc.blocking.strides[i];
  for (int i = 0; i < d.format_desc.blocking.inner_nblks; ++i)
    text << ' ' << d.format_desc.blocking.inner_blks[i] << '@'
         << d.format_desc.blocking.inner_idxs[i];
  return text.str();
}

const dnnl::engine& cpu() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

} // namespace shoal::onednn
