#include "runtime/compress/value_ranges.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/session/session_cache.hpp"

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

/// Numbers seen, by where they lie in the whole range.
struct histogram {
  std::vector<std::uint64_t> bins = std::vector<std::uint64_t>(4096);
  std::uint64_t count = 0;

  void add(float x, const value_range& whole) {
    const float place = (x - whole.low) / (whole.high - whole.low);
    const auto bin = static_cast<std::size_t>(place * static_cast<float>(bins.size()));
    ++bins[std::min(bin, bins.size() - 1)];
    ++count;
  }

  /// `whole` without the outermost bins, as many from either side as hold half of what may go.
  value_range inner(const value_range& whole, double percentile) const {
    const double spare = (1 - percentile / 100) / 2 * static_cast<double>(count);
    const auto skipped = [&](auto first, auto last) {
      double seen = 0;
      std::ptrdiff_t bin = 0;
      for (auto at = first; at != last; ++at, ++bin) {
        seen += static_cast<double>(*at);
        if (seen > spare) break;
      }
      return static_cast<float>(bin);
    };
    const float width = (whole.high - whole.low) / static_cast<float>(bins.size());
    value_range in{whole.low + width * skipped(bins.begin(), bins.end()),
                   whole.high - width * skipped(bins.rbegin(), bins.rend())};
    return {std::min(in.low, 0.0f), std::max(in.high, 0.0f)};
  }
};

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
  if (options.percentile >= 100) return ranges;
  std::vector<histogram> seen(values.size());
  SHOAL_CHECK(for_each_element(sessions, samples, [&](std::size_t v, float x) {
    if (ranges[v].high > ranges[v].low) seen[v].add(x, ranges[v]);
  }));
  for (std::size_t v = 0; v < ranges.size(); ++v)
    if (seen[v].count > 0) ranges[v] = seen[v].inner(ranges[v], options.percentile);
  return ranges;
}

} // namespace shoal
