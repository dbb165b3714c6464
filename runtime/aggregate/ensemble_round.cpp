#include "runtime/aggregate/ensemble_round.hpp"

#include "runtime/aggregate/element_values.hpp"
#include "runtime/base/fail.hpp"

#include <cassert>

namespace shoal {

ensemble_round::ensemble_round(std::shared_ptr<const ensemble_rules> rules, instant deadline)
    : rules_(std::move(rules)), deadline_(deadline), members_(rules_->members.size()) {}

result<ensemble_round> ensemble_round::start(std::shared_ptr<const ensemble_rules> rules,
                                             instant deadline) {
  SHOAL_CHECK(check_rules(*rules));
  ensemble_round round(std::move(rules), deadline);
  for (const auto& output : round.rules_->outputs) {
    SHOAL_TRY(auto made, make_combiner(output.how));
    round.combiners_.push_back(std::move(made));
  }
  return round;
}

std::optional<ensemble_round::outcome>
ensemble_round::take(std::size_t m, result<std::vector<tensor>> answer, instant now) {
  assert(m < members_.size());
  if (auto late = expire(now)) return late;
  if (!waits_for(m)) return {};
  if (!answer) {
    fail_member(m, std::move(answer).error());
  } else {
    members_[m].step = progress::held;
    members_[m].outputs = *std::move(answer);
  }
  return advance();
}

std::optional<ensemble_round::outcome> ensemble_round::expire(instant now) {
  if (decided_ || now < deadline_) return {};
  for (std::size_t m = 0; m < members_.size(); ++m)
    if (members_[m].step == progress::open)
      fail_member(m, fail(errc::deadline_exceeded, "no answer by the deadline"));
  return advance();
}

void ensemble_round::fail_member(std::size_t m, error why) {
  members_[m].step = progress::failed;
  members_[m].outputs.clear();
  members_[m].why = std::move(why);
  ++failed_;
}

/// After something happened: folds in what is ready, and decides if it can.
std::optional<ensemble_round::outcome> ensemble_round::advance() {
  if (auto broken = fold_ready()) {
    decided_ = true;
    return outcome(*std::move(broken));
  }
  if (members_.size() - failed_ < rules_->needed()) {
    decided_ = true;
    return quorum_missed();
  }
  if (next_ < members_.size()) return {};
  decided_ = true;
  return conclude();
}

std::optional<error> ensemble_round::fold_ready() {
  for (; next_ < members_.size(); ++next_) {
    auto& m = members_[next_];
    if (m.step == progress::open) break;
    if (m.step == progress::held) {
      if (const auto fits = check(next_); !fits)
        fail_member(next_, fits.error());
      else if (auto broken = fold(next_))
        return broken;
    }
    if (m.step == progress::failed && rules_->uses_defaults()) {
      due_.push_back(next_);
      if (folded_ > 0) // until then their types are not known
        if (auto broken = fold_defaults()) return broken;
    }
  }
  return {};
}

/// Whether all outputs of a member fit, before any of them is folded in.
result<void> ensemble_round::check(std::size_t m) const {
  const auto& given = members_[m].outputs;
  if (given.size() != combiners_.size())
    return fail(errc::invalid_argument, "it gave {} outputs, expected {}", given.size(),
                combiners_.size());
  for (std::size_t i = 0; i < given.size(); ++i) {
    const auto where = [&] { return fmt::format("output '{}'", rules_->outputs[i].name); };
    if (given[i].empty() || given[i].format() != layout::plain)
      return fail(errc::invalid_argument, "not a row-major tensor").within(where());
    if (const auto fits = combiners_[i]->check(given[i].type()); !fits)
      return fits.error().within(where());
  }
  return {};
}

std::optional<error> ensemble_round::fold(std::size_t m) {
  auto given = std::move(members_[m].outputs);
  members_[m].outputs.clear();
  members_[m].step = progress::folded;
  if (types_.empty()) {
    for (const auto& value : given) types_.push_back(value.type());
    if (auto broken = fold_defaults()) return broken;
  }
  ++folded_;
  const auto& who = rules_->members[m];
  for (std::size_t i = 0; i < given.size(); ++i)
    if (auto folded = combiners_[i]->fold({who.name, who.weight, std::move(given[i])}); !folded)
      return folded.error().within(fmt::format("output '{}'", rules_->outputs[i].name));
  return {};
}

/// In the place of failed members that precede the one at hand.
std::optional<error> ensemble_round::fold_defaults() {
  for (const auto m : std::exchange(due_, {})) {
    const auto& who = rules_->members[m];
    for (std::size_t i = 0; i < combiners_.size(); ++i) {
      auto value = stand_in_for(rules_->outputs[i], types_[i]);
      auto folded = value ? combiners_[i]->fold({who.name, who.weight, *std::move(value), true})
                          : result<void>(value.error());
      if (!folded)
        return folded.error().within(fmt::format("output '{}'", rules_->outputs[i].name));
    }
  }
  return {};
}

result<tensor> ensemble_round::stand_in_for(const ensemble_output& output,
                                            const tensor_type& type) const {
  if (const auto* given = std::get_if<tensor>(&output.stand_in)) {
    if (given->type() == type) return *given;
    return fail(errc::invalid_argument, "the default is {}, but the members give {}",
                to_string(given->type()), to_string(type));
  }
  SHOAL_TRY(auto filled, tensor::allocate(type));
  const std::vector<double> piece(piece_elements, std::get<double>(output.stand_in));
  for_each_piece(filled.element_count(), [&](std::int64_t first, std::size_t count) {
    write_elements(std::span(piece).first(count), filled, first);
  });
  return filled;
}

ensemble_round::outcome ensemble_round::conclude() {
  ensemble_answer answer;
  answer.answered = folded_;
  answer.missing = list_missing();
  for (std::size_t i = 0; i < combiners_.size(); ++i) {
    auto made = combiners_[i]->finish(members_.size());
    if (!made)
      return std::move(made).error().within(fmt::format("output '{}'", rules_->outputs[i].name));
    answer.outputs.push_back(*std::move(made));
  }
  return answer;
}

ensemble_round::outcome ensemble_round::quorum_missed() const {
  std::vector<std::string> reasons;
  const auto missing = list_missing();
  for (const auto& m : missing)
    reasons.push_back(fmt::format("'{}': {}", m.name, to_string(m.why)));
  return fail(missing.front().why.code(), "{} of {} members failed, {} are needed: {}", failed_,
              members_.size(), rules_->needed(), fmt::join(reasons, "; "));
}

std::vector<missing_member> ensemble_round::list_missing() const {
  std::vector<missing_member> missing;
  for (std::size_t m = 0; m < members_.size(); ++m)
    if (members_[m].why) missing.push_back({rules_->members[m].name, *members_[m].why});
  return missing;
}

} // namespace shoal
