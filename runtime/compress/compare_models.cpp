#include "runtime/compress/compare_models.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace shoal {
namespace {

struct timed_model {
  static result<timed_model> of(const graph& model, int threads) {
    SHOAL_TRY(auto ready, rewrite_for_cpu(std::make_shared<const graph>(model)));
    return timed_model{
        std::make_unique<session_cache>(std::move(ready), session_options{.threads = threads}),
        {},
        {}};
  }

  result<std::vector<tensor>> run(const model_sample& sample) {
    const auto begin = std::chrono::steady_clock::now();
    auto outputs = sessions->run(sample, arena);
    seconds.push_back(
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    return outputs;
  }
  double median() {
    std::ranges::sort(seconds);
    return seconds.empty() ? 0 : seconds[seconds.size() / 2];
  }

  std::unique_ptr<session_cache> sessions;
  workspace arena;
  std::vector<double> seconds;
};

std::vector<double> as_doubles(const tensor& t) {
  std::vector<double> out;
  visit_dtype(t.element_type(), [&]<class T>(std::type_identity<T>) {
    for (const auto x : t.values<T>()) out.push_back(static_cast<double>(x));
  });
  return out;
}

class difference_sums {
 public:
  result<void> add(const tensor& original, const tensor& changed) {
    if (original.dims() != changed.dims())
      return fail(errc::internal, "outputs are {} and {}", to_string(original.type()),
                  to_string(changed.type()));
    const auto a = as_doubles(changed), b = as_doubles(original);
    for (std::size_t i = 0; i < a.size(); ++i) {
      const double off = std::abs(a[i] - b[i]);
      largest_ = std::max(largest_, off);
      sum_ += off;
      squares_ += off * off;
      whole_ += b[i] * b[i];
    }
    count_ += a.size();
    return {};
  }

  void add_classes(const tensor& original, const tensor& changed) {
    if (original.dims().rank() != 2 || original.dims()[1] < 2) return;
    const auto a = as_doubles(changed), b = as_doubles(original);
    const auto width = static_cast<std::ptrdiff_t>(original.dims()[1]);
    for (std::ptrdiff_t row = 0; row < original.dims()[0]; ++row) {
      const auto best = [&](const std::vector<double>& v) {
        const auto first = v.begin() + row * width;
        return std::max_element(first, first + width) - first;
      };
      same_ += best(a) == best(b);
      ++rows_;
    }
  }

  model_difference over(std::size_t samples) const {
    model_difference d;
    d.samples = samples;
    d.largest = largest_;
    if (count_ > 0) d.mean = sum_ / static_cast<double>(count_);
    if (whole_ > 0) d.relative_rms = std::sqrt(squares_ / whole_);
    if (rows_ > 0) d.same_class = static_cast<double>(same_) / static_cast<double>(rows_);
    return d;
  }

 private:
  double largest_ = 0, sum_ = 0, squares_ = 0, whole_ = 0;
  std::size_t count_ = 0, same_ = 0, rows_ = 0;
};

} // namespace

result<model_comparison> compare_models(const graph& original, const graph& changed,
                                        std::span<const model_sample> samples, int threads,
                                        std::size_t runs) {
  SHOAL_TRY(auto before, timed_model::of(original, threads));
  SHOAL_TRY(auto after, timed_model::of(changed, threads));
  difference_sums sums;
  for (const auto& sample : samples) {
    SHOAL_TRY(const auto expected, before.run(sample));
    SHOAL_TRY(const auto got, after.run(sample));
    for (std::size_t i = 0; i < expected.size(); ++i) SHOAL_CHECK(sums.add(expected[i], got[i]));
    sums.add_classes(expected.front(), got.front());
  }
  // The first runs compiled.
  before.seconds.clear();
  after.seconds.clear();
  for (std::size_t run = 0; run < runs && !samples.empty(); ++run) {
    SHOAL_CHECK(before.run(samples[run % samples.size()]));
    SHOAL_CHECK(after.run(samples[run % samples.size()]));
  }
  return model_comparison{sums.over(samples.size()), before.median(), after.median()};
}

} // namespace shoal
