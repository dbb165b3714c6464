#include "kernels/cpu/math.hpp"
#include "kernels/cpu/unary.hpp"
#include "kernels/reference/unary.hpp"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>
#include <vector>

using namespace shoal;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

/// The largest relative error of f(x) against double precision, for floats spread over
/// [low, high]; results below the smallest normal float count as 0.
double worst_error(unary_function f, float low, float high) {
  constexpr int count = 200001;
  std::vector<float> in(count), out(count);
  for (int i = 0; i < count; ++i)
    in[static_cast<std::size_t>(i)] = low + (high - low) * static_cast<float>(i) / (count - 1);
  kernels::unary(f, {1, 1}, in.data(), out.data(), count);
  double worst = 0;
  for (std::size_t i = 0; i < in.size(); ++i) {
    const double exact = reference::apply(f, {1, 1}, in[i]);
    if (std::fabs(exact) < std::numeric_limits<float>::min()) continue;
    worst = std::fmax(worst, std::fabs(out[i] / exact - 1));
  }
  return worst;
}

float one(unary_function f, float x) {
  kernels::unary(f, {1, 1}, &x, &x, 1);
  return x;
}

} // namespace

TEST_CASE("vectorised functions are as exact as their header says") {
  CHECK(worst_error(unary_function::exp, -87, 88) < 1.5e-7);
  CHECK(worst_error(unary_function::exp, -1, 1) < 1.5e-7);
  CHECK(worst_error(unary_function::log, 1e-3f, 10) < 3e-7);
  CHECK(worst_error(unary_function::log, 1, 1e30f) < 3e-7);
  CHECK(worst_error(unary_function::log, 1e-40f, 1e-37f) < 3e-7);
  CHECK(worst_error(unary_function::tanh, -10, 10) < 3e-7);
  CHECK(worst_error(unary_function::tanh, -1e-3f, 1e-3f) < 3e-7);
  CHECK(worst_error(unary_function::sigmoid, -87, 20) < 3e-7);
  CHECK(worst_error(unary_function::erf, -5, 5) < 4e-7);
  CHECK(worst_error(unary_function::elu, -20, 1) < 4e-7);
  CHECK(worst_error(unary_function::softplus, -80, 80) < 4e-7);
  CHECK(worst_error(unary_function::mish, -80, 80) < 1e-6);
  CHECK(worst_error(unary_function::swish, -80, 80) < 4e-7);
}

TEST_CASE("the exponential of a softmax is as exact as the other one, and 0 where that is tiny") {
  double worst = 0;
  for (int i = 0; i <= 200000; ++i) {
    const float x = -87.0f * static_cast<float>(i) / 200000;
    const auto exact = std::exp(static_cast<double>(x));
    worst = std::fmax(worst, std::fabs(kernels::math::exp_of_negative(x) / exact - 1));
  }
  CHECK(worst < 1.5e-7);
  CHECK(kernels::math::exp_of_negative(0) == 1);
  for (const float x : {-88.0f, -89.0f, -104.0f, -10000.0f, -infinity})
    CHECK(kernels::math::exp_of_negative(x) == 0);
  CHECK(std::isnan(kernels::math::exp_of_negative(std::numeric_limits<float>::quiet_NaN())));
}

TEST_CASE("vectorised functions keep what is special") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto f : {unary_function::exp, unary_function::log, unary_function::tanh,
                       unary_function::sigmoid, unary_function::erf, unary_function::relu,
                       unary_function::softplus, unary_function::mish, unary_function::elu,
                       unary_function::gelu, unary_function::clip, unary_function::hard_swish}) {
    CAPTURE(static_cast<int>(f));
    CHECK(std::isnan(one(f, nan)));
  }
  CHECK(one(unary_function::exp, infinity) == infinity);
  CHECK(one(unary_function::exp, 89) == infinity);
  CHECK(one(unary_function::exp, -infinity) == 0);
  CHECK(one(unary_function::exp, 0) == 1);
  CHECK(one(unary_function::log, 0) == -infinity);
  CHECK(one(unary_function::log, infinity) == infinity);
  CHECK(std::isnan(one(unary_function::log, -1)));
  CHECK(one(unary_function::log, 1) == 0);
  CHECK(one(unary_function::tanh, infinity) == 1);
  CHECK(one(unary_function::tanh, -infinity) == -1);
  CHECK(one(unary_function::erf, infinity) == 1);
  CHECK(one(unary_function::erf, -infinity) == -1);
  CHECK(one(unary_function::sigmoid, -infinity) == 0);
  CHECK(one(unary_function::sigmoid, infinity) == 1);
  CHECK(one(unary_function::softplus, infinity) == infinity);
}
