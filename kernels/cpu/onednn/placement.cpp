#include "kernels/cpu/onednn/placement.hpp"

#include <algorithm>

namespace shoal::onednn {
namespace {

placement without_end(const window& at) {
  placement p{to_dims(at.stride), to_dims(at.dilation), to_dims(at.pad_begin), to_dims(at.pad_end)};
  for (auto& d : p.dilation) --d;
  return p;
}

} // namespace

placement place(const window& at, const shape& source, const shape& target) {
  auto p = without_end(at);
  for (int i = 0; i < at.rank(); ++i) {
    const auto needed =
        (target[i + 2] - 1) * at.stride[i] + at.reach(i) - source[i + 2] - at.pad_begin[i];
    p.pad_end[static_cast<std::size_t>(i)] = std::max(at.pad_end[i], needed);
  }
  return p;
}

placement place_transposed(const window& at, const shape& source, const shape& target) {
  auto p = without_end(at);
  for (int i = 0; i < at.rank(); ++i)
    p.pad_end[static_cast<std::size_t>(i)] =
        (source[i + 2] - 1) * at.stride[i] - at.pad_begin[i] + at.reach(i) - target[i + 2];
  return p;
}

void append(post_op_list& operations, const activation& f) {
  const auto eltwise = [&](dnnl::algorithm function, float alpha, float beta) {
    operations.push_back({post_op::kind::eltwise, function, alpha, beta});
  };
  switch (f.function) {
  case activation::kind::none:
    return;
  case activation::kind::relu:
    return eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
  case activation::kind::leaky_relu:
    return eltwise(dnnl::algorithm::eltwise_relu, f.alpha, 0);
  case activation::kind::clip:
    return eltwise(dnnl::algorithm::eltwise_clip, f.alpha, f.beta);
  case activation::kind::sigmoid:
    return eltwise(dnnl::algorithm::eltwise_logistic, 0, 0);
  case activation::kind::tanh:
    return eltwise(dnnl::algorithm::eltwise_tanh, 0, 0);
  case activation::kind::hard_sigmoid:
    eltwise(dnnl::algorithm::eltwise_linear, f.alpha, f.beta);
    return eltwise(dnnl::algorithm::eltwise_clip, 0, 1);
  }
}

} // namespace shoal::onednn
