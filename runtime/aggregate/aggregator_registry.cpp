#include "runtime/aggregate/aggregator_registry.hpp"

#include "runtime/base/fail.hpp"

#include <map>
#include <mutex>

namespace shoal {
namespace {

struct registry {
  std::mutex mutex;
  std::map<std::string, aggregator_function, std::less<>> functions;
};

registry& all() {
  static registry one;
  return one;
}

} // namespace

result<void> register_aggregator(std::string name, aggregator_function combine) {
  if (name.empty()) return fail(errc::invalid_argument, "an aggregator needs a name");
  if (!combine) return fail(errc::invalid_argument, "aggregator '{}' has no function", name);
  const std::lock_guard lock(all().mutex);
  if (all().functions.contains(name))
    return fail(errc::invalid_argument, "an aggregator '{}' is registered already", name);
  all().functions.emplace(std::move(name), std::move(combine));
  return {};
}

result<aggregator_function> find_aggregator(std::string_view name) {
  const std::lock_guard lock(all().mutex);
  const auto found = all().functions.find(name);
  if (found != all().functions.end()) return found->second;
  std::vector<std::string> known;
  for (const auto& [each, function] : all().functions) known.push_back("'" + each + "'");
  return fail(errc::not_found, "no aggregator '{}' is registered; there are {}", name,
              known.empty() ? std::string("none") : fmt::format("{}", fmt::join(known, ", ")));
}

} // namespace shoal
