#pragma once

#include <cstdint>

namespace shoal {

/// The elementwise function that a fused convolution applies to its result.
struct activation {
  enum class kind : std::uint8_t {
    none,
    relu,        ///< max(x, 0)
    leaky_relu,  ///< x, or alpha * x where x < 0
    clip,        ///< x limited to [alpha, beta]
    sigmoid,     ///< 1 / (1 + exp(-x))
    tanh,        ///< tanh(x)
    hard_sigmoid ///< alpha * x + beta limited to [0, 1]
  };
  kind function = kind::none;
  float alpha = 0;
  float beta = 0;
};

} // namespace shoal
