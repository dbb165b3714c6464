#include "kernels/cpu/recurrent.hpp"

#include "kernels/cpu/matmul.hpp"
#include "kernels/cpu/parallel.hpp"
#include "kernels/cpu/simd.hpp"
#include "kernels/cpu/unary.hpp"
#include "kernels/reference/recurrent.hpp"

#include <algorithm>
#include <cmath>

namespace shoal::kernels {
namespace {

using cell = recurrent_problem::cell;

SHOAL_MULTIVERSION
void add(const float* a, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] += a[i];
}

SHOAL_MULTIVERSION
void add_product(const float* a, const float* b, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] += a[i] * b[i];
}

SHOAL_MULTIVERSION
void multiply(const float* a, const float* b, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = a[i] * b[i];
}

SHOAL_MULTIVERSION
void limit(float bound, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) {
    const float raised = y[i] < -bound ? -bound : y[i];
    y[i] = raised > bound ? bound : raised;
  }
}

SHOAL_MULTIVERSION
void scale(float factor, float shift, float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = factor * y[i] + shift;
}

SHOAL_MULTIVERSION
void softsign(float* y, std::int64_t n) {
#pragma omp simd
  for (std::int64_t i = 0; i < n; ++i) y[i] = y[i] / (1.0f + std::fabs(y[i]));
}

/// h = (1 - z) n + z h.
SHOAL_MULTIVERSION
void blend(const float* z, const float* n, float* h, std::int64_t count) {
#pragma omp simd
  for (std::int64_t i = 0; i < count; ++i) h[i] = (1.0f - z[i]) * n[i] + z[i] * h[i];
}

/// c = f c + i g.
SHOAL_MULTIVERSION
void remember(const float* f, const float* i, const float* g, float* c, std::int64_t count) {
#pragma omp simd
  for (std::int64_t k = 0; k < count; ++k) c[k] = f[k] * c[k] + i[k] * g[k];
}

void activate(const gate_function& f, float* y, std::int64_t n) {
  const auto alpha = static_cast<float>(f.alpha), beta = static_cast<float>(f.beta);
  if (f.what == gate_function::kind::affine) return scale(alpha, beta, y, n);
  if (f.what == gate_function::kind::scaled_tanh) {
    scale(beta, 0, y, n);
    unary(unary_function::tanh, {}, y, y, n);
    return scale(alpha, 0, y, n);
  }
  if (f.function == unary_function::softsign) return softsign(y, n);
  unary(f.function, {f.alpha, f.beta}, y, y, n);
}

std::size_t whole_lines(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

std::size_t bytes_of(std::int64_t floats) {
  return whole_lines(static_cast<std::size_t>(floats) * sizeof(float));
}

/// Takes `bytes` off the front of `rest`.
template <class T>
T* take(std::byte*& rest, std::size_t bytes) {
  auto* taken = reinterpret_cast<T*>(rest);
  rest += bytes;
  return taken;
}

/// Products of one direction, as indices into the list of all.
struct direction_products {
  std::size_t input = 0, state = 0;
  std::size_t candidate = 0; ///< of a GRU that resets before it multiplies
};

class onednn_recurrent final : public recurrent_kernel {
 public:
  onednn_recurrent(const recurrent_problem& p, std::vector<product> products)
      : p_(p), products_(std::move(products)), width_(p.gates() * p.hidden),
        reset_first_(p.type == cell::gru && !p.linear_before_reset) {
    for (auto& of : products_) {
      // Weights come packed, in this run or for all: no product needs scratch to convert its own.
      of.work->use_packed({std::shared_ptr<const void>(), &products_});
      product_scratch_ = std::max(product_scratch_, whole_lines(of.work->scratch_bytes()));
    }
  }

  std::span<product> products() override { return products_; }

  std::size_t scratch_bytes() const override {
    const auto states = p_.batch * p_.hidden;
    std::size_t packed = 0;
    for (const auto& of : products_)
      if (!of.is_packed) packed += whole_lines(of.work->packed_bytes());
    return product_scratch_ + packed + bytes_of(p_.steps * p_.batch * width_) +
           bytes_of(p_.batch * width_) + 4 * bytes_of(states) + 3 * bytes_of(width_);
  }

  void run(const kernel_io& io) override {
    io_ = &io;
    for (std::int64_t b = 0; b < p_.batch; ++b) reference::sequence_length(p_, io, b); // checks
    std::byte* rest = io.scratch;
    product_memory_ = take<std::byte>(rest, product_scratch_);
    x_gates_ = take<float>(rest, bytes_of(p_.steps * p_.batch * width_));
    h_gates_ = take<float>(rest, bytes_of(p_.batch * width_));
    const auto states = bytes_of(p_.batch * p_.hidden);
    h_ = take<float>(rest, states);
    c_ = take<float>(rest, states);
    reset_ = take<float>(rest, states);
    candidate_ = take<float>(rest, states);
    bias_ = take<float>(rest, bytes_of(width_));
    state_bias_ = take<float>(rest, bytes_of(width_));
    for (auto& of : products_)
      if (!of.is_packed) pack(of, rest);
    const std::size_t per_direction = products_.size() / static_cast<std::size_t>(p_.directions);
    for (int d = 0; d < p_.directions; ++d) {
      const auto first = static_cast<std::size_t>(d) * per_direction;
      run_direction(d, {first, first + 1, first + 2});
    }
  }

 private:
  /// For this run alone.
  void pack(product& of, std::byte*& rest) {
    const auto* from = io_->inputs[of.weights].as<float>() + of.offset;
    const void* data = from;
    if (!of.work->form().empty()) {
      auto* to = take<std::byte>(rest, whole_lines(of.work->packed_bytes()));
      of.work->pack(from, to);
      data = to;
    }
    of.work->use_packed({std::shared_ptr<const void>(), data});
  }

  void multiply_by(std::size_t which, const float* a, const float* row, float* y) {
    auto& of = products_[which];
    const const_view inputs[] = {{a, dtype::f32, layout::plain, {}},
                                 {nullptr, dtype::f32, layout::plain, {}},
                                 {row, dtype::f32, layout::plain, {}}};
    const view outputs[] = {{y, dtype::f32, layout::plain, {}}};
    of.work->run({inputs, outputs, product_memory_});
  }

  const float* operand(std::size_t i) const {
    return reference::operand_or_none(*io_, i).as<float>();
  }
  float* output(std::size_t i) const {
    return i < io_->outputs.size() ? io_->outputs[i].as<float>() : nullptr;
  }

  /// What is added once: Wb + Rb, but for the candidate of a GRU that resets after multiplying,
  /// whose Rb belongs to the product with the state.
  void add_biases(int d) {
    std::fill_n(bias_, width_, 0.0f);
    std::fill_n(state_bias_, width_, 0.0f);
    const float* given = operand(recurrent_bias);
    if (given == nullptr) return;
    given += d * 2 * width_;
    const auto together = p_.type == cell::gru && p_.linear_before_reset ? 2 * p_.hidden : width_;
    std::copy_n(given, width_, bias_);
    add(given + width_, bias_, together);
    std::copy_n(given + width_ + together, width_ - together, state_bias_ + together);
  }

  void load(std::size_t i, int d, float* to) const {
    const float* from = operand(i);
    for (std::int64_t b = 0; b < p_.batch; ++b)
      if (from == nullptr)
        std::fill_n(to + b * p_.hidden, p_.hidden, 0.0f);
      else
        std::copy_n(from + p_.state_row(d, b) * p_.hidden, p_.hidden, to + b * p_.hidden);
  }

  void store(std::size_t i, int d, const float* from) const {
    float* to = output(i);
    if (to == nullptr) return;
    for (std::int64_t b = 0; b < p_.batch; ++b) {
      float* row = to + p_.state_row(d, b) * p_.hidden;
      if (reference::sequence_length(p_, *io_, b) == 0)
        std::fill_n(row, p_.hidden, 0.0f);
      else
        std::copy_n(from + b * p_.hidden, p_.hidden, row);
    }
  }

  void run_direction(int d, const direction_products& by) {
    add_biases(d);
    multiply_by(by.input, operand(recurrent_x), bias_, x_gates_);
    load(recurrent_initial_h, d, h_);
    load(recurrent_initial_c, d, c_);
    const std::int64_t grain = std::max<std::int64_t>(1, parallel_threshold / (8 * width_));
    const auto each_row = [&](auto f) {
      parallel_pieces(p_.batch, grain, [&](std::int64_t first, std::int64_t last) {
        for (auto b = first; b < last; ++b) f(b);
      });
    };
    for (std::int64_t s = 0; s < p_.steps; ++s) {
      multiply_by(by.state, h_, state_bias_, h_gates_);
      if (reset_first_) {
        each_row([&](std::int64_t b) { reset_row(d, s, b); });
        multiply_by(by.candidate, reset_, state_bias_, candidate_);
      }
      each_row([&](std::int64_t b) { row(d, s, b); });
    }
    clear_rest(d);
    store(1, d, h_);
    store(2, d, c_);
  }

  /// Zeros for the steps after the end of each sequence.
  void clear_rest(int d) const {
    float* y = output(0);
    if (y == nullptr) return;
    for (std::int64_t b = 0; b < p_.batch; ++b)
      for (auto t = reference::sequence_length(p_, *io_, b); t < p_.steps; ++t)
        std::fill_n(y + p_.y_row(t, d, b) * p_.hidden, p_.hidden, 0.0f);
  }

  /// The step that sequence `b` is at, or -1 when it is over.
  std::int64_t time_of(int d, std::int64_t s, std::int64_t b) const {
    const auto length = reference::sequence_length(p_, *io_, b);
    if (s >= length) return -1;
    return p_.goes_back(d) ? length - 1 - s : s;
  }

  void gate(int d, int function, float* y, std::int64_t n) const {
    if (std::isfinite(p_.clip)) limit(static_cast<float>(p_.clip), y, n);
    activate(p_.functions[static_cast<std::size_t>(d)][static_cast<std::size_t>(function)], y, n);
  }

  /// z and r, and r * h for the second product.
  void reset_row(int d, std::int64_t s, std::int64_t b) const {
    const auto n = p_.hidden;
    const auto t = time_of(d, s, b);
    if (t < 0) {
      std::fill_n(reset_ + b * n, n, 0.0f);
      return;
    }
    float* gates = x_gates_ + p_.x_row(t, b) * width_;
    add(h_gates_ + b * 2 * n, gates, 2 * n);
    gate(d, 0, gates, 2 * n);
    multiply(gates + n, h_ + b * n, reset_ + b * n, n);
  }

  void row(int d, std::int64_t s, std::int64_t b) const {
    const auto n = p_.hidden;
    const auto t = time_of(d, s, b);
    if (t < 0) return;
    float* gates = x_gates_ + p_.x_row(t, b) * width_;
    float* h = h_ + b * n;
    if (p_.type == cell::lstm)
      lstm_row(d, gates, h_gates_ + b * width_, c_ + b * n, h);
    else if (p_.type == cell::gru)
      gru_row(d, gates, b, h);
    else {
      add(h_gates_ + b * n, gates, n);
      gate(d, 0, gates, n);
      std::copy_n(gates, n, h);
    }
    if (float* y = output(0)) std::copy_n(h, n, y + p_.y_row(t, d, b) * n);
  }

  void gru_row(int d, float* gates, std::int64_t b, float* h) const {
    const auto n = p_.hidden;
    float *z = gates, *r = z + n, *candidate = r + n;
    if (reset_first_) {
      add(candidate_ + b * n, candidate, n);
    } else {
      add(h_gates_ + b * width_, gates, 2 * n);
      gate(d, 0, gates, 2 * n);
      add_product(r, h_gates_ + b * width_ + 2 * n, candidate, n);
    }
    gate(d, 1, candidate, n);
    blend(z, candidate, h, n);
  }

  void lstm_row(int d, float* gates, const float* h_gates, float* c, float* h) const {
    const auto n = p_.hidden;
    float *i = gates, *o = i + n, *f = o + n, *g = f + n;
    add(h_gates, gates, 4 * n);
    const float* peepholes = operand(recurrent_peepholes);
    if (peepholes != nullptr) {
      peepholes += d * 3 * n;
      add_product(peepholes, c, i, n);
      add_product(peepholes + 2 * n, c, f, n);
    }
    gate(d, 0, i, n);
    if (p_.input_forget) {
      std::copy_n(i, n, f);
      scale(-1, 1, f, n);
    } else {
      gate(d, 0, f, n);
    }
    gate(d, 1, g, n);
    remember(f, i, g, c, n);
    if (peepholes != nullptr) add_product(peepholes + n, c, o, n);
    gate(d, 0, o, n);
    std::copy_n(c, n, h);
    activate(p_.functions[static_cast<std::size_t>(d)][2], h, n);
    multiply(o, h, h, n);
  }

  recurrent_problem p_;
  std::vector<product> products_;
  std::int64_t width_; ///< of all gates
  bool reset_first_;
  std::size_t product_scratch_ = 0;

  // Of the run in progress.
  const kernel_io* io_ = nullptr;
  std::byte* product_memory_ = nullptr;
  float *x_gates_ = nullptr, *h_gates_ = nullptr, *h_ = nullptr, *c_ = nullptr, *reset_ = nullptr,
        *candidate_ = nullptr, *bias_ = nullptr, *state_bias_ = nullptr;
};

} // namespace

std::unique_ptr<recurrent_kernel> make_recurrent(const recurrent_problem& p, int threads) {
  std::vector<recurrent_kernel::product> products;
  const auto add_product = [&](recurrent_operand weights, std::int64_t offset, std::int64_t rows,
                               std::int64_t columns, std::int64_t length) {
    auto work = make_matmul({.a_batch = {},
                             .b_batch = {},
                             .rows = rows,
                             .columns = columns,
                             .length = length,
                             .transpose_b = true,
                             .added = matmul_problem::addend::row,
                             .constant_b = true},
                            threads);
    const bool made = work != nullptr && work->can_pack();
    products.push_back({std::move(work), weights, offset});
    return made;
  };
  const bool reset_first = p.type == cell::gru && !p.linear_before_reset;
  const auto n = p.hidden, width = p.gates() * n;
  for (int d = 0; d < p.directions; ++d) {
    if (!add_product(recurrent_w, d * width * p.inputs, p.steps * p.batch, width, p.inputs) ||
        !add_product(recurrent_r, d * width * n, p.batch, reset_first ? 2 * n : width, n))
      return nullptr;
    if (reset_first && !add_product(recurrent_r, (d * width + 2 * n) * n, p.batch, n, n))
      return nullptr;
  }
  return std::make_unique<onednn_recurrent>(p, std::move(products));
}

} // namespace shoal::kernels
