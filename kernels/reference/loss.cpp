#include "kernels/reference/loss.hpp"

#include "kernels/reference/floating.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace shoal::reference {
namespace {

std::int64_t target_of(const const_view& targets, std::int64_t i) {
  return targets.type == dtype::i32 ? targets.as<std::int32_t>()[i] : targets.as<std::int64_t>()[i];
}

/// ln sum e^x over the classes, `step` apart.
template <class T>
double log_sum(const T* x, std::int64_t classes, std::int64_t step) {
  double most = -std::numeric_limits<double>::infinity(), sum = 0;
  for (std::int64_t c = 0; c < classes; ++c)
    most = std::max(most, static_cast<double>(x[c * step]));
  if (std::isinf(most)) return most;
  for (std::int64_t c = 0; c < classes; ++c)
    sum += std::exp(static_cast<double>(x[c * step]) - most);
  return most + std::log(sum);
}

template <class T>
void run(const loss_problem& p, const kernel_io& io) {
  const T* weights = io.inputs.size() > 2 ? io.inputs[2].as<T>() : nullptr;
  T* probabilities = io.outputs.size() > 1 ? io.outputs[1].as<T>() : nullptr;
  double sum = 0, weight_sum = 0;
  for (std::int64_t i = 0; i < p.batch * p.inner; ++i) {
    const auto start = i / p.inner * p.classes * p.inner + i % p.inner;
    const T* x = io.inputs[0].as<T>() + start;
    const double less = p.softmax ? log_sum(x, p.classes, p.inner) : 0;
    const auto score = [&](std::int64_t c) { return static_cast<double>(x[c * p.inner]) - less; };
    if (probabilities != nullptr)
      for (std::int64_t c = 0; c < p.classes; ++c)
        probabilities[start + c * p.inner] = rounded<T>(score(c));
    const auto target = target_of(io.inputs[1], i);
    double loss = 0;
    if (target != p.ignored) {
      if (target < 0 || target >= p.classes)
        throw kernel_error("target " + std::to_string(target) + " is none of " +
                           std::to_string(p.classes) + " classes");
      const double weight = weights == nullptr ? 1 : static_cast<double>(weights[target]);
      loss = -weight * score(target);
      weight_sum += weight;
    }
    sum += loss;
    if (p.reduction == loss_reduction::none) io.outputs[0].as<T>()[i] = rounded<T>(loss);
  }
  if (p.reduction == loss_reduction::sum) *io.outputs[0].as<T>() = rounded<T>(sum);
  if (p.reduction == loss_reduction::mean) *io.outputs[0].as<T>() = rounded<T>(sum / weight_sum);
}

} // namespace

void negative_log_likelihood(const loss_problem& p, const kernel_io& io) {
  visit_floating(io.inputs[0].type, [&]<class T>(std::type_identity<T>) { run<T>(p, io); });
}

} // namespace shoal::reference
