#include "kernels/reference/recurrent.hpp"

#include "kernels/reference/floating.hpp"
#include "kernels/reference/unary.hpp"

#include <algorithm>
#include <cmath>
#include <string>

namespace shoal::reference {
namespace {

/// One direction of one sequence.
template <class T>
class sequence {
 public:
  sequence(const recurrent_problem& p, const kernel_io& io, int direction, std::int64_t b)
      : p_(p), io_(io), d_(direction), b_(b), n_(p.hidden), length_(sequence_length(p, io, b)),
        h_(reinterpret_cast<double*>(io.scratch)), c_(h_ + n_), next_(c_ + n_), gates_(next_ + n_) {
  }

  void run() {
    load(recurrent_initial_h, h_);
    load(recurrent_initial_c, c_);
    for (std::int64_t s = 0; s < length_; ++s) {
      t_ = p_.goes_back(d_) ? length_ - 1 - s : s;
      step();
      std::copy_n(next_, n_, h_);
      store_y(t_, h_);
    }
    if (length_ == 0) std::fill_n(h_, 2 * n_, 0.0);
    std::fill_n(next_, n_, 0.0);
    for (std::int64_t t = length_; t < p_.steps; ++t) store_y(t, next_);
    store(1, p_.state_row(d_, b_), h_);
    store(2, p_.state_row(d_, b_), c_);
  }

 private:
  const T* in(std::size_t i) const { return operand_or_none(io_, i).template as<T>(); }

  void load(std::size_t i, double* to) const {
    const T* from = in(i);
    for (std::int64_t j = 0; j < n_; ++j)
      to[j] = from == nullptr ? 0 : static_cast<double>(from[p_.state_row(d_, b_) * n_ + j]);
  }
  void store(std::size_t output, std::int64_t row, const double* from) const {
    if (output >= io_.outputs.size() || io_.outputs[output].data == nullptr) return;
    for (std::int64_t j = 0; j < n_; ++j)
      io_.outputs[output].template as<T>()[row * n_ + j] = rounded<T>(from[j]);
  }
  void store_y(std::int64_t t, const double* from) const { store(0, p_.y_row(t, d_, b_), from); }

  /// Row `row` of x W' + Wb.
  double input_sum(std::int64_t row) const {
    const T* x = in(recurrent_x) + p_.x_row(t_, b_) * p_.inputs;
    const T* w = in(recurrent_w) + (d_ * p_.gates() * n_ + row) * p_.inputs;
    double sum = bias(row);
    for (std::int64_t k = 0; k < p_.inputs; ++k)
      sum += static_cast<double>(x[k]) * static_cast<double>(w[k]);
    return sum;
  }
  /// Row `row` of h R' + Rb.
  double state_sum(std::int64_t row, const double* h) const {
    const T* r = in(recurrent_r) + (d_ * p_.gates() * n_ + row) * n_;
    double sum = bias(p_.gates() * n_ + row);
    for (std::int64_t k = 0; k < n_; ++k) sum += h[k] * static_cast<double>(r[k]);
    return sum;
  }
  double bias(std::int64_t row) const {
    const T* b = in(recurrent_bias);
    return b == nullptr ? 0 : static_cast<double>(b[d_ * 2 * p_.gates() * n_ + row]);
  }
  /// P[which] * c.
  double peephole(std::int64_t which, std::int64_t j) const {
    const T* peepholes = in(recurrent_peepholes);
    return peepholes == nullptr ? 0
                                : static_cast<double>(peepholes[(d_ * 3 + which) * n_ + j]) * c_[j];
  }
  double gate(int function, double x) const {
    const double limited = x < -p_.clip ? -p_.clip : x > p_.clip ? p_.clip : x;
    return apply(p_.functions[static_cast<std::size_t>(d_)][static_cast<std::size_t>(function)],
                 limited);
  }

  void step() {
    if (p_.type == recurrent_problem::cell::lstm) return lstm_step();
    if (p_.type == recurrent_problem::cell::gru) return gru_step();
    for (std::int64_t j = 0; j < n_; ++j) next_[j] = gate(0, input_sum(j) + state_sum(j, h_));
  }

  void gru_step() {
    double *z = gates_, *r = z + n_, *reset = r + n_;
    for (std::int64_t j = 0; j < 2 * n_; ++j) z[j] = gate(0, input_sum(j) + state_sum(j, h_));
    for (std::int64_t j = 0; j < n_; ++j) reset[j] = r[j] * h_[j];
    for (std::int64_t j = 0; j < n_; ++j) {
      const auto row = 2 * n_ + j;
      const double state =
          p_.linear_before_reset ? r[j] * state_sum(row, h_) : state_sum(row, reset);
      next_[j] = (1 - z[j]) * gate(1, input_sum(row) + state) + z[j] * h_[j];
    }
  }

  void lstm_step() {
    const auto sum = [&](std::int64_t which, std::int64_t j) {
      return input_sum(which * n_ + j) + state_sum(which * n_ + j, h_);
    };
    for (std::int64_t j = 0; j < n_; ++j) {
      const double i = gate(0, sum(0, j) + peephole(0, j));
      const double f = p_.input_forget ? 1 - i : gate(0, sum(2, j) + peephole(2, j));
      c_[j] = f * c_[j] + i * gate(1, sum(3, j));
      const double o = gate(0, sum(1, j) + peephole(1, j));
      next_[j] = o * apply(p_.functions[static_cast<std::size_t>(d_)][2], c_[j]);
    }
  }

  const recurrent_problem& p_;
  const kernel_io& io_;
  int d_;
  std::int64_t b_, n_, length_, t_ = 0;
  double *h_, *c_, *next_, *gates_;
};

} // namespace

std::size_t recurrent_scratch(const recurrent_problem& p) {
  return static_cast<std::size_t>((3 + p.gates()) * p.hidden) * sizeof(double);
}

std::int64_t sequence_length(const recurrent_problem& p, const kernel_io& io, std::int64_t b) {
  const auto lengths = operand_or_none(io, recurrent_lengths);
  if (lengths.data == nullptr) return p.steps;
  const auto length = lengths.as<std::int32_t>()[b];
  if (length < 0 || length > p.steps)
    throw kernel_error("sequence " + std::to_string(b) + " is said to have " +
                       std::to_string(length) + " steps, the input has " + std::to_string(p.steps));
  return length;
}

double apply(const gate_function& f, double x) {
  switch (f.what) {
  case gate_function::kind::affine:
    return f.alpha * x + f.beta;
  case gate_function::kind::scaled_tanh:
    return f.alpha * std::tanh(f.beta * x);
  default:
    return apply(f.function, {f.alpha, f.beta}, x);
  }
}

void recurrent(const recurrent_problem& p, const kernel_io& io) {
  visit_floating(io.inputs[recurrent_x].type, [&]<class T>(std::type_identity<T>) {
    for (int d = 0; d < p.directions; ++d)
      for (std::int64_t b = 0; b < p.batch; ++b) sequence<T>(p, io, d, b).run();
  });
}

} // namespace shoal::reference
