#include "runtime/plan/cost_model.hpp"

#include "runtime/base/fail.hpp"

#include <algorithm>
#include <bit>

namespace shoal {

namespace {

/// Sums of bytes stay below this, so that a stage's sum plus its queues cannot overflow either.
constexpr std::uint64_t max_total = std::uint64_t{1} << 60;
constexpr double max_seconds = 1e9;

result<void> check_lengths(const model_costs& costs) {
  const auto n = costs.layers.size();
  if (n == 0) return fail(errc::invalid_argument, "a model without layers cannot be partitioned");
  if (n > cost_model::max_layers)
    return fail(errc::resource_exhausted, "expected at most {} layers, got {}",
                cost_model::max_layers, n);
  if (costs.cut_bytes.size() != n + 1)
    return fail(errc::invalid_argument, "expected the bytes of {} cuts of {} layers, got {}", n + 1,
                n, costs.cut_bytes.size());
  if (!costs.cut_forbidden.empty() && costs.cut_forbidden.size() != n + 1)
    return fail(errc::invalid_argument, "expected {} marks of forbidden cuts or none, got {}",
                n + 1, costs.cut_forbidden.size());
  return {};
}

result<void> add_total(std::uint64_t& total, std::uint64_t more, std::string_view what,
                       const std::string& layer) {
  if (more > max_total || total + more > max_total)
    return fail(errc::invalid_argument, "layer {}: the sum of {} up to here exceeds 2^60", layer,
                what);
  total += more;
  return {};
}

} // namespace

result<cost_model> cost_model::create(model_costs costs) {
  SHOAL_CHECK(check_lengths(costs));
  cost_model model(std::move(costs));
  const auto& known = model.costs_;
  const auto n = known.layers.size();
  model.seconds_.assign(1, 0.0);
  model.parameters_.assign(1, 0);
  model.flops_.assign(1, 0);
  model.peaks_.emplace_back();
  for (const auto& layer : known.layers) {
    if (!(layer.seconds >= 0 && layer.seconds <= max_seconds))
      return fail(errc::invalid_argument, "layer {}: {} s is not a time", layer.name,
                  layer.seconds);
    auto parameters = model.parameters_.back();
    auto flops = model.flops_.back();
    SHOAL_CHECK(add_total(parameters, layer.parameter_bytes, "parameter bytes", layer.name));
    SHOAL_CHECK(add_total(flops, layer.flops, "FLOPs", layer.name));
    if (layer.activation_bytes > max_total)
      return fail(errc::invalid_argument, "layer {}: {} bytes of activations exceed 2^60",
                  layer.name, layer.activation_bytes);
    model.seconds_.push_back(model.seconds_.back() + layer.seconds);
    model.parameters_.push_back(parameters);
    model.flops_.push_back(flops);
    model.peaks_[0].push_back(layer.activation_bytes);
  }
  for (std::size_t cut = 0; cut <= n; ++cut) {
    if (known.cut_bytes[cut] > max_total)
      return fail(errc::invalid_argument, "cut {}: {} bytes exceed 2^60", cut,
                  known.cut_bytes[cut]);
    const bool end = cut == 0 || cut == n;
    if (end || known.cut_forbidden.empty() || !known.cut_forbidden[cut]) model.cuts_.push_back(cut);
  }
  for (std::size_t width = 1; 2 * width <= n; width *= 2) {
    const auto& half = model.peaks_.back();
    std::vector<std::uint64_t> row(n - 2 * width + 1);
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = std::max(half[i], half[i + width]);
    model.peaks_.push_back(std::move(row));
  }
  return model;
}

std::uint64_t cost_model::peak_activation(std::size_t first, std::size_t last) const {
  if (first == last) return 0;
  const auto level = static_cast<std::size_t>(std::bit_width(last - first) - 1);
  const auto& row = peaks_[level];
  return std::max(row[first], row[last - (std::size_t{1} << level)]);
}

segment_cost cost_model::segment(std::size_t first, std::size_t last) const {
  assert(first <= last && last <= layer_count());
  return {seconds_[last] - seconds_[first], parameters_[last] - parameters_[first],
          flops_[last] - flops_[first], peak_activation(first, last)};
}

} // namespace shoal
