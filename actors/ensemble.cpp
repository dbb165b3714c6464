#include "actors/ensemble.hpp"

#include "actors/client.hpp"
#include "actors/client_door.hpp"
#include "actors/ensemble_request.hpp"
#include "actors/named_inputs.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/graph/onnx_import.hpp"

#include <algorithm>

namespace shoal {

struct ensemble::state {
  std::shared_ptr<client_door> via;
  std::string name;
  std::shared_ptr<const ensemble_rules> rules;
  std::optional<std::chrono::milliseconds> deadline;
  ensemble_binding binding;
  std::vector<model_value> inputs;
  std::vector<model> members;
};

namespace {

std::vector<model_value> describe_inputs(const graph& interface) {
  std::vector<model_value> inputs;
  for (const auto id : interface.inputs()) {
    const auto& value = interface.value(id);
    auto& input = inputs.emplace_back();
    input.name = value.name;
    input.type = value.type.value_or(dtype::f32);
    if (value.dims)
      for (const auto& d : *value.dims) input.dims.push_back(d.extent);
  }
  return inputs;
}

/// Those that member `m` takes, in its model's order.
template <class T>
std::vector<T> chosen(const std::vector<T>& all, const std::vector<std::size_t>& places) {
  std::vector<T> some;
  for (const auto at : places) some.push_back(all[at]);
  return some;
}

ensemble_inference to_public(const ensemble_rules& rules, ensemble_response&& response) {
  ensemble_inference out;
  out.outputs = std::move(response.answer.outputs);
  out.elapsed_us = response.elapsed_us;
  for (std::size_t m = 0; m < rules.members.size(); ++m) {
    member_summary one{
        rules.members[m].name, {}, response.efforts[m].elapsed_us, response.efforts[m].attempts};
    for (const auto& missing : response.answer.missing)
      if (missing.name == one.name) one.failure = missing.why;
    out.members.push_back(std::move(one));
  }
  return out;
}

} // namespace

result<ensemble> ensemble::load(runtime& where, const std::filesystem::path& file,
                                const load_options& options) {
  SHOAL_TRY(const auto what, read_ensemble(file));
  std::vector<std::shared_ptr<const graph>> models;
  for (std::size_t m = 0; m < what.sources.size(); ++m) {
    auto imported = import_onnx_file(what.sources[m].model);
    if (!imported)
      return std::move(imported).error().within(
          fmt::format("member '{}'", what.rules->members[m].name));
    models.push_back(std::move(imported->model));
  }
  return load(where, what, models, options);
}

result<ensemble> ensemble::load(runtime& where, const ensemble_description& what,
                                const std::vector<std::shared_ptr<const graph>>& models,
                                const load_options& options) {
  auto s = std::make_shared<state>();
  s->via = where.door();
  s->name = options.name.empty() ? what.name : options.name;
  s->rules = what.rules;
  s->deadline = what.deadline;
  SHOAL_TRY(s->binding, bind_members(what, models));
  s->inputs = describe_inputs(*s->binding.interface);
  if (!options.inputs.empty()) SHOAL_CHECK(check_inputs(*s->binding.interface, options.inputs));
  for (std::size_t m = 0; m < models.size(); ++m) {
    auto own = options;
    own.name = fmt::format("{}.{}", s->name, what.rules->members[m].name);
    if (what.sources[m].stages != 0) own.stages = what.sources[m].stages;
    if (!options.inputs.empty()) own.inputs = chosen(options.inputs, s->binding.inputs[m]);
    // A member that does not take them fails when it is asked: the quorum decides what that means.
    if (!check_inputs(*models[m], own.inputs)) own.inputs.clear();
    auto loaded = where.load(models[m], own);
    if (!loaded)
      return std::move(loaded).error().within(
          fmt::format("member '{}'", what.rules->members[m].name));
    s->members.push_back(*std::move(loaded));
  }
  return ensemble(std::move(s));
}

const std::string& ensemble::name() const {
  return state_->name;
}
const std::vector<model_value>& ensemble::inputs() const {
  return state_->inputs;
}
const std::vector<model>& ensemble::members() const {
  return state_->members;
}
std::vector<std::string> ensemble::output_names() const {
  std::vector<std::string> names;
  for (const auto& output : state_->rules->outputs) names.push_back(output.name);
  return names;
}

result<std::vector<tensor>>
ensemble::arrange(const std::vector<std::pair<std::string, tensor>>& named) const {
  return arrange_inputs(fmt::format("ensemble '{}'", state_->name), state_->inputs, named);
}

std::uint64_t ensemble::infer(std::vector<tensor> inputs,
                              std::function<void(result<ensemble_inference>)> answer,
                              const infer_options& options) const {
  const auto refuse = [&](error why) {
    if (answer) answer(std::move(why));
    return std::uint64_t{0};
  };
  if (inputs.size() != state_->inputs.size())
    return refuse(fail(errc::invalid_argument, "ensemble '{}' has {} inputs, got {}", state_->name,
                       state_->inputs.size(), inputs.size()));
  for (const auto& member : state_->members)
    if (options.parts > 1 && !member.batch_splits())
      return refuse(fail(errc::invalid_argument,
                         "model '{}' mixes the entries of a batch: it cannot be cut into {} parts",
                         member.name(), options.parts));
  auto what = std::make_shared<ensemble_request>();
  what->ensemble = state_->name;
  what->rules = state_->rules;
  for (std::size_t m = 0; m < state_->members.size(); ++m)
    what->members.push_back({state_->members[m].name(), chosen(inputs, state_->binding.inputs[m]),
                             state_->binding.outputs[m]});
  auto limited = options;
  if (state_->deadline) limited.timeout = std::min(limited.timeout, *state_->deadline);
  auto counted = [rules = state_->rules, answer](result<ensemble_response> outcome) {
    if (!answer) return;
    if (outcome)
      answer(to_public(*rules, *std::move(outcome)));
    else
      answer(std::move(outcome).error());
  };
  std::uint64_t request = 0;
  if (!state_->via->enter([&](client& via) {
        request = via.infer_ensemble(std::move(what), std::move(counted), limited);
      }))
    return refuse(fail(errc::cancelled, "the runtime of ensemble '{}' has ended", state_->name));
  return request;
}

std::future<result<ensemble_inference>> ensemble::infer(std::vector<tensor> inputs,
                                                        const infer_options& options) const {
  auto promise = std::make_shared<std::promise<result<ensemble_inference>>>();
  auto future = promise->get_future();
  infer(
      std::move(inputs),
      [promise](result<ensemble_inference> outcome) { promise->set_value(std::move(outcome)); },
      options);
  return future;
}

void ensemble::cancel(std::uint64_t request) const {
  state_->via->enter([&](client& via) { via.cancel_ensemble(request); });
}

} // namespace shoal
