#include "runtime/operators/weight_cache.hpp"

namespace shoal {

result<tensor> weight_cache::get(const tensor& original, std::string_view form,
                                 const std::function<result<tensor>(const tensor&)>& make) {
  // Held while making: two sessions that compile at once must not both pack a large weight.
  std::lock_guard lock(mutex_);
  const key name{original.data(), original.byte_size(), std::string(form)};
  if (const auto found = forms_.find(name); found != forms_.end()) return found->second;
  SHOAL_TRY(auto made, make(original));
  forms_.emplace(name, made);
  return made;
}

std::size_t weight_cache::bytes() const {
  std::lock_guard lock(mutex_);
  std::size_t sum = 0;
  for (const auto& [name, form] : forms_) sum += form.byte_size();
  return sum;
}

} // namespace shoal
