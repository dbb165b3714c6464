#include "actors/named_inputs.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

result<std::vector<tensor>>
arrange_inputs(std::string_view whose, const std::vector<model_value>& inputs,
               const std::vector<std::pair<std::string, tensor>>& named) {
  std::vector<tensor> arranged(inputs.size());
  std::vector<std::string> names;
  for (const auto& input : inputs) names.push_back("'" + input.name + "'");
  const auto expected = fmt::format("its inputs are {}", fmt::join(names, ", "));
  for (const auto& [name, value] : named) {
    std::size_t at = 0;
    while (at < inputs.size() && inputs[at].name != name) ++at;
    if (at == inputs.size())
      return fail(errc::invalid_argument, "{} has no input '{}'; {}", whose, name, expected);
    if (!arranged[at].empty())
      return fail(errc::invalid_argument, "input '{}' is given twice", name);
    arranged[at] = value;
  }
  for (std::size_t i = 0; i < inputs.size(); ++i)
    if (arranged[i].empty())
      return fail(errc::invalid_argument, "input '{}' of {} is missing; {}", inputs[i].name, whose,
                  expected);
  return arranged;
}

} // namespace shoal
