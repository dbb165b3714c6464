#include "actors/deployer.hpp"

#include "actors/caf_error.hpp"
#include "actors/value_specs.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/schedule/membership_table.hpp"
#include "runtime/store/package.hpp"
#include "runtime/tensor/deferred_storage.hpp"

#include <caf/typed_event_based_actor.hpp>

namespace shoal {
namespace {

using pointer = deployer_actor::stateful_pointer<deployer_state>;
using equipment_ptr = std::shared_ptr<const deployer_equipment>;
using served_model = deployer_state::served_model;
using step = deployer_state::step;

constexpr auto fetch_timeout = std::chrono::minutes(30);
constexpr auto deploy_timeout = std::chrono::minutes(30);
/// The scheduler is in this process; without its answer devices are taken at their word.
constexpr auto learning_timeout = std::chrono::seconds(5);
/// Parts that are under way may finish under the old plan before its shards are unloaded.
constexpr auto retire_delay = std::chrono::seconds(10);

void start_planning(pointer self, const equipment_ptr& my, served_model& model);
void make_plan_with(pointer self, const equipment_ptr& my, served_model& model,
                    const std::vector<device_slowness>& learned);

std::string_view to_string(step at) {
  switch (at) {
  case step::fetching:
    return "fetching";
  case step::planning:
    return "planning";
  case step::deploying:
    return "deploying";
  case step::ready:
    return "ready";
  case step::failed:
    return "failed";
  }
  return "unknown";
}

served_model* find(pointer self, const std::string& name) {
  const auto found = self->state.models.find(name);
  return found == self->state.models.end() ? nullptr : &found->second;
}

/// The model may be gone afterwards.
void give_up(pointer self, served_model& model, const error& why) {
  model.at = step::failed;
  model.detail = shoal::to_string(why);
  for (auto& promise : std::exchange(model.waiting, {})) promise.deliver(to_caf(why));
  if (model.order.plan_only) self->state.models.erase(std::string(model.order.name));
}

/// What nodes have loaded of a plan that will never be used only takes their memory.
void abandon_deployment(pointer self, const served_model& model) {
  for (const auto& [id, member] : self->state.members)
    self->send(member.agent, retire_atom_v, model.order.name, model.epoch, model.epoch);
}

void answer(served_model& model) {
  for (auto& promise : std::exchange(model.waiting, {})) promise.deliver(model.plan->card);
}

fetch_order_ptr order_chunks(served_model& model, std::vector<wanted_chunk> chunks) {
  auto order = std::make_shared<fetch_order>();
  for (const auto& chunk : chunks) model.progress_total += chunk.bytes;
  order->chunks = std::move(chunks);
  for (const auto& p : model.order.providers) order->providers.push_back(p.address());
  order->progress = model.progress;
  return order;
}

/// The graph that the order's package holds, from what is here by now.
result<std::shared_ptr<const graph>> open_model(const deployer_equipment& my,
                                                const model_order& order) {
  if (auto here = my.library->find(order.package)) return here;
  chunk_store::pin pin; // for so long: what is mapped stays
  return my.store.open_graph(order.package, pin);
}

void fetch_model(pointer self, const equipment_ptr& my, served_model& model) {
  const auto name = model.order.name;
  model.at = step::fetching;
  model.progress = std::make_shared<std::atomic<std::uint64_t>>(0);
  model.progress_total = 0;
  ++model.fetches;
  if (my->library->find(model.order.package)) return start_planning(self, my, model);
  const auto failed = [=](const caf::error& e) {
    if (auto* m = find(self, name))
      give_up(self, *m, from_caf(e).within("fetching model '" + name + "'"));
  };
  const wanted_chunk package{model.order.package, model.order.package_bytes};
  self->request(my->fetcher, fetch_timeout, fetch_atom_v, order_chunks(model, {package}))
      .then(
          [=](std::uint64_t) {
            auto* m = find(self, name);
            if (m == nullptr) return;
            const auto blob = my->store.read(m->order.package);
            if (!blob && blob.error().code() == errc::not_found && m->fetches < max_fetches)
              return fetch_model(self, my, *m);
            if (!blob) return give_up(self, *m, blob.error());
            const auto weights = read_manifests({(*blob)->data(), (*blob)->size()});
            if (!weights) return give_up(self, *m, weights.error());
            self->request(my->fetcher, fetch_timeout, fetch_atom_v,
                          order_chunks(*m, chunks_of(*weights)))
                .then(
                    [=](std::uint64_t) {
                      if (auto* here = find(self, name)) start_planning(self, my, *here);
                    },
                    failed);
          },
          failed);
}

void start_planning(pointer self, const equipment_ptr& my, served_model& model) {
  model.at = step::planning;
  model.stale = false;
  model.epoch = self->state.next_epoch++;
  const auto plan = [=, name = model.order.name,
                     epoch = model.epoch](const std::vector<device_slowness>& learned) {
    auto* m = find(self, name);
    if (m != nullptr && m->epoch == epoch && m->at == step::planning)
      make_plan_with(self, my, *m, learned);
  };
  self->request(self->state.scheduler, learning_timeout, pace_atom_v)
      .then(plan, [=](const caf::error&) { plan({}); });
}

void make_plan_with(pointer self, const equipment_ptr& my, served_model& model,
                    const std::vector<device_slowness>& learned) {
  planning_task task;
  for (const auto& d : learned) task.slowness[{d.node, d.device}] = d.factor;
  task.order = model.order;
  task.title = model.title;
  task.epoch = model.epoch;
  task.model = model.imported;
  task.head = my->head;
  task.reference_flops_per_second = my->reference_flops_per_second;
  task.known_costs = model.costs;
  task.known_graph = model.rewritten;
  task.pack = my->pack;
  for (const auto& [id, member] : self->state.members)
    if (member.open) task.nodes.push_back(member.offer);
  model.planned_over = task.nodes;
  my->planner->post([my, task, me = deployer_actor(self)](workspace&) mutable {
    auto outcome = std::make_shared<planning_outcome>();
    outcome->model = task.order.name;
    outcome->epoch = task.epoch;
    const auto attempt = [&]() -> result<planning_result> {
      if (!task.model) {
        auto opened = open_model(*my, task.order);
        outcome->incomplete = !opened && opened.error().code() == errc::not_found;
        SHOAL_TRY(task.model, std::move(opened));
      }
      outcome->imported = task.model;
      if (task.order.inputs.empty()) task.order.inputs = example_inputs(*task.model);
      return make_plan(task, *my->store.memory, *my->library);
    };
    if (auto made = catch_deferred(attempt))
      outcome->plan = *std::move(made);
    else
      outcome->failure = std::move(made).error().within("planning '" + task.title + "'");
    caf::anon_send(me, planned_atom_v, planning_outcome_ptr(std::move(outcome)));
  });
}

void use(pointer self, served_model& model) {
  deployment d;
  d.model = model.order.name;
  d.epoch = model.epoch;
  for (std::size_t i = 0; i < model.shards.size(); ++i) {
    d.shards.push_back(model.shards[i]->address);
    d.stages.push_back(model.plan->stages[i].order.stage);
    d.devices.push_back(model.plan->stages[i].device);
    d.expected_us.push_back(
        static_cast<std::uint64_t>(model.plan->stages[i].expected_seconds * 1e6));
    d.claimed_us.push_back(static_cast<std::uint64_t>(model.plan->stages[i].claimed_seconds * 1e6));
  }
  self->send(self->state.scheduler, planned_atom_v, d);
  for (const auto& [id, member] : self->state.members)
    self->delayed_send(member.agent, retire_delay, retire_atom_v, model.order.name,
                       std::uint64_t{0}, model.epoch - 1);
  model.at = step::ready;
  model.detail.clear();
  answer(model);
}

void shard_is_ready(pointer self, const std::string& name, std::uint64_t epoch, std::size_t stage,
                    const shard_ready& ready) {
  auto* model = find(self, name);
  if (model == nullptr || model->epoch != epoch || model->at != step::deploying) return;
  model->shards[stage] = ready;
  for (const auto& shard : model->shards)
    if (!shard) return;
  use(self, *model);
}

void deploy(pointer self, const equipment_ptr& my, served_model& model) {
  model.at = step::deploying;
  model.shards.assign(model.plan->stages.size(), std::nullopt);
  const auto name = model.order.name;
  const auto epoch = model.epoch;
  for (std::size_t i = 0; i < model.plan->stages.size(); ++i) {
    const auto& stage = model.plan->stages[i];
    const auto& node = model.planned_over[stage.node];
    const auto member = self->state.members.find(node.process.id);
    if (member == self->state.members.end()) {
      abandon_deployment(self, model);
      return start_planning(self, my, model);
    }
    self->request(member->second.agent, deploy_timeout, deploy_atom_v, stage.order)
        .then([=](const shard_ready& ready) { shard_is_ready(self, name, epoch, i, ready); },
              [=](const caf::error& e) {
                auto* m = find(self, name);
                if (m == nullptr || m->epoch != epoch || m->at != step::deploying) return;
                abandon_deployment(self, *m);
                give_up(self, *m, from_caf(e));
              });
  }
}

void planned(pointer self, const equipment_ptr& my, const planning_outcome& outcome) {
  auto* model = find(self, outcome.model);
  if (model == nullptr || model->epoch != outcome.epoch) return;
  if (outcome.imported) model->imported = outcome.imported;
  if (outcome.incomplete && model->fetches < max_fetches) return fetch_model(self, my, *model);
  if (model->stale) return start_planning(self, my, *model);
  if (outcome.failure) return give_up(self, *model, *outcome.failure);
  model->plan = outcome.plan;
  model->rewritten = outcome.plan->rewritten;
  model->costs = outcome.plan->costs;
  if (!model->order.plan_only) return deploy(self, my, *model);
  answer(*model);
  self->state.models.erase(outcome.model);
}

caf::result<model_card> load(pointer self, const equipment_ptr& my, model_order order) {
  const auto title = order.name;
  // A plan that is only looked at must not disturb a model that is served.
  if (order.plan_only)
    order.name = fmt::format("{} (plan {})", order.name, self->state.next_epoch++);
  if (auto* known = find(self, order.name); known != nullptr && known->at != step::failed) {
    const bool same = known->order.package == order.package &&
                      known->order.stages == order.stages && known->order.tune == order.tune &&
                      known->order.steady == order.steady &&
                      known->order.replicate == order.replicate;
    if (same && known->at == step::ready) return known->plan->card;
    if (!same && known->at != step::ready)
      return to_caf(fail(errc::resource_exhausted,
                         "another version of model '{}' is being loaded: try again later",
                         order.name));
    if (same) {
      known->waiting.push_back(self->make_response_promise<model_card>());
      return known->waiting.back();
    }
  }
  auto& model = self->state.models[order.name];
  model = {};
  model.order = std::move(order);
  model.title = title;
  // Only now: once a promise is made, returning a value or an error answers nobody.
  auto promise = self->make_response_promise<model_card>();
  model.waiting.push_back(promise);
  fetch_model(self, my, model);
  return promise;
}

/// The nodes there are have changed: models that lost a stage, or wait for a node, are planned
/// anew.
void replan(pointer self, const equipment_ptr& my, const incarnation& gone) {
  for (auto& [name, model] : self->state.models) {
    bool affected = false;
    for (const auto& node : model.planned_over) affected = affected || node.process.id == gone;
    if (!affected) continue;
    // Stages that are being loaded are not waited for: a lost node does not answer.
    if (model.at == step::deploying) abandon_deployment(self, model);
    if (model.at == step::ready || model.at == step::deploying)
      start_planning(self, my, model);
    else if (model.at == step::planning)
      model.stale = true;
  }
}

void member_changed(pointer self, const equipment_ptr& my, const member_news& news,
                    const node_agent_actor& agent) {
  const auto& id = news.node.process.id;
  auto& members = self->state.members;
  switch (static_cast<membership_change>(news.change)) {
  case membership_change::joined:
    members[id] = {news.node, agent, true};
    for (auto& [name, model] : self->state.models)
      if (model.at == step::failed && model.plan) start_planning(self, my, model);
    break;
  case membership_change::suspected:
    break;
  case membership_change::recovered:
    break;
  case membership_change::draining:
    if (const auto found = members.find(id); found != members.end()) found->second.open = false;
    replan(self, my, id);
    break;
  case membership_change::left:
  case membership_change::lost:
    members.erase(id);
    replan(self, my, id);
    break;
  }
}

std::vector<model_status> describe(pointer self) {
  std::vector<model_status> all;
  for (const auto& [name, model] : self->state.models) {
    model_status status{name, std::string(to_string(model.at)), model.detail, model.epoch, 0, 0};
    if (model.at == step::fetching && model.progress) {
      status.done = model.progress->load();
      status.total = model.progress_total;
    } else if (model.at == step::deploying) {
      for (const auto& shard : model.shards) status.done += shard ? 1 : 0;
      status.total = model.shards.size();
    }
    all.push_back(std::move(status));
  }
  return all;
}

} // namespace

deployer_actor::behavior_type deployer(pointer self, deployer_equipment equipment,
                                       scheduler_actor scheduler) {
  const auto my = std::make_shared<const deployer_equipment>(std::move(equipment));
  self->state.scheduler = std::move(scheduler);
  return {
      [=](load_atom, model_order& order) { return load(self, my, std::move(order)); },
      [=](unload_atom, const std::string& name) {
        if (self->state.models.erase(name) == 0) return;
        for (const auto& [id, member] : self->state.members)
          self->send(member.agent, retire_atom_v, name, std::uint64_t{0}, self->state.next_epoch);
      },
      [=](planned_atom, const planning_outcome_ptr& outcome) { planned(self, my, *outcome); },
      [=](news_atom, const member_news& news, const node_agent_actor& agent) {
        member_changed(self, my, news, agent);
      },
      [=](status_atom) { return describe(self); },
  };
}

} // namespace shoal
