#include "runtime/aggregate/class_choices.hpp"

namespace shoal {

result<tensor> best_classes(const tensor& scores, const axis_layout& along) {
  SHOAL_TRY(auto out, tensor::allocate({dtype::i64, without_axis(scores.dims(), along.axis)}));
  const auto* values = scores.values<double>().data();
  const auto best = out.mutable_values<std::int64_t>();
  for (std::int64_t o = 0; o < along.outer; ++o)
    for (std::int64_t i = 0; i < along.inner; ++i)
      best[static_cast<std::size_t>(o * along.inner + i)] =
          argmax(values + o * along.extent * along.inner + i, along.extent, along.inner);
  return out;
}

double agreement_of(const std::vector<tensor>& choices, const tensor& winners) {
  const auto won = winners.values<std::int64_t>();
  if (choices.empty() || won.empty()) return 1;
  std::uint64_t agreed = 0;
  for (const auto& choice : choices) {
    const auto chosen = choice.values<std::int64_t>();
    for (std::size_t i = 0; i < won.size(); ++i) agreed += chosen[i] == won[i] ? 1 : 0;
  }
  return static_cast<double>(agreed) / static_cast<double>(choices.size() * won.size());
}

} // namespace shoal
