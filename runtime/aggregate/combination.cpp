#include "runtime/aggregate/combination.hpp"

#include "runtime/aggregate/aggregator_registry.hpp"
#include "runtime/aggregate/combining_graph.hpp"
#include "runtime/base/fail.hpp"

#include <array>

namespace shoal {
namespace {

constexpr std::array<std::string_view, 13> ways{
    "sum",          "mean",          "weighted_mean", "log_mean",      "max",      "min",  "median",
    "trimmed_mean", "majority_vote", "soft_vote",     "concatenation", "function", "graph"};
constexpr std::array<std::string_view, 3> kinds{"labels", "logits", "probabilities"};
constexpr std::array<std::string_view, 3> tie_breaks{"lowest_class", "first_member", "weighted"};

template <class Enum, std::size_t N>
result<Enum> named(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return static_cast<Enum>(i);
  return fail(errc::invalid_argument, "expected one of {}, got '{}'", fmt::join(names, ", "), name);
}

} // namespace

std::string_view to_string(combine_way way) {
  return ways[static_cast<std::size_t>(way)];
}
std::string_view to_string(member_values values) {
  return kinds[static_cast<std::size_t>(values)];
}
std::string_view to_string(tie_break ties) {
  return tie_breaks[static_cast<std::size_t>(ties)];
}
result<combine_way> combine_way_named(std::string_view name) {
  return named<combine_way>(ways, name);
}
result<member_values> member_values_named(std::string_view name) {
  return named<member_values>(kinds, name);
}
result<tie_break> tie_break_named(std::string_view name) {
  return named<tie_break>(tie_breaks, name);
}

bool can_renormalise(combine_way way) {
  return way != combine_way::concatenation && way != combine_way::graph;
}

result<void> check_combination(const combination& how) {
  const auto scores = how.way == combine_way::log_mean || how.way == combine_way::soft_vote;
  if (scores && how.values == member_values::labels)
    return fail(errc::invalid_argument, "{} needs logits or probabilities, not labels",
                to_string(how.way));
  if (how.way == combine_way::trimmed_mean && !(how.trim >= 0 && how.trim < 0.5))
    return fail(errc::invalid_argument, "trimmed_mean cuts a share in [0, 0.5) at each end, not {}",
                how.trim);
  if (how.way == combine_way::function) SHOAL_CHECK(find_aggregator(how.function_name));
  if (how.way == combine_way::graph) {
    if (!how.custom) return fail(errc::invalid_argument, "a combination by graph has no graph");
    if (how.custom->model().outputs().size() != 1)
      return fail(errc::invalid_argument, "the combining graph has {} outputs, expected one",
                  how.custom->model().outputs().size());
  }
  return {};
}

} // namespace shoal
