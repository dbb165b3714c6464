#include "kernels/cpu/softmax.hpp"

#include "kernels/cpu/math.hpp"
#include "kernels/cpu/onednn/formats.hpp"
#include "kernels/cpu/onednn/program.hpp"
#include "kernels/cpu/parallel.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace shoal::kernels {
namespace {

class onednn_softmax final : public kernel {
 public:
  onednn_softmax(onednn::built what, const dnnl::memory::desc& rows)
      : program_(std::move(what)), source_(program_.add_argument(DNNL_ARG_SRC, rows)),
        target_(program_.add_argument(DNNL_ARG_DST, rows)) {}

  void run(const kernel_io& io) override {
    program_.bind(source_, io.inputs[0].data);
    program_.bind(target_, io.outputs[0].data);
    program_.run(io.scratch);
  }
  std::size_t scratch_bytes() const override { return program_.scratch_bytes(); }
  std::optional<std::size_t> overwritable_input() const override { return 0; }

 private:
  onednn::program program_;
  std::size_t source_, target_;
};

/// Neighbours that are normalised together: a few cache lines of each step along the axis.
constexpr std::int64_t lanes = 128;

/// `count` <= `lanes` columns of `axis` elements, `step` apart.
SHOAL_MULTIVERSION
void normalize_columns(const float* x, float* y, std::int64_t axis, std::int64_t step,
                       std::int64_t count, bool logarithm) {
  float largest[lanes], sum[lanes];
  for (std::int64_t i = 0; i < count; ++i) {
    largest[i] = x[i];
    sum[i] = 0;
  }
  for (std::int64_t a = 1; a < axis; ++a)
    for (std::int64_t i = 0; i < count; ++i)
      largest[i] = x[a * step + i] > largest[i] ? x[a * step + i] : largest[i];
  if (logarithm) {
    for (std::int64_t a = 0; a < axis; ++a)
      for (std::int64_t i = 0; i < count; ++i) sum[i] += math::exp(x[a * step + i] - largest[i]);
    for (std::int64_t i = 0; i < count; ++i) sum[i] = std::log(sum[i]);
    for (std::int64_t a = 0; a < axis; ++a)
      for (std::int64_t i = 0; i < count; ++i)
        y[a * step + i] = (x[a * step + i] - largest[i]) - sum[i];
    return;
  }
  for (std::int64_t a = 0; a < axis; ++a)
    for (std::int64_t i = 0; i < count; ++i) {
      const float e = math::exp(x[a * step + i] - largest[i]);
      y[a * step + i] = e;
      sum[i] += e;
    }
  for (std::int64_t a = 0; a < axis; ++a)
    for (std::int64_t i = 0; i < count; ++i) y[a * step + i] /= sum[i];
}

class strided_softmax final : public kernel {
 public:
  strided_softmax(std::int64_t outer, std::int64_t axis, std::int64_t inner, bool logarithm)
      : outer_(outer), axis_(axis), inner_(inner), logarithm_(logarithm) {}

  void run(const kernel_io& io) override {
    const auto blocks = (inner_ + lanes - 1) / lanes;
    const auto grain = std::max<std::int64_t>(parallel_threshold / (axis_ * lanes), 1);
    parallel_pieces(outer_ * blocks, grain, [&](std::int64_t first, std::int64_t last) {
      for (auto block = first; block < last; ++block) {
        const auto column = block % blocks * lanes;
        const auto start = block / blocks * axis_ * inner_ + column;
        normalize_columns(io.inputs[0].as<float>() + start, io.outputs[0].as<float>() + start,
                          axis_, inner_, std::min(lanes, inner_ - column), logarithm_);
      }
    });
  }
  std::optional<std::size_t> overwritable_input() const override { return 0; }

 private:
  std::int64_t outer_, axis_, inner_;
  bool logarithm_;
};

} // namespace

std::unique_ptr<kernel> make_softmax(std::int64_t outer, std::int64_t axis,
                                     std::optional<std::int64_t> inner, bool logarithm,
                                     int threads) {
  if (outer < 1 || axis < 1 || inner.value_or(1) < 1) return nullptr;
  if (inner) return std::make_unique<strided_softmax>(outer, axis, *inner, logarithm);
  const onednn::thread_count_scope scope(threads);
  const auto rows = onednn::described({outer, axis}, layout::plain);
  auto what = onednn::build_softmax(rows, 1, logarithm);
  if (!what) return nullptr;
  return std::make_unique<onednn_softmax>(std::move(*what), rows);
}

} // namespace shoal::kernels
