#include "runtime/aggregate/ensemble_rules.hpp"

#include "runtime/aggregate/combining_graph.hpp"
#include "runtime/base/fail.hpp"

#include <array>
#include <cmath>
#include <set>

namespace shoal {
namespace {

constexpr std::array<std::string_view, 3> policies{"renormalise", "default", "fail"};

result<void> check_members(const ensemble_rules& rules) {
  if (rules.members.empty())
    return fail(errc::invalid_argument, "an ensemble needs at least one member");
  if (rules.members.size() > most_members)
    return fail(errc::invalid_argument, "{} members are more than {}", rules.members.size(),
                most_members);
  std::set<std::string> names;
  for (const auto& m : rules.members) {
    if (m.name.empty()) return fail(errc::invalid_argument, "a member has no name");
    if (!names.insert(m.name).second)
      return fail(errc::invalid_argument, "two members are called '{}'", m.name);
    if (!(m.weight > 0 && std::isfinite(m.weight)))
      return fail(errc::invalid_argument, "member '{}' has weight {}, expected one above 0", m.name,
                  m.weight);
  }
  if (rules.quorum > rules.members.size())
    return fail(errc::invalid_argument, "the quorum is {}, but there are {} members", rules.quorum,
                rules.members.size());
  if (rules.missing == missing_policy::fail && rules.quorum != 0 &&
      rules.quorum != rules.members.size())
    return fail(errc::invalid_argument,
                "a quorum of {} of {} members contradicts failing when one is missing",
                rules.quorum, rules.members.size());
  return {};
}

result<void> check_output(const ensemble_rules& rules, const ensemble_output& output) {
  SHOAL_CHECK(check_combination(output.how));
  if (output.how.custom && output.how.custom->model().inputs().size() != rules.members.size())
    return fail(errc::invalid_argument, "the combining graph has {} inputs for {} members",
                output.how.custom->model().inputs().size(), rules.members.size());
  const bool can_be_less = rules.needed() < rules.members.size();
  if (!can_be_less) return {};
  if (rules.missing == missing_policy::renormalise && !can_renormalise(output.how.way))
    return fail(errc::invalid_argument,
                "{} needs all members: give defaults for those that are missing, or fail",
                to_string(output.how.way));
  if (rules.uses_defaults() && std::holds_alternative<std::monostate>(output.stand_in))
    return fail(errc::invalid_argument, "it has no default for members that are missing");
  return {};
}

} // namespace

std::string_view to_string(missing_policy policy) {
  return policies[static_cast<std::size_t>(policy)];
}

result<missing_policy> missing_policy_named(std::string_view name) {
  for (std::size_t i = 0; i < policies.size(); ++i)
    if (policies[i] == name) return static_cast<missing_policy>(i);
  return fail(errc::invalid_argument, "expected one of {}, got '{}'", fmt::join(policies, ", "),
              name);
}

result<void> check_rules(const ensemble_rules& rules) {
  SHOAL_CHECK(check_members(rules));
  if (rules.outputs.empty())
    return fail(errc::invalid_argument, "an ensemble needs at least one output");
  std::set<std::string> names;
  for (const auto& output : rules.outputs) {
    if (output.name.empty()) return fail(errc::invalid_argument, "an output has no name");
    if (!names.insert(output.name).second)
      return fail(errc::invalid_argument, "two outputs are called '{}'", output.name);
    if (const auto checked = check_output(rules, output); !checked)
      return checked.error().within(fmt::format("output '{}'", output.name));
  }
  return {};
}

} // namespace shoal
