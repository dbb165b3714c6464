#pragma once

#include "runtime/base/result.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace shoal {

class combining_graph;

/// How one answer is made of those of several members.
enum class combine_way : std::uint8_t {
  sum,           ///< Σ x
  mean,          ///< Σ x / n
  weighted_mean, ///< Σ w·x / Σ w
  log_mean,      ///< exp(Σ w·log p / Σ w), normalised along the classes: the geometric mean
  max,           ///< the greatest; a NaN wins over every number
  min,           ///< the least; a NaN wins over every number
  median,        ///< the middle of the sorted values, or the mean of the two middle ones
  trimmed_mean,  ///< the mean of what is left without the ⌊trim·n⌋ least and greatest
  majority_vote, ///< the class that most members choose, one vote each
  soft_vote,     ///< Σ w·p / Σ w, along the classes
  concatenation, ///< side by side, in the order of the members
  function,      ///< a registered C++ function
  graph          ///< an ONNX graph whose inputs are the members' outputs
};

/// What the members' values are; for log_mean and the votes.
enum class member_values : std::uint8_t {
  labels,       ///< integers, each a class: majority_vote only
  logits,       ///< become probabilities by softmax along the classes
  probabilities ///< taken as they are
};

/// Which of several classes with equally many votes wins.
enum class tie_break : std::uint8_t {
  lowest_class, ///< the one with the least number
  first_member, ///< the one that the first of their voters, in the order of members, chose
  weighted      ///< the one whose voters weigh most; then the least number
};

/// Names as the ensemble file has them, as in "weighted_mean"; `invalid_argument` lists those there
/// are.
std::string_view to_string(combine_way way);
std::string_view to_string(member_values values);
std::string_view to_string(tie_break ties);
result<combine_way> combine_way_named(std::string_view name);
result<member_values> member_values_named(std::string_view name);
result<tie_break> tie_break_named(std::string_view name);

/// A way with all that it needs to know.
struct combination {
  combine_way way = combine_way::mean;
  int axis = -1; ///< of the classes, or to concatenate along; negative: from the last
  member_values values = member_values::logits;
  tie_break ties = tie_break::lowest_class; ///< of majority_vote
  bool labels = false;       ///< soft_vote, log_mean: answer with the best class, not all scores
  double trim = 0.1;         ///< trimmed_mean: in [0, 0.5)
  std::string function_name; ///< function: as it was registered
  std::shared_ptr<combining_graph> custom; ///< graph
};

/// Whether the way works with fewer members than planned.
bool can_renormalise(combine_way way);

/// Whether options fit the way, whatever the members will answer; `invalid_argument` says which
/// does not.
result<void> check_combination(const combination& how);

} // namespace shoal
