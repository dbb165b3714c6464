#include "kernels/reference/loss.hpp"

#include "kernels/kernel.hpp"
#include "kernels/reference/floating.hpp"

#include <string>

namespace shoal::reference {

void negative_log_likelihood(loss_reduction reduction, std::optional<std::int64_t> ignored,
                             const const_view& x, const const_view& target,
                             const const_view& weight, const view& y) {
  const auto classes = x.dims[1], inner = x.dims.element_count(2, x.dims.rank());
  const auto label = [&](std::int64_t i) -> std::int64_t {
    return target.type == dtype::i64 ? target.as<std::int64_t>()[i] : target.as<std::int32_t>()[i];
  };
  double sum = 0, weights = 0;
  visit_floating(x.type, [&]<class T>(std::type_identity<T>) {
    for (std::int64_t i = 0; i < target.element_count(); ++i) {
      const auto at = label(i);
      double loss = 0;
      if (!ignored || at != *ignored) {
        if (at < 0 || at >= classes)
          throw kernel_error("target " + std::to_string(at) + " of " + std::to_string(classes) +
                             " classes");
        const double own = weight.data == nullptr ? 1 : element(weight, at);
        const auto from = (i / inner * classes + at) * inner + i % inner;
        loss = -own * static_cast<double>(x.as<T>()[from]);
        weights += own;
      }
      sum += loss;
      if (reduction == loss_reduction::none) y.as<T>()[i] = rounded<T>(loss);
    }
    if (reduction != loss_reduction::none)
      *y.as<T>() = rounded<T>(reduction == loss_reduction::mean ? sum / weights : sum);
  });
}

} // namespace shoal::reference
