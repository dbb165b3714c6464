#include "runtime/plan/plan_table.hpp"

#include "runtime/plan/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <vector>

namespace shoal {

namespace {

constexpr std::size_t max_name = 36;
constexpr std::size_t max_device = 28;

struct column {
  std::string title;
  bool right_aligned = true;
};

const std::vector<column>& columns() {
  static const std::vector<column> all{
      {"stage"}, {"layers", false}, {"count"},       {"parameters"}, {"FLOPs"},        {"memory"},
      {"time"},  {"bytes in"},      {"transfer in"}, {"bytes out"},  {"device", false}};
  return all;
}

std::string layer_range(const plan_stage& stage, const cost_model& model) {
  const auto first = shorten_middle(model.layer(stage.first_layer).name, max_name);
  if (stage.last_layer - stage.first_layer == 1) return first;
  return first + " … " + shorten_middle(model.layer(stage.last_layer - 1).name, max_name);
}

std::vector<std::string> stage_row(std::size_t index, const plan_stage& stage,
                                   const cost_model& model) {
  return {fmt::format("{}", index + 1),
          layer_range(stage, model),
          fmt::format("{}", stage.last_layer - stage.first_layer),
          human_bytes(stage.parameter_bytes),
          human_flops(stage.flops),
          human_bytes(stage.memory_bytes),
          human_seconds(stage.expected_seconds),
          human_bytes(stage.bytes_in),
          human_seconds(stage.transfer_seconds),
          human_bytes(stage.bytes_out),
          shorten_middle(stage.device_name, max_device)};
}

std::vector<std::string> total_row(const execution_plan& plan, const cost_model& model) {
  const auto whole = model.whole();
  std::uint64_t memory = 0;
  double seconds = 0;
  double transfer = plan.final_transfer_seconds;
  for (const auto& stage : plan.stages) {
    memory += stage.memory_bytes;
    seconds += stage.expected_seconds;
    transfer += stage.transfer_seconds;
  }
  return {
      "all",
      "",
      fmt::format("{}", model.layer_count()),
      human_bytes(whole.parameter_bytes),
      human_flops(whole.flops),
      human_bytes(memory),
      human_seconds(seconds),
      human_bytes(model.cut_bytes(0)),
      human_seconds(transfer),
      human_bytes(model.cut_bytes(model.layer_count())),
      fmt::format("{} of {} devices", plan.devices_used(), plan.devices_used() + plan.idle.size())};
}

std::string render_row(const std::vector<std::string>& cells,
                       const std::vector<std::size_t>& widths) {
  std::string line;
  for (std::size_t c = 0; c < cells.size(); ++c) {
    const std::string padding(widths[c] - character_count(cells[c]), ' ');
    if (c != 0) line += "  ";
    line += columns()[c].right_aligned ? padding + cells[c] : cells[c] + padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

} // namespace

std::string render_table(const execution_plan& plan, const cost_model& model) {
  std::vector<std::vector<std::string>> rows(1);
  for (const auto& one : columns()) rows[0].push_back(one.title);
  for (std::size_t s = 0; s < plan.stages.size(); ++s) {
    assert(plan.stages[s].last_layer <= model.layer_count());
    rows.push_back(stage_row(s, plan.stages[s], model));
  }
  rows.push_back(total_row(plan, model));

  std::vector<std::size_t> widths(columns().size());
  for (const auto& row : rows)
    for (std::size_t c = 0; c < row.size(); ++c)
      widths[c] = std::max(widths[c], character_count(row[c]));
  std::size_t length = 2 * (widths.size() - 1);
  for (const auto width : widths) length += width;
  std::string rule;
  for (std::size_t i = 0; i < length; ++i) rule += "─";
  rule += "\n";

  std::string text = render_row(rows.front(), widths) + rule;
  for (std::size_t r = 1; r + 1 < rows.size(); ++r) text += render_row(rows[r], widths);
  text += rule + render_row(rows.back(), widths);
  text += fmt::format("bottleneck {}, latency {}, {:.1f} requests/s{}\n",
                      human_seconds(plan.bottleneck_s), human_seconds(plan.latency_s),
                      plan.throughput(),
                      plan.optimal ? "" : " (found by a heuristic: perhaps not the best)");
  for (const auto& replica : plan.replicas)
    text += fmt::format("stage {} also on {} ({})\n", replica.stage + 1,
                        shorten_middle(replica.device_name, max_device),
                        human_seconds(replica.expected_seconds));
  for (const auto& device : plan.idle)
    text += fmt::format("idle: {} ({})\n", shorten_middle(device.device_name, max_device),
                        to_string(device.reason));
  return text;
}

} // namespace shoal
