#pragma once

#include <oneapi/dnnl/dnnl.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// The one place that knows how oneDNN's interface differs between versions 2 and 3: adapter_v2.cpp
/// or adapter_v3.cpp implements it, whichever fits the version that CMake found. Every function
/// gives nullopt when oneDNN has no implementation for what is asked.
namespace shoal::onednn {

using dnnl::memory;

/// A primitive for inference, its scratchpad supplied by the caller, and its description.
struct built {
  dnnl::primitive_desc_base description;
  dnnl::primitive primitive;
};

/// An operation applied to the result before it is stored.
struct post_op {
  enum class kind { sum, eltwise };
  kind what = kind::eltwise;
  dnnl::algorithm function = dnnl::algorithm::undef;
  float alpha = 0; ///< for `sum`: the factor of what the destination held before
  float beta = 0;
};
using post_op_list = std::vector<post_op>;

/// Where a window lies, in oneDNN's terms: a dilation of 0 means adjacent taps.
struct placement {
  memory::dims stride, dilation, pad_begin, pad_end;
};

/// How a convolution is computed. By Winograd's algorithm 3×3 windows take less than half the
/// multiplications; sums are rounded in other places, and depend on where the image begins.
enum class convolution_algorithm { direct, winograd, transposed };

/// Whether an implementation of oneDNN's may be taken, by the name it gives itself.
using implementation_filter = bool (*)(std::string_view name);

/// The first of oneDNN's implementations, or the first that `accept` takes if that is not null.
std::optional<built> build_convolution(const memory::desc& src, const memory::desc& weights,
                                       const std::optional<memory::desc>& bias,
                                       const memory::desc& dst, const placement& at,
                                       const post_op_list& then, convolution_algorithm how,
                                       implementation_filter accept = nullptr);

/// What a convolution of 8-bit integers does with its sums: each, multiplied by the scale of its
/// channel (one for all, or one each), plus the zero point becomes an element of the destination.
/// No scales: the sums themselves.
struct integer_conversion {
  std::vector<float> scales;
  std::int32_t source_zero = 0; ///< of the source, which is also what pads it
  std::int32_t target_zero = 0;
};

/// The source is u8 or s8, the weights s8, the bias s32.
std::optional<built> build_integer_convolution(const memory::desc& src, const memory::desc& weights,
                                               const std::optional<memory::desc>& bias,
                                               const memory::desc& dst, const placement& at,
                                               const integer_conversion& conversion);

std::optional<built> build_pooling(dnnl::algorithm function, const memory::desc& src,
                                   const memory::desc& dst, const memory::dims& kernel,
                                   const placement& at);

std::optional<built> build_matmul(const memory::desc& src, const memory::desc& weights,
                                  const std::optional<memory::desc>& bias, const memory::desc& dst,
                                  const post_op_list& then);

/// Softmax or, with `logarithm`, its logarithm along `axis`; source and destination alike.
std::optional<built> build_softmax(const memory::desc& data, int axis, bool logarithm);

/// Normalises the last axis; the scale and, if wanted, the shift are more arguments.
std::optional<built> build_layer_normalization(const memory::desc& data, float epsilon, bool shift);

/// Response normalisation across `size` channels.
std::optional<built> build_lrn(const memory::desc& data, std::int64_t size, float alpha, float beta,
                               float bias);

std::optional<built> build_reorder(const memory::desc& from, const memory::desc& to);

/// Everything that the bytes of a tensor in this format depend on, as text.
std::string text_of(const memory::desc& format);

/// The processor as a device. Lives as long as the process.
const dnnl::engine& cpu();

} // namespace shoal::onednn
