#include "runtime/compress/value_ranges.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/compress/value_histogram.hpp"
#include "runtime/session/session_cache.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

/// The model with `values` as its only outputs.
result<graph> watching(const graph& model, std::span<const value_id> values) {
  graph_builder b(model);
  b.outputs.assign(values.begin(), values.end());
  return std::move(b).build();
}

/// Calls f(value, element) for everything that the samples make of the values.
template <class F>
result<void> for_each_element(session_cache& sessions, std::span<const model_sample> samples,
                              F&& f) {
  workspace arena;
  for (const auto& sample : samples) {
    SHOAL_TRY(const auto outputs, sessions.run(sample, arena));
    for (std::size_t v = 0; v < outputs.size(); ++v) {
      if (outputs[v].element_type() != dtype::f32)
        return fail(errc::invalid_argument, "'{}' is {}, expected float32",
                    sessions.model()->value(sessions.model()->outputs()[v]).name,
                    to_string(outputs[v].type()));
      for (const float x : outputs[v].values<float>()) f(v, x);
    }
  }
  return {};
}

} // namespace

result<std::vector<value_range>> observe_ranges(const graph& model,
                                                std::span<const value_id> values,
                                                std::span<const model_sample> samples,
                                                const range_options& options) {
  if (samples.empty()) return fail(errc::invalid_argument, "there are no inputs to calibrate with");
  std::vector<value_range> ranges(values.size());
  if (values.empty()) return ranges;
  SHOAL_TRY(auto watched, watching(model, values));
  session_cache sessions(std::make_shared<const graph>(std::move(watched)),
                         {.threads = options.threads});
  bool finite = true;
  SHOAL_CHECK(for_each_element(sessions, samples, [&](std::size_t v, float x) {
    finite = finite && std::isfinite(x);
    ranges[v].low = std::min(ranges[v].low, x);
    ranges[v].high = std::max(ranges[v].high, x);
  }));
  if (!finite)
    return fail(errc::invalid_argument, "on these inputs the model computes infinity or NaN");
  const bool by_entropy = options.rule == range_rule::entropy;
  if (!by_entropy && options.percentile >= 100) return ranges;
  std::vector<value_histogram> seen(ranges.begin(), ranges.end());
  SHOAL_CHECK(for_each_element(sessions, samples, [&](std::size_t v, float x) { seen[v].add(x); }));
  for (std::size_t v = 0; v < ranges.size(); ++v)
    if (ranges[v].high > ranges[v].low)
      ranges[v] = by_entropy ? seen[v].least_divergence() : seen[v].holding(options.percentile);
  return ranges;
}

} // namespace shoal
