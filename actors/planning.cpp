#include "actors/planning.hpp"

#include "actors/value_specs.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/graph/subgraph.hpp"
#include "runtime/plan/example.hpp"
#include "runtime/plan/live_order.hpp"
#include "runtime/plan/measure_costs.hpp"
#include "runtime/plan/partitioner.hpp"
#include "runtime/plan/plan_svg.hpp"
#include "runtime/plan/plan_table.hpp"
#include "runtime/plan/replicas.hpp"
#include "runtime/plan/tune_convolutions.hpp"
#include "runtime/session/batch_split.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/store/package.hpp"
#include "runtime/tile/steady_kernels.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

namespace shoal {
namespace {

// What is assumed of links until they are measured. From stage to stage within a process it is a
// few messages between actors, and values that have left the processor's cache.
constexpr link_profile same_process{10e-6, 10e9};
constexpr link_profile same_machine{50e-6, 2e9};
constexpr link_profile local_network{200e-6, 110e6};

/// What a shorter way through may cost in throughput. Layer times are hardly known better than
/// this, while bytes over a cut are, and moving them takes time of the same processors.
constexpr double latency_slack = 0.02;
/// Where stages share a device, the time of the longest matters little, and that of the cuts more.
constexpr double slack_of_shared_devices = 0.25;

/// A device that may get a stage; `node` and `device` say which one it really is.
struct candidate {
  std::size_t node = 0;
  std::uint32_t device = 0;
  double slowness = 1;
};

/// Whether what this machine measures holds for a device: it is one of this machine, and as fast
/// as so many threads are. Limits on a process, by quotas say, show in its own measurement, which
/// scatters by itself.
bool is_like_this_machine(const planning_task& task, const node_offer& node,
                          const device_offer& device) {
  if (device.kind != "cpu" || node.process.host != task.head.host) return false;
  const auto relative = static_cast<double>(device.flops_per_second) /
                        (task.reference_flops_per_second * device.threads);
  return relative > 0.4 && relative < 1.6;
}

/// With how many threads the layers are timed that stand for all devices. The speeds of devices are
/// told as multiples of one thread; where each device is timed by its own threads, one of those
/// will do, and nothing is measured for the comparison alone.
std::uint32_t reference_threads(const planning_task& task) {
  std::optional<std::uint32_t> first;
  for (const auto& node : task.nodes)
    for (const auto& device : node.devices) {
      if (!is_like_this_machine(task, node, device)) return 1;
      first = first.value_or(device.threads);
    }
  return first.value_or(1);
}

/// With how many threads algorithms are compared: the fewest of any processor. What that gives does
/// not depend on measurements, so that the same nodes get the same algorithms again.
std::uint32_t tuning_threads(const planning_task& task) {
  std::optional<std::uint32_t> fewest;
  for (const auto& node : task.nodes)
    for (const auto& device : node.devices)
      if (device.kind == "cpu") fewest = std::min(fewest.value_or(device.threads), device.threads);
  return std::max(fewest.value_or(1), 1u);
}

/// The model with the algorithms that are asked for, or fastest here; the nodes compute by the
/// same.
result<std::shared_ptr<const graph>> tuned(const planning_task& task,
                                           std::shared_ptr<const graph> model) {
  if (task.order.steady) return with_steady_kernels(std::move(model));
  if (!task.order.tune) return model;
  SHOAL_TRY(const auto types, types_of(task.order.inputs));
  tune_options options;
  options.threads = static_cast<int>(tuning_threads(task));
  options.folder = default_tuning_folder();
  return tune_convolutions(std::move(model), types, options);
}

/// The costs with so many threads; measured the first time they are asked for.
result<std::shared_ptr<const model_costs>>
costs_with(std::uint32_t threads, const planning_task& task, planning_result& out) {
  auto& known = out.costs[threads];
  if (known) return known;
  SHOAL_TRY(const auto types, types_of(task.order.inputs));
  measure_options options;
  options.threads = static_cast<int>(threads);
  SHOAL_TRY(auto measured, measure_costs(out.rewritten, types, options));
  known = std::make_shared<const model_costs>(std::move(measured));
  return known;
}

result<std::vector<double>> layer_seconds(std::uint32_t threads, const planning_task& task,
                                          planning_result& out) {
  SHOAL_TRY(const auto costs, costs_with(threads, task, out));
  std::vector<double> seconds;
  for (const auto& layer : costs->layers) seconds.push_back(layer.seconds);
  return seconds;
}

/// Every device of every node; in several shares when there are more stages than devices.
result<void> list_devices(const planning_task& task, planning_result& out,
                          std::vector<candidate>& candidates,
                          std::vector<device_profile>& profiles) {
  std::size_t devices = 0;
  for (const auto& node : task.nodes) devices += node.devices.size();
  const std::size_t stages = std::max<std::size_t>(task.order.stages, 1);
  const std::size_t copies = devices == 0 ? 1 : (stages + devices - 1) / devices;
  for (std::size_t copy = 0; copy < copies; ++copy) {
    std::size_t unit = 0;
    for (std::size_t n = 0; n < task.nodes.size(); ++n)
      for (std::size_t d = 0; d < task.nodes[n].devices.size(); ++d) {
        const auto& offer = task.nodes[n].devices[d];
        device_profile profile;
        profile.name = fmt::format("{}/{}", task.nodes[n].name, offer.name);
        const auto learned =
            task.slowness.find({task.nodes[n].process.id, static_cast<std::uint32_t>(d)});
        const auto slowness = learned == task.slowness.end() ? 1.0 : learned->second;
        profile.speed = static_cast<double>(offer.flops_per_second) /
                        task.reference_flops_per_second / slowness;
        profile.shares = copies;
        profile.unit = unit++;
        profile.memory_bytes = offer.memory_bytes / copies;
        profile.node = n;
        if (is_like_this_machine(task, task.nodes[n], offer)) {
          SHOAL_TRY(profile.layer_seconds, layer_seconds(offer.threads, task, out));
          for (auto& seconds : profile.layer_seconds) seconds *= slowness;
        }
        profiles.push_back(std::move(profile));
        candidates.push_back({n, static_cast<std::uint32_t>(d), slowness});
      }
  }
  return {};
}

link_table links_between(const planning_task& task) {
  link_table links(local_network);
  links.set_within(same_process);
  for (std::size_t a = 0; a < task.nodes.size(); ++a)
    for (std::size_t b = 0; b < task.nodes.size(); ++b)
      if (task.nodes[a].process.host == task.nodes[b].process.host) links.set(a, b, same_machine);
  return links;
}

/// Names a stage that stays in this process, where content does not matter.
digest local_name(const planning_task& task, std::size_t stage) {
  return sha256(bytes_of(fmt::format("{}\n{}\n{}\n{}", task.order.name,
                                     to_string(task.order.package), task.epoch, stage)));
}

result<planned_stage> prepare_stage(const planning_task& task, const planning_result& planned,
                                    const bound_graph& bound, std::size_t index,
                                    memory_chunk_source& memory, stage_library& library) {
  const auto& s = planned.plan.stages[index];
  SHOAL_TRY(auto cut, extract_stage(*planned.rewritten, s.first_layer, s.last_layer));
  auto stage = std::make_shared<const graph>(std::move(cut));
  planned_stage out;
  out.content = stage;
  auto& order = out.order;
  order.model = task.order.name;
  order.epoch = task.epoch;
  order.stage = static_cast<std::uint32_t>(index);
  order.memory_bytes = s.memory_bytes;
  order.providers = {task.head};
  std::vector<tensor_type> types;
  const auto entering = live_values(*planned.rewritten, s.first_layer);
  for (const auto id : entering) types.push_back(bound.value(id).type);
  order.inputs = describe_values(*planned.rewritten, entering, types);
  if (task.pack) {
    SHOAL_TRY(const auto packed, pack_graph(*stage, memory));
    order.package = packed.name;
    order.package_bytes = packed.blob_bytes();
  } else {
    order.package = local_name(task, index);
  }
  library.add(order.package, stage);
  return out;
}

/// The stage on one of its devices.
planned_stage placed(planned_stage stage, const candidate& place, double expected_seconds) {
  stage.node = place.node;
  stage.device = stage.order.device = place.device;
  stage.expected_seconds = expected_seconds;
  stage.claimed_seconds = expected_seconds / place.slowness;
  return stage;
}

/// The plan, on as many devices as there are if that is wished: the fewest stages that fit them.
result<execution_plan> cut(const planning_task& task, const cost_model& costs,
                           std::span<const device_profile> profiles) {
  partition_options options;
  if (task.order.stages > 0) options.stages = task.order.stages;
  options.latency_slack = profiles.front().shares > 1 ? slack_of_shared_devices : latency_slack;
  const auto links = links_between(task);
  if (!task.order.replicate || profiles.front().shares > 1)
    return partition(costs, profiles, links, options);
  const auto most = task.order.stages > 0 ? task.order.stages : profiles.size();
  for (std::size_t stages = std::max<std::size_t>(task.order.stages, 1);; ++stages) {
    options.stages = stages;
    auto plan = partition(costs, profiles, links, options);
    if (!plan && stages < most) continue;
    if (plan) add_replicas(*plan, costs, profiles);
    return plan;
  }
}

result<std::unique_ptr<bound_graph>> bind_examples(const planning_task& task,
                                                   std::shared_ptr<const graph> model) {
  SHOAL_TRY(const auto types, types_of(task.order.inputs));
  return bind_example(std::move(model), types);
}

model_card describe(const planning_task& task, const planning_result& planned,
                    const cost_model& costs, const bound_graph& bound,
                    memory_chunk_source& memory) {
  model_card card;
  card.name = task.order.name;
  card.epoch = task.epoch;
  card.inputs = describe_values(*task.model, task.model->inputs());
  card.outputs = describe_values(*task.model, task.model->outputs());
  card.batch_splits = batch_splits(bound);
  card.plan_table = render_table(planned.plan, costs);
  const auto svg = std::make_shared<const std::string>(render_svg(planned.plan, costs, task.title));
  card.plan_picture = memory.add(share_storage(svg, svg->data(), svg->size()));
  card.plan_picture_bytes = svg->size();
  for (const auto& stage : planned.plan.stages)
    card.expected_us.push_back(
        static_cast<std::uint64_t>(std::llround(stage.expected_seconds * 1e6)));
  return card;
}

} // namespace

result<planning_result> make_plan(const planning_task& task, memory_chunk_source& memory,
                                  stage_library& library) {
  if (task.nodes.empty())
    return fail(errc::unavailable, "no node is there to run '{}'", task.title);
  planning_result out;
  out.rewritten = task.known_graph;
  out.costs = task.known_costs;
  if (!out.rewritten) {
    SHOAL_TRY(auto rewritten, rewrite_for_cpu(task.model));
    SHOAL_TRY(const auto bound, bind_examples(task, std::move(rewritten)));
    SHOAL_TRY(out.rewritten, order_by_live_bytes(*bound));
    SHOAL_TRY(out.rewritten, tuned(task, std::move(out.rewritten)));
  }
  SHOAL_TRY(const auto reference, costs_with(reference_threads(task), task, out));
  SHOAL_TRY(const auto costs, cost_model::create(*reference));
  std::vector<candidate> candidates;
  std::vector<device_profile> profiles;
  SHOAL_CHECK(list_devices(task, out, candidates, profiles));
  SHOAL_TRY(out.plan, cut(task, costs, profiles));
  out.plan.epoch = task.epoch;
  SHOAL_TRY(const auto bound, bind_examples(task, out.rewritten));
  out.card = describe(task, out, costs, *bound, memory);
  if (task.order.plan_only) return out;
  for (std::size_t i = 0; i < out.plan.stages.size(); ++i) {
    const auto& at = out.plan.stages[i];
    SHOAL_TRY(const auto stage, prepare_stage(task, out, *bound, i, memory, library));
    out.stages.push_back(placed(stage, candidates[at.device], at.expected_seconds));
    for (const auto& replica : out.plan.replicas)
      if (replica.stage == i)
        out.stages.push_back(placed(stage, candidates[replica.device], replica.expected_seconds));
  }
  return out;
}

} // namespace shoal
