#include "runtime/aggregate/class_choices.hpp"
#include "runtime/aggregate/combiner_kinds.hpp"
#include "runtime/base/fail.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace shoal {
namespace {

/// Calls `f(p)` with the first element of every run along the classes.
template <class F>
void for_each_run(double* values, const axis_layout& along, const F& f) {
  for (std::int64_t o = 0; o < along.outer; ++o)
    for (std::int64_t i = 0; i < along.inner; ++i) f(values + o * along.extent * along.inner + i);
}

/// Logits of one run to logarithms of probabilities: x − max − log Σ exp(x − max).
void to_log_probabilities(double* run, std::int64_t n, std::int64_t step) {
  double greatest = -std::numeric_limits<double>::infinity();
  for (std::int64_t k = 0; k < n; ++k) greatest = std::max(greatest, run[k * step]);
  // No class is possible: all are as likely. (NaNs stay what they are.)
  if (std::isinf(greatest) && greatest < 0) {
    for (std::int64_t k = 0; k < n; ++k)
      if (!std::isnan(run[k * step])) run[k * step] = -std::log(static_cast<double>(n));
    return;
  }
  double sum = 0;
  for (std::int64_t k = 0; k < n; ++k) sum += std::exp(run[k * step] - greatest);
  const double shift = std::log(sum);
  for (std::int64_t k = 0; k < n; ++k) run[k * step] = run[k * step] - greatest - shift;
}

/// The weighted mean of probabilities (soft_vote) or of their logarithms (log_mean).
class probability_combiner final : public same_type_combiner {
 public:
  explicit probability_combiner(const combination& how) : how_(how) {}

  result<combined_output> finish(std::size_t) override {
    auto means = sums_.mutable_values<double>();
    for (auto& mean : means) mean /= weights_;
    if (how_.way == combine_way::log_mean) {
      for_each_run(means.data(), along_,
                   [&](double* run) { to_log_probabilities(run, along_.extent, along_.inner); });
      for (auto& mean : means) mean = std::exp(mean);
    }
    SHOAL_TRY(auto winners, best_classes(sums_, along_));
    combined_output out;
    out.agreement = agreement_of(choices_, winners);
    out.spread = spread_.spread();
    out.value = winners;
    if (how_.labels) return out;
    SHOAL_TRY(out.value, tensor::allocate(type()));
    write_elements(means, out.value, 0);
    return out;
  }

 protected:
  result<void> check_first(const tensor_type& type) const override {
    SHOAL_CHECK(layout_along(how_.axis, type.dims));
    if (is_floating(type.type)) return {};
    return fail(errc::invalid_argument, "{} are floating point, got {}", to_string(how_.values),
                to_string(type));
  }
  result<void> begin(const tensor_type& type) override {
    SHOAL_TRY(along_, layout_along(how_.axis, type.dims));
    SHOAL_TRY(sums_, zeros_f64(type.dims));
    return {};
  }
  result<void> add(const member_output& one) override {
    SHOAL_TRY(auto member, tensor::allocate({dtype::f64, one.value.dims()}));
    const auto values = member.mutable_values<double>();
    read_elements(one.value, 0, values);
    if (!one.stands_in) {
      SHOAL_TRY(auto chosen, best_classes(member, along_));
      choices_.push_back(std::move(chosen));
    }
    const bool logits = how_.values == member_values::logits;
    if (logits)
      for_each_run(values.data(), along_,
                   [&](double* run) { to_log_probabilities(run, along_.extent, along_.inner); });
    weights_ += one.weight;
    const auto sums = sums_.mutable_values<double>();
    for (std::size_t i = 0; i < values.size(); ++i) {
      const double p = logits ? std::exp(values[i]) : values[i];
      const double log_p = logits ? values[i] : std::log(values[i]);
      sums[i] += one.weight * (how_.way == combine_way::log_mean ? log_p : p);
      values[i] = p;
    }
    return one.stands_in ? result<void>() : spread_.fold(member);
  }

 private:
  combination how_;
  axis_layout along_;
  double weights_ = 0;
  tensor sums_;
  std::vector<tensor> choices_; ///< the best classes of those that answered
  spread_meter spread_;
};

} // namespace

std::unique_ptr<combiner> make_probability_combiner(const combination& how) {
  return std::make_unique<probability_combiner>(how);
}

} // namespace shoal
