#include "runtime/operators/weight_cache.hpp"

namespace shoal {
namespace {

/// `constant` in memory: if it was deferred, for as long as the result lives.
result<tensor> in_memory(const tensor& constant) {
  const auto& owner = constant.bytes_owner();
  if (!owner->deferred()) return constant;
  SHOAL_TRY(auto bytes, owner->read_copy(constant.byte_offset(), constant.byte_size()));
  return tensor(constant.type(), std::move(bytes));
}

} // namespace

result<tensor> weight_cache::get(const tensor& original, std::string_view form,
                                 const std::function<result<tensor>(const tensor&)>& make) {
  // Held while making: two sessions that compile at once must not both pack a large weight.
  std::lock_guard lock(mutex_);
  const std::tuple name{original.bytes_owner().get(), original.byte_offset(), original.byte_size()};
  if (const auto known = constants_.find(name); known != constants_.end())
    if (const auto found = known->second.forms.find(form); found != known->second.forms.end())
      return found->second;
  SHOAL_TRY(const auto source, in_memory(original));
  SHOAL_TRY(auto made, make(source));
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
