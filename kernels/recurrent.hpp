#pragma once

#include "kernels/elementwise.hpp"

#include <array>
#include <cstdint>
#include <limits>

namespace shoal {

/// The function of one gate: one of `unary_function` with the parameters `alpha` and `beta`, or one
/// that only recurrent networks have.
struct gate_function {
  enum class kind : std::uint8_t {
    unary,
    affine,     ///< alpha x + beta
    scaled_tanh ///< alpha tanh(beta x)
  };
  kind what = kind::unary;
  unary_function function = unary_function::sigmoid;
  double alpha = 0;
  double beta = 0;
};

/// ONNX's RNN, GRU and LSTM for fixed extents. In what follows a * b is elementwise, A' a
/// transposed matrix, x the input of this step, h and c the states left by the one before. W is
/// [directions,gates hidden,inputs], R [directions,gates hidden,hidden], the bias
/// [directions,2 gates hidden] = Wb then Rb, the peepholes P [directions,3 hidden].
struct recurrent_problem {
  enum class cell : std::uint8_t {
    rnn,  ///< h = f(x W' + h R' + Wb + Rb)
    gru,  ///< gates z r h: z, r = f(..), n = g(x Wh' + (r * h) Rh' + ..), h = (1 - z) * n + z * h
    lstm, ///< gates i o f c: c = f * c + i * g(..), h = o * h(c); i, f see P * c before, o after
  };
  cell type = cell::rnn;
  std::int64_t steps = 0, batch = 0, inputs = 0, hidden = 0;
  int directions = 1;
  bool backward = false;    ///< the only direction goes from the last step to the first
  bool batch_first = false; ///< X, Y are [batch,steps,..], not [steps,batch,..]; states alike
  std::array<std::array<gate_function, 3>, 2> functions{}; ///< f, g, h of each direction
  /// What gates see is limited to [-clip, clip] before their function; the h of LSTM is no gate.
  double clip = std::numeric_limits<double>::infinity();
  bool input_forget = false;        ///< LSTM: f is 1 - i
  bool linear_before_reset = false; ///< GRU: n = g(x Wh' + Wbh + r * (h Rh' + Rbh))

  std::int64_t gates() const { return type == cell::rnn ? 1 : type == cell::gru ? 3 : 4; }
  bool goes_back(int direction) const { return direction == 1 || backward; }
  /// Rows of X (and of its gates), of Y and of the states.
  std::int64_t x_row(std::int64_t t, std::int64_t b) const {
    return batch_first ? b * steps + t : t * batch + b;
  }
  std::int64_t y_row(std::int64_t t, int d, std::int64_t b) const {
    return batch_first ? (b * steps + t) * directions + d : (t * directions + d) * batch + b;
  }
  std::int64_t state_row(int d, std::int64_t b) const {
    return batch_first ? b * directions + d : d * batch + b;
  }
};

/// The operands of a recurrent kernel. Those from `bias` on may be absent.
enum recurrent_operand : std::size_t {
  recurrent_x,
  recurrent_w,
  recurrent_r,
  recurrent_bias,
  recurrent_lengths, ///< int32, valid steps of each sequence; its Y is 0 beyond them
  recurrent_initial_h,
  recurrent_initial_c,
  recurrent_peepholes
};

} // namespace shoal
