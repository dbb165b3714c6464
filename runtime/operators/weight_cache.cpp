#include "runtime/operators/weight_cache.hpp"

namespace shoal {

result<tensor> weight_cache::get(const tensor& original, std::string_view form,
                                 const std::function<result<tensor>(const tensor&)>& make) {
  // Held while making: two sessions that compile at once must not both pack a large weight.
  std::lock_guard lock(mutex_);
  const std::pair name{original.data(), original.byte_size()};
  if (const auto known = constants_.find(name); known != constants_.end())
    if (const auto found = known->second.forms.find(form); found != known->second.forms.end())
      return found->second;
  SHOAL_TRY(auto made, make(original));
  std::erase_if(constants_, [](const auto& known) { return known.second.original->unique(); });
  auto& entry = constants_[name];
  entry.original = original.bytes_owner();
  entry.forms.emplace(form, made);
  return made;
}

std::size_t weight_cache::bytes() const {
  std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [name, constant] : constants_)
    for (const auto& [form, content] : constant.forms) sum += content.byte_size();
  return sum;
}

} // namespace shoal
