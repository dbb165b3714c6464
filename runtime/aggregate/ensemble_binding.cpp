#include "runtime/aggregate/ensemble_binding.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {
namespace {

std::string names_of(const graph& model, std::span<const value_id> values) {
  std::vector<std::string> names;
  for (const auto v : values) names.push_back("'" + model.value(v).name + "'");
  return fmt::format("{}", fmt::join(names, ", "));
}

result<std::size_t> find(const graph& model, std::span<const value_id> values,
                         const std::string& name, std::string_view what) {
  for (std::size_t i = 0; i < values.size(); ++i)
    if (model.value(values[i]).name == name) return i;
  return fail(errc::not_found, "the model has no {} '{}'; its {}s are {}", what, name, what,
              names_of(model, values));
}

/// What the ensemble calls input `name` of a member's model.
std::string outer_name(const member_source& source, const std::string& name) {
  for (const auto& [ours, theirs] : source.inputs)
    if (theirs == name) return ours;
  return name;
}

result<void> bind_inputs(const graph& model, const member_source& source, graph_builder& interface,
                         std::vector<std::size_t>& places) {
  for (const auto& [ours, theirs] : source.inputs)
    SHOAL_CHECK(find(model, model.inputs(), theirs, "input"));
  for (const auto id : model.inputs()) {
    auto value = model.value(id);
    value.name = outer_name(source, value.name);
    std::size_t at = 0;
    while (at < interface.inputs.size() && interface.values[at].name != value.name) ++at;
    places.push_back(at);
    if (at == interface.inputs.size()) {
      interface.inputs.push_back(interface.add_value(value));
      continue;
    }
    const auto& known = interface.values[at];
    if (known.type != value.type)
      return fail(errc::invalid_argument, "it takes input '{}' as {}, another member as {}",
                  value.name, describe(value), describe(known));
  }
  return {};
}

result<void> bind_outputs(const ensemble_rules& rules, const graph& model,
                          const member_source& source, std::vector<std::size_t>& places) {
  for (const auto& [ours, theirs] : source.outputs) {
    bool known = false;
    for (const auto& output : rules.outputs) known = known || output.name == ours;
    if (!known)
      return fail(errc::invalid_argument, "it names output '{}', which the ensemble has not", ours);
  }
  for (const auto& output : rules.outputs) {
    const auto named = source.outputs.find(output.name);
    const auto& name = named == source.outputs.end() ? output.name : named->second;
    SHOAL_TRY(const auto at, find(model, model.outputs(), name, "output"));
    places.push_back(at);
  }
  return {};
}

} // namespace

result<ensemble_binding> bind_members(const ensemble_description& what,
                                      std::span<const std::shared_ptr<const graph>> models) {
  const auto& members = what.rules->members;
  if (models.size() != members.size() || what.sources.size() != members.size())
    return fail(errc::invalid_argument, "{} models and {} sources for {} members", models.size(),
                what.sources.size(), members.size());
  ensemble_binding bound;
  bound.inputs.resize(members.size());
  bound.outputs.resize(members.size());
  graph_builder interface;
  interface.name = what.name;
  for (std::size_t m = 0; m < members.size(); ++m) {
    auto done = bind_inputs(*models[m], what.sources[m], interface, bound.inputs[m]);
    if (done) done = bind_outputs(*what.rules, *models[m], what.sources[m], bound.outputs[m]);
    if (!done) return std::move(done).error().within(fmt::format("member '{}'", members[m].name));
  }
  SHOAL_TRY(auto made, std::move(interface).build());
  bound.interface = std::make_shared<const graph>(std::move(made));
  return bound;
}

} // namespace shoal
