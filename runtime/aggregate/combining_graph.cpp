#include "runtime/aggregate/combining_graph.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

result<tensor> combining_graph::run(std::span<const tensor> members) {
  std::vector<tensor_type> types;
  for (const auto& member : members) types.push_back(member.type());
  const auto where = [&] { return fmt::format("combining graph '{}'", model_->name()); };
  if (const auto fits = check_inputs(*model_, types); !fits) return fits.error().within(where());
  const std::lock_guard lock(mutex_);
  auto made = sessions_.run(members, arena_);
  if (!made) return std::move(made).error().within(where());
  return std::move(made->front());
}

} // namespace shoal
