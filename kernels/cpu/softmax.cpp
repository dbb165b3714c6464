#include "kernels/cpu/softmax.hpp"

#include "kernels/cpu/onednn/formats.hpp"
#include "kernels/cpu/onednn/program.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace shoal::kernels {
namespace {

class onednn_softmax final : public kernel {
 public:
  onednn_softmax(onednn::built what, const dnnl::memory::desc& rows, layout format)
      : program_(std::move(what)), format_(format),
        source_(program_.add_argument(DNNL_ARG_SRC, rows)),
        target_(program_.add_argument(DNNL_ARG_DST, rows)) {}

  void run(const kernel_io& io) override {
    program_.bind(source_, io.inputs[0].data);
    program_.bind(target_, io.outputs[0].data);
    program_.run(io.scratch);
  }
  layout input_layout(std::size_t) const override { return format_; }
  layout output_layout(std::size_t) const override { return format_; }
  std::size_t scratch_bytes() const override { return program_.scratch_bytes(); }
  std::optional<std::size_t> overwritable_input() const override { return 0; }

 private:
  onednn::program program_;
  layout format_;
  std::size_t source_, target_;
};

/// Turns [outer,axis,inner] into [outer,inner,axis], where every row is dense, and back.
class turned_softmax final : public kernel {
 public:
  turned_softmax(onednn::built what, onednn::built turn, onednn::built turn_back,
                 const dnnl::memory::desc& plain, const dnnl::memory::desc& turned,
                 const dnnl::memory::desc& rows)
      : softmax_(std::move(what)), turn_(std::move(turn)), turn_back_(std::move(turn_back)),
        bytes_(onednn::whole_lines(turned.get_size())) {
    for (const int role : {DNNL_ARG_SRC, DNNL_ARG_DST}) softmax_.add_argument(role, rows);
    turn_.add_argument(DNNL_ARG_FROM, plain);
    turn_.add_argument(DNNL_ARG_TO, turned);
    turn_back_.add_argument(DNNL_ARG_FROM, turned);
    turn_back_.add_argument(DNNL_ARG_TO, plain);
  }

  void run(const kernel_io& io) override {
    run_step(turn_, io.inputs[0].data, io.scratch, io.scratch + bytes_);
    run_step(softmax_, io.scratch, io.scratch, io.scratch + bytes_);
    run_step(turn_back_, io.scratch, io.outputs[0].data, io.scratch + bytes_);
  }
  std::size_t scratch_bytes() const override {
    return bytes_ +
           std::max({turn_.scratch_bytes(), softmax_.scratch_bytes(), turn_back_.scratch_bytes()});
  }
  std::optional<std::size_t> overwritable_input() const override { return 0; }

 private:
  static void run_step(onednn::program& step, const void* from, const void* to,
                       std::byte* scratch) {
    step.bind(1, from);
    step.bind(2, to);
    step.run(scratch);
  }

  onednn::program softmax_, turn_, turn_back_;
  std::size_t bytes_;
};

} // namespace

std::unique_ptr<kernel> make_softmax(const shape& dims, int axis, bool logarithm, layout produced,
                                     int threads) {
  const onednn::thread_count_scope scope(threads);
  const auto outer = dims.element_count(0, axis), length = dims[axis];
  const auto inner = dims.element_count(axis + 1, dims.rank());
  const bool dense = inner == 1 || (axis == 1 && produced == layout::channels_last);
  const shape rows{outer * inner, length};
  if (!onednn::representable(rows)) return nullptr;
  const auto format = onednn::described(rows, layout::plain);
  auto what = onednn::build_softmax(format, 1, logarithm);
  if (!what) return nullptr;
  if (dense)
    return std::make_unique<onednn_softmax>(std::move(*what), format,
                                            inner == 1 ? layout::plain : layout::channels_last);
  const shape seen{outer, length, inner};
  const auto plain = onednn::described(seen, layout::plain);
  const auto turned = onednn::described(seen, layout::channels_last);
  auto turn = onednn::build_reorder(plain, turned), back = onednn::build_reorder(turned, plain);
  if (!turn || !back) return nullptr;
  return std::make_unique<turned_softmax>(std::move(*what), std::move(*turn), std::move(*back),
                                          plain, turned, format);
}

} // namespace shoal::kernels
