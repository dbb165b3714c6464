#include "kernels/cpu/matmul.hpp"

#include "kernels/cpu/onednn/converted_argument.hpp"
#include "kernels/cpu/onednn/formats.hpp"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

namespace shoal::kernels {
namespace {

/// Where one call starts in A, B and y, in elements.
struct start {
  std::int64_t a, b, y;
};

/// A problem as calls of one primitive over `batch` matrices each: what of the batch can be taken
/// as more rows or as a batch of oneDNN's is, the rest becomes calls.
struct schedule {
  std::int64_t batch = 1;
  std::int64_t rows = 0;
  std::vector<start> calls;
};

/// More calls than this are the reference's business.
constexpr std::int64_t most_calls = 1 << 16;

std::optional<schedule> plan(const matmul_problem& p, bool batches) {
  schedule s{1, p.rows, {}};
  int axes = p.a_batch.rank();
  const auto innermost = [&](auto fits) {
    std::int64_t product = 1;
    for (; axes > 0 && fits(p.a_batch[axes - 1], p.b_batch[axes - 1]); --axes)
      product *= std::max(p.a_batch[axes - 1], p.b_batch[axes - 1]);
    return product;
  };
  // The rows of all A that meet the same B are one matrix, if they follow each other.
  if (!p.transpose_a) s.rows *= innermost([](auto, auto b) { return b == 1; });
  if (batches && s.rows == p.rows) s.batch = innermost([](auto a, auto b) { return a == b; });

  shape outer = shape::filled(axes, 1);
  for (int i = 0; i < axes; ++i) outer[i] = std::max(p.a_batch[i], p.b_batch[i]);
  const auto calls = outer.element_count();
  if (calls > most_calls) return std::nullopt;
  const auto a_size = s.batch * s.rows * p.length, y_size = s.batch * s.rows * p.columns;
  const auto b_size = s.batch * p.length * p.columns;
  for (std::int64_t call = 0; call < calls; ++call) {
    std::int64_t rest = call, a = 0, b = 0, a_step = 1, b_step = 1;
    for (int i = axes - 1; i >= 0; --i) {
      const auto index = rest % outer[i];
      rest /= outer[i];
      a += p.a_batch[i] == 1 ? 0 : index * a_step;
      b += p.b_batch[i] == 1 ? 0 : index * b_step;
      a_step *= p.a_batch[i];
      b_step *= p.b_batch[i];
    }
    s.calls.push_back({a * a_size, b * b_size, call * y_size});
  }
  return s;
}

/// A primitive, what it runs on as it comes, and how often it is called.
struct choice {
  onednn::built what;
  dnnl::memory::desc plain_a, plain_b;
  schedule calls;
};

onednn::post_op_list operations_of(const matmul_problem& p) {
  onednn::post_op_list then;
  if (p.alpha != 1)
    then.push_back({onednn::post_op::kind::eltwise, dnnl::algorithm::eltwise_linear, p.alpha, 0});
  if (p.added == matmul_problem::addend::any)
    then.push_back({onednn::post_op::kind::sum, {}, p.beta, 0});
  return then;
}

/// Rows are pixels of an image one pixel wide, the inner axis its channels, innermost in memory.
std::optional<choice> as_convolution(const matmul_problem& p) {
  auto s = plan(p, false);
  if (!s) return std::nullopt;
  const shape source{1, p.length, s->rows, 1}, weights{p.columns, p.length, 1, 1};
  const shape target{1, p.columns, s->rows, 1};
  const auto a = p.transpose_a ? onednn::described(source, layout::plain)
                               : onednn::described(source, layout::channels_last);
  const auto b = p.transpose_b ? onednn::described(weights, layout::plain)
                               : onednn::strided(weights, {1, p.columns, 1, 1});
  std::optional<dnnl::memory::desc> bias;
  if (p.added == matmul_problem::addend::row) bias = onednn::described({p.columns}, layout::plain);
  const onednn::placement at{{1, 1}, {0, 0}, {0, 0}, {0, 0}};
  auto what = onednn::build_convolution(onednn::described(source, layout::channels_last),
                                        onednn::any_format(weights), bias,
                                        onednn::described(target, layout::channels_last), at,
                                        operations_of(p), onednn::convolution_algorithm::direct);
  if (!what) return std::nullopt;
  return choice{std::move(*what), a, b, std::move(*s)};
}

std::optional<choice> as_matmul(const matmul_problem& p) {
  auto s = plan(p, true);
  if (!s) return std::nullopt;
  const auto matrices = [&](std::int64_t rows, std::int64_t columns, bool transposed) {
    shape dims{rows, columns}, strides = transposed ? shape{1, rows} : shape{columns, 1};
    if (s->batch > 1) {
      dims = {s->batch, rows, columns};
      strides = {rows * columns, strides[0], strides[1]};
    }
    return onednn::strided(dims, strides);
  };
  const auto a = matrices(s->rows, p.length, p.transpose_a);
  const auto b = matrices(p.length, p.columns, p.transpose_b);
  std::optional<dnnl::memory::desc> bias;
  if (p.added == matmul_problem::addend::row)
    bias = onednn::described({1, p.columns}, layout::plain);
  auto what =
      onednn::build_matmul(a, b, bias, matrices(s->rows, p.columns, false), operations_of(p));
  if (!what) return std::nullopt;
  return choice{std::move(*what), a, b, std::move(*s)};
}

std::optional<choice> choose(const matmul_problem& p) {
  if (!p.constant_b)
    if (auto product = as_matmul(p)) {
      const std::string_view name = product->what.description.impl_info_str();
      if (name.starts_with("brg")) return product;
    }
  if (auto convolution = as_convolution(p)) return convolution;
  return as_matmul(p);
}

/// Writes `c`, broadcast, to the matrix y.
void spread(const const_view& c, float* y, std::int64_t rows, std::int64_t columns) {
  const auto* from = c.as<float>();
  const auto c_columns = c.dims.rank() > 0 ? c.dims[c.dims.rank() - 1] : 1;
  const auto c_rows = c.dims.rank() > 1 ? c.dims[0] : 1;
  for (std::int64_t i = 0; i < rows; ++i) {
    const auto* row = from + (c_rows == 1 ? 0 : i * c_columns);
    if (c_columns == 1)
      std::fill_n(y + i * columns, columns, *row);
    else
      std::copy_n(row, columns, y + i * columns);
  }
}

class onednn_matmul final : public packing_kernel {
 public:
  onednn_matmul(const matmul_problem& p, choice chosen)
      : problem_(p), schedule_(std::move(chosen.calls)), program_(std::move(chosen.what)),
        a_(program_, DNNL_ARG_SRC, chosen.plain_a, program_.description().src_desc(0)),
        b_(program_, DNNL_ARG_WEIGHTS, chosen.plain_b, program_.description().weights_desc(0)),
        y_(program_.add_argument(DNNL_ARG_DST, program_.description().dst_desc(0))) {
    if (p.added == matmul_problem::addend::row)
      bias_ = program_.add_argument(DNNL_ARG_BIAS, program_.description().weights_desc(1));
  }

  void run(const kernel_io& io) override {
    const auto* a = io.inputs[0].as<float>();
    const auto* b = io.inputs[1].as<float>();
    auto* y = io.outputs[0].as<float>();
    auto* a_scratch = io.scratch + onednn::whole_lines(program_.scratch_bytes());
    auto* b_scratch = a_scratch + a_.scratch_bytes();
    if (bias_ != 0) program_.bind(bias_, io.inputs[2].data);
    if (problem_.added == matmul_problem::addend::any)
      spread(io.inputs[2], y, problem_.rows, problem_.columns);
    for (const auto& call : schedule_.calls) {
      a_.bind(program_, a + call.a, a_scratch);
      b_.bind(program_, b + call.b, b_scratch);
      program_.bind(y_, y + call.y);
      program_.run(io.scratch);
    }
  }

  std::size_t scratch_bytes() const override {
    return onednn::whole_lines(program_.scratch_bytes()) + a_.scratch_bytes() + b_.scratch_bytes();
  }
  bool varies_with_batch() const override { return program_.is_gemm(); }
  bool can_pack() const override { return schedule_.calls.size() == 1 && schedule_.batch == 1; }
  std::string form() const override { return b_.form(); }
  std::size_t packed_bytes() const override { return b_.packed_bytes(); }
  void pack(const void* constant, void* packed) const override { b_.pack(constant, packed); }
  void take_packed(std::shared_ptr<const void> packed) override {
    b_.use_packed(program_, std::move(packed));
  }

 private:
  matmul_problem problem_;
  schedule schedule_;
  onednn::program program_;
  onednn::converted_argument a_, b_;
  std::size_t y_;
  std::size_t bias_ = 0; ///< 0, the scratchpad's slot, for none
};

bool all_positive(const shape& dims) {
  return std::all_of(dims.begin(), dims.end(), [](std::int64_t extent) { return extent > 0; });
}

} // namespace

std::unique_ptr<packing_kernel> make_matmul(const matmul_problem& p, int threads) {
  if (p.rows < 1 || p.columns < 1 || p.length < 1 || !all_positive(p.a_batch) ||
      !all_positive(p.b_batch))
    return nullptr;
  const onednn::thread_count_scope scope(threads);
  auto chosen = choose(p);
  if (!chosen) return nullptr;
  return std::make_unique<onednn_matmul>(p, std::move(*chosen));
}

} // namespace shoal::kernels
