#include "runtime/plan/measure_costs.hpp"

#include "kernels/cpu/threads.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/graph/subgraph.hpp"
#include "runtime/plan/check_memory.hpp"
#include "runtime/plan/example.hpp"
#include "runtime/session/session.hpp"

#include <algorithm>

namespace shoal {
namespace {

using clock = std::chrono::steady_clock;

/// Seconds per node: medians over the runs.
result<std::vector<double>> time_nodes(session& s, std::span<const tensor> inputs,
                                       std::size_t nodes, const measure_options& options) {
  workspace arena;
  SHOAL_CHECK(s.run(inputs, arena));
  std::vector<std::vector<double>> samples(nodes);
  const auto begin = clock::now();
  for (int run = 0; run < options.max_runs; ++run) {
    if (run >= options.min_runs && clock::now() - begin > options.budget) break;
    SHOAL_CHECK(s.run_profiled(inputs, arena));
    std::vector<double> sums(nodes, 0);
    for (const auto& step : s.profile()) sums[step.node] += step.seconds;
    for (std::size_t n = 0; n < nodes; ++n) samples[n].push_back(sums[n]);
  }
  std::vector<double> medians(nodes, 0);
  for (std::size_t n = 0; n < nodes; ++n) {
    auto& v = samples[n];
    const auto middle = v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2);
    std::nth_element(v.begin(), middle, v.end());
    medians[n] = *middle;
  }
  return medians;
}

layer_cost describe_node(const bound_graph& bound, std::size_t n, std::vector<bool>& counted) {
  const auto& node = bound.model->nodes()[n];
  layer_cost layer;
  layer.name = node.name;
  layer.op = node.definition->name;
  for (const auto id : node.inputs) {
    if (id == no_value || counted[id] || !bound.model->value(id).is_constant()) continue;
    counted[id] = true; // a constant that several nodes read counts for the first
    layer.parameter_bytes += bytes_of_type(bound.value(id).type);
  }
  const auto outputs = bound.output_types_of(n);
  if (!bound.folded[n]) {
    const auto operands = bound.operands_of(n);
    double flops = 0;
    if (node.definition->cost != nullptr)
      flops = node.definition->cost({node, operands}, outputs).flops;
    else if (!node.definition->is_view)
      for (const auto& out : outputs) flops += static_cast<double>(out.dims.element_count());
    layer.flops = static_cast<std::uint64_t>(flops);
  }
  for (const auto& out : outputs) layer.activation_bytes += bytes_of_type(out);
  return layer;
}

} // namespace

result<model_costs> measure_costs(std::shared_ptr<const graph> model,
                                  std::span<const tensor_type> inputs,
                                  const measure_options& options) {
  std::vector<operand> operands;
  for (const auto& type : inputs) {
    SHOAL_CHECK(checked_element_count(type.dims.span()));
    operands.push_back({type, nullptr, true});
  }
  SHOAL_TRY(const auto bound, bind_example(model, inputs));
  session_options how;
  how.threads = options.threads;
  SHOAL_TRY(auto compiled,
            session::compile(model, operands, std::make_shared<weight_cache>(), how));
  SHOAL_CHECK(check_memory(*compiled, inputs));
  SHOAL_TRY(const auto values, example_inputs(inputs));
  const auto nodes = model->nodes().size();
  const auto timed = time_nodes(*compiled, values, nodes, options);
  kernels::release_compute_threads(); // whoever measures does not go on computing
  SHOAL_TRY(const auto seconds, timed);
  model_costs costs;
  std::vector<bool> counted(model->values().size(), false);
  for (std::size_t n = 0; n < nodes; ++n) {
    costs.layers.push_back(describe_node(*bound, n, counted));
    costs.layers.back().seconds = seconds[n];
  }
  for (std::size_t cut = 0; cut <= nodes; ++cut) {
    const auto live = live_values(*model, cut);
    std::uint64_t bytes = 0;
    for (const auto id : live) bytes += bytes_of_type(bound->value(id).type);
    costs.cut_bytes.push_back(bytes);
    costs.cut_forbidden.push_back(cut != 0 && cut != nodes &&
                                  live.size() > options.max_live_values);
    if (cut < nodes) costs.layers[cut].activation_bytes += bytes;
  }
  return costs;
}

result<double> measure_device(int threads, std::chrono::milliseconds budget) {
  constexpr std::int64_t channels = 64, size = 56, kernel_size = 3;
  const tensor_type image{dtype::f32, {1, channels, size, size}};
  graph_builder b;
  const auto in = b.add_value({.name = "x", .type = dtype::f32, .dims = {}, .constant = {}});
  const auto out = b.add_value({.name = "y", .type = dtype::f32, .dims = {}, .constant = {}});
  const tensor_type filters{dtype::f32, {channels, channels, kernel_size, kernel_size}};
  SHOAL_TRY(auto content, example_inputs({&filters, 1}));
  const auto weights = b.add_constant("w", std::move(content[0]));
  graph_node conv;
  conv.name = "yardstick";
  conv.opset = 13;
  SHOAL_TRY(conv.definition, find_operator("Conv", "", conv.opset, conv.name));
  conv.attrs.set("pads", std::vector<std::int64_t>{1, 1, 1, 1});
  conv.inputs = {in, weights};
  conv.outputs = {out};
  b.inputs = {in};
  b.outputs = {out};
  b.nodes.push_back(std::move(conv));
  SHOAL_TRY(auto model, std::move(b).build());
  measure_options options;
  options.threads = threads;
  options.max_runs = 10'000;
  options.budget = budget;
  SHOAL_TRY(const auto costs,
            measure_costs(std::make_shared<const graph>(std::move(model)), {&image, 1}, options));
  const auto& layer = costs.layers.front();
  if (layer.seconds <= 0)
    return fail(errc::internal,
                "a convolution took no time: the clock of this machine is too coarse");
  return static_cast<double>(layer.flops) / layer.seconds;
}

} // namespace shoal
