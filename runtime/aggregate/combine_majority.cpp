#include "runtime/aggregate/class_choices.hpp"
#include "runtime/aggregate/combiner_kinds.hpp"
#include "runtime/base/fail.hpp"

#include <algorithm>

namespace shoal {
namespace {

/// A class that somebody chose.
struct candidate {
  std::int64_t label = 0;
  std::size_t votes = 0;
  std::size_t first = 0; ///< the first member that chose it
  double weight = 0;
};

bool beats(const candidate& a, const candidate& b, tie_break ties) {
  if (a.votes != b.votes) return a.votes > b.votes;
  if (ties == tie_break::first_member) return a.first < b.first;
  if (ties == tie_break::weighted && a.weight != b.weight) return a.weight > b.weight;
  return a.label < b.label;
}

class majority_combiner final : public same_type_combiner {
 public:
  explicit majority_combiner(const combination& how) : how_(how) {}

  result<combined_output> finish(std::size_t) override {
    SHOAL_TRY(auto winners, tensor::allocate(choices_.front().type()));
    std::vector<const std::int64_t*> chosen;
    for (const auto& choice : choices_) chosen.push_back(choice.values<std::int64_t>().data());
    std::vector<candidate> candidates;
    const auto won = winners.mutable_values<std::int64_t>();
    for (std::size_t i = 0; i < won.size(); ++i) {
      count(chosen, i, candidates);
      const auto best = std::ranges::min_element(
          candidates, [&](const auto& a, const auto& b) { return beats(a, b, how_.ties); });
      won[i] = best->label;
    }
    std::vector<tensor> answered;
    for (std::size_t m = 0; m < choices_.size(); ++m)
      if (!stood_in_[m]) answered.push_back(choices_[m]);
    const auto agreement = agreement_of(answered, winners);
    SHOAL_TRY(auto value, to_label_type(winners));
    return combined_output{std::move(value), agreement, {}};
  }

 protected:
  result<void> check_first(const tensor_type& type) const override {
    if (how_.values != member_values::labels) {
      if (type.type == dtype::boolean)
        return fail(errc::invalid_argument, "scores are numbers, got {}", to_string(type));
      SHOAL_CHECK(layout_along(how_.axis, type.dims));
      return {};
    }
    if (!is_floating(type.type) && type.type != dtype::u64) return {};
    return fail(errc::invalid_argument, "labels are booleans or integers up to int64, got {}",
                to_string(type));
  }
  result<void> begin(const tensor_type&) override { return {}; }
  result<void> add(const member_output& one) override {
    SHOAL_TRY(auto chosen, choices_of(one.value));
    choices_.push_back(std::move(chosen));
    weights_.push_back(one.weight);
    stood_in_.push_back(one.stands_in);
    return {};
  }

 private:
  void count(const std::vector<const std::int64_t*>& chosen, std::size_t position,
             std::vector<candidate>& candidates) const {
    candidates.clear();
    for (std::size_t m = 0; m < chosen.size(); ++m) {
      const auto label = chosen[m][position];
      std::size_t at = 0;
      while (at < candidates.size() && candidates[at].label != label) ++at;
      if (at == candidates.size()) candidates.push_back({label, 0, m, 0});
      ++candidates[at].votes;
      candidates[at].weight += weights_[m];
    }
  }

  result<tensor> choices_of(const tensor& value) const {
    if (how_.values == member_values::labels) {
      SHOAL_TRY(auto out, tensor::allocate({dtype::i64, value.dims()}));
      visit_dtype(value.element_type(), [&]<class T>(std::type_identity<T>) {
        if constexpr (std::is_integral_v<T>)
          std::ranges::transform(value.values<T>(), out.mutable_values<std::int64_t>().begin(),
                                 [](T label) { return static_cast<std::int64_t>(label); });
      });
      return out;
    }
    SHOAL_TRY(const auto along, layout_along(how_.axis, value.dims()));
    SHOAL_TRY(auto scores, tensor::allocate({dtype::f64, value.dims()}));
    read_elements(value, 0, scores.mutable_values<double>());
    return best_classes(scores, along);
  }

  result<tensor> to_label_type(const tensor& winners) const {
    if (how_.values != member_values::labels) return winners;
    SHOAL_TRY(auto out, tensor::allocate(type()));
    visit_dtype(type().type, [&]<class T>(std::type_identity<T>) {
      if constexpr (std::is_integral_v<T>)
        std::ranges::transform(winners.values<std::int64_t>(), out.mutable_values<T>().begin(),
                               [](std::int64_t label) { return static_cast<T>(label); });
    });
    return out;
  }

  combination how_;
  std::vector<tensor> choices_; ///< per member, in their order
  std::vector<double> weights_;
  std::vector<bool> stood_in_;
};

} // namespace

std::unique_ptr<combiner> make_majority_combiner(const combination& how) {
  return std::make_unique<majority_combiner>(how);
}

} // namespace shoal
