#pragma once

#include "runtime/aggregate/combination.hpp"
#include "runtime/tensor/tensor.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace shoal {

inline constexpr std::size_t most_members = 1024;

struct ensemble_member {
  std::string name;  ///< unique
  double weight = 1; ///< > 0, finite
};

/// What is done where a member did not answer in time.
enum class missing_policy : std::uint8_t {
  renormalise, ///< without it: weights are those of the others
  use_default, ///< the default of every output takes its place, with its weight
  fail         ///< no answer without all members
};

/// One output: how it is combined, and what stands in for a member.
struct ensemble_output {
  std::string name;
  combination how;
  /// A number stands for a tensor of it, of the type that the members give.
  std::variant<std::monostate, double, tensor> stand_in;
};

/// How the answers of an ensemble's members become one.
struct ensemble_rules {
  std::vector<ensemble_member> members; ///< in the order that they are combined in
  std::vector<ensemble_output> outputs;
  std::size_t quorum = 0; ///< so many members have to answer; 0: all
  missing_policy missing = missing_policy::renormalise;

  std::size_t needed() const {
    return quorum == 0 || missing == missing_policy::fail ? members.size() : quorum;
  }
  /// Whether a default may ever take a member's place; every output then has one.
  bool uses_defaults() const {
    return missing == missing_policy::use_default && needed() < members.size();
  }
};

std::string_view to_string(missing_policy policy);
result<missing_policy> missing_policy_named(std::string_view name);

/// Everything that can be said without the members' answers: names, weights, quorum, options of the
/// ways, defaults. `invalid_argument` names what is wrong.
result<void> check_rules(const ensemble_rules& rules);

} // namespace shoal
