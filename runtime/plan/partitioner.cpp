#include "runtime/plan/partitioner.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/plan/partition_search.hpp"
#include "runtime/plan/units.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <set>

namespace shoal {

namespace {

std::string name_layers(const cost_model& model, std::size_t first, std::size_t last) {
  if (last - first == 1)
    return fmt::format("layer {} ({})", model.layer(first).name, model.layer(first).op);
  return fmt::format("layers {} … {}", model.layer(first).name, model.layer(last - 1).name);
}

/// Why memory allows no placement, as far as one sentence can say.
error explain_memory(const partition_problem& problem, const cost_model& model,
                     std::span<const device_profile> devices) {
  const auto largest =
      std::max_element(devices.begin(), devices.end(), [](const auto& a, const auto& b) {
        return a.memory_bytes < b.memory_bytes;
      });
  std::size_t worst = 0;
  for (std::size_t i = 1; i < problem.last_position(); ++i)
    if (problem.memory(i, i + 1) > problem.memory(worst, worst + 1)) worst = i;
  const auto need = problem.memory(worst, worst + 1);
  if (need > largest->memory_bytes)
    return fail(errc::resource_exhausted,
                "{} cannot be divided and need {} bytes ({}), but the largest device, {}, has {} "
                "bytes ({})",
                name_layers(model, problem.cut(worst), problem.cut(worst + 1)), need,
                human_bytes(need), largest->name, largest->memory_bytes,
                human_bytes(largest->memory_bytes));
  const auto whole = problem.memory(0, problem.last_position());
  const auto stages = problem.options().stages;
  return fail(errc::resource_exhausted,
              "{} need {} bytes ({}) in one stage, and no way to cut them into {} of {} devices "
              "fits; the largest device, {}, has {} bytes ({})",
              name_layers(model, 0, model.layer_count()), whole, human_bytes(whole),
              stages ? fmt::format("{} stages on as many", *stages) : std::string("stages on any"),
              devices.size(), largest->name, largest->memory_bytes,
              human_bytes(largest->memory_bytes));
}

std::size_t unit_of(std::span<const device_profile> devices, std::size_t device) {
  const auto unit = devices[device].unit;
  return unit == device_profile::own_unit ? device : unit;
}

/// A device for every segment. Like devices are taken in order; from a merged type the heaviest
/// segment gets the fastest.
std::vector<std::size_t> choose_devices(const partition_problem& problem,
                                        const std::vector<placed_segment>& way) {
  std::vector<std::size_t> order(way.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto load = [&](std::size_t i) {
    const bool merged = problem.types()[way[i].type].merged;
    return merged ? problem.seconds(way[i].type, way[i].from, way[i].to) : 0.0;
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return load(a) > load(b); });
  std::vector<std::vector<std::size_t>> left;
  for (const auto& type : problem.types()) left.push_back(type.devices);
  std::vector<std::size_t> chosen(way.size());
  for (const auto i : order) {
    auto& free = left[way[i].type];
    const auto best = std::min_element(free.begin(), free.end(), [&](std::size_t a, std::size_t b) {
      return problem.device_seconds(a, way[i].from, way[i].to) <
             problem.device_seconds(b, way[i].from, way[i].to);
    });
    chosen[i] = *best;
    free.erase(best);
  }
  return chosen;
}

plan_stage make_stage(const partition_problem& problem, const cost_model& model,
                      const placed_segment& segment, std::size_t device,
                      std::span<const device_profile> devices) {
  const auto& profile = devices[device];
  plan_stage stage;
  stage.first_layer = problem.cut(segment.from);
  stage.last_layer = problem.cut(segment.to);
  const auto cost = model.segment(stage.first_layer, stage.last_layer);
  stage.device = device;
  stage.unit = unit_of(devices, device);
  stage.node = profile.node;
  stage.device_name = profile.name;
  stage.expected_seconds = problem.device_seconds(device, segment.from, segment.to) /
                           static_cast<double>(profile.shares);
  stage.parameter_bytes = cost.parameter_bytes;
  stage.flops = cost.flops;
  stage.bytes_in = model.cut_bytes(stage.first_layer);
  stage.bytes_out = model.cut_bytes(stage.last_layer);
  stage.memory_bytes = problem.memory(segment.from, segment.to);
  return stage;
}

void add_times(execution_plan& plan, const link_table& links, const partition_options& options) {
  auto from = options.source_node;
  std::map<std::size_t, double> busy; // seconds per unit
  for (auto& stage : plan.stages) {
    if (from) stage.transfer_seconds = links.between(*from, stage.node).seconds(stage.bytes_in);
    from = stage.node;
    plan.latency_s += stage.transfer_seconds + stage.expected_seconds;
    auto& spent = busy[stage.unit];
    spent += stage.expected_seconds;
    plan.bottleneck_s = std::max({plan.bottleneck_s, stage.transfer_seconds, spent});
  }
  if (options.sink_node)
    plan.final_transfer_seconds =
        links.between(*from, *options.sink_node).seconds(plan.stages.back().bytes_out);
  plan.latency_s += plan.final_transfer_seconds;
  plan.bottleneck_s = std::max(plan.bottleneck_s, plan.final_transfer_seconds);
}

void add_idle(execution_plan& plan, const partition_problem& problem,
              std::span<const device_profile> devices) {
  auto smallest = std::numeric_limits<std::uint64_t>::max();
  for (std::size_t i = 0; i < problem.last_position(); ++i)
    smallest = std::min(smallest, problem.memory(i, i + 1));
  std::set<std::size_t> told;
  for (const auto& stage : plan.stages) told.insert(stage.unit);
  for (std::size_t d = 0; d < devices.size(); ++d) {
    if (!told.insert(unit_of(devices, d)).second) continue;
    auto reason = idle_reason::would_slow;
    if (smallest > devices[d].memory_bytes)
      reason = idle_reason::memory;
    else if (problem.options().stages)
      reason = idle_reason::not_wanted;
    plan.idle.push_back({d, devices[d].name, reason});
  }
}

} // namespace

result<execution_plan> partition(const cost_model& model, std::span<const device_profile> devices,
                                 const link_table& links, const partition_options& options) {
  SHOAL_TRY(const auto problem, partition_problem::create(model, devices, links, options));
  const device_sets sets(problem);
  const auto bottleneck = least_bottleneck(problem, sets);
  if (!bottleneck) return explain_memory(problem, model, devices);
  // Equal segments differ in their last digits, depending on where they lie: no reason to refuse
  // one.
  const auto limit = *bottleneck * (1 + options.latency_slack) * (1 + 1e-9);
  const auto way = shortest_within(problem, sets, limit);
  const auto chosen = choose_devices(problem, way);

  execution_plan plan;
  plan.optimal = problem.exact();
  for (std::size_t i = 0; i < way.size(); ++i)
    plan.stages.push_back(make_stage(problem, model, way[i], chosen[i], devices));
  add_times(plan, links, options);
  add_idle(plan, problem, devices);
  return plan;
}

} // namespace shoal
