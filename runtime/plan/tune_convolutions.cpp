#include "runtime/plan/tune_convolutions.hpp"

#include "kernels/cpu/processor.hpp"
#include "kernels/cpu/threads.hpp"
#include "runtime/base/file.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/machine.hpp"
#include "runtime/base/sha256.hpp"
#include "runtime/operators/convolution_rules.hpp"
#include "runtime/plan/check_memory.hpp"
#include "runtime/plan/convolution_algorithm.hpp"
#include "runtime/plan/example.hpp"
#include "runtime/session/session.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <sstream>

namespace shoal {
namespace {

using clock = std::chrono::steady_clock;
using seconds = std::chrono::duration<double>;
using node_list = std::vector<std::size_t>;

/// Before this many channels the transforms cost what the products save.
constexpr std::int64_t least_channels = 8;
/// What a node must gain: packing its weights takes time whenever the model is loaded, and they
/// take up to four times the memory.
constexpr double node_gain = 0.15;
/// What the network must gain with all of these.
constexpr double network_gain = 0.02;
constexpr int most_rounds = 7;
constexpr std::string_view file_head = "shoal tuning 1";
constexpr std::uint64_t most_file_bytes = 1 << 20;

bool is_tunable(const graph& model, const graph_node& node) {
  if (!is_convolution(node) || node.attrs.get_int("group", 1) != 1) return false;
  const auto& weights = model.value(node.inputs[1]);
  if (!weights.is_constant() || weights.constant.element_type() != dtype::f32) return false;
  const auto& dims = weights.constant.dims();
  const auto ones = [&](std::string_view name) {
    return std::ranges::all_of(node.attrs.get_ints(name), [](auto v) { return v == 1; });
  };
  return dims.rank() == 4 && dims[2] == 3 && dims[3] == 3 && dims[0] >= least_channels &&
         dims[1] >= least_channels && ones("strides") && ones("dilations");
}

/// Names graph, inputs, machine and threads as far as times depend on them.
digest name_of(const graph& model, std::span<const tensor_type> inputs, int threads) {
  std::string text = fmt::format("{}\n{}\n{} threads\n", file_head, kernels::processor(), threads);
  for (const auto& type : inputs) text += to_string(type) + "\n";
  for (const auto& node : model.nodes()) {
    text += node.definition->name;
    for (const auto id : node.inputs) {
      text += fmt::format(" {}", id);
      if (id != no_value && model.value(id).is_constant())
        text += to_string(model.value(id).constant.type());
    }
    for (const auto* name : {"strides", "pads", "dilations", "kernel_shape", "group"})
      if (const auto values = node.attrs.get_ints(name); !values.empty())
        text += fmt::format(" {} {}", name, fmt::join(values, ","));
    text += fmt::format(" {}\n", node.attrs.get_string("activation", ""));
  }
  return sha256(bytes_of(text));
}

/// What the file says, or nothing if there is none, or none that fits the graph.
std::optional<node_list> read_choice(const std::filesystem::path& file, const node_list& tunable) {
  const auto text = read_file(file, most_file_bytes);
  if (!text) return std::nullopt;
  std::istringstream lines(*text);
  std::string head, word;
  std::getline(lines, head);
  if (head != file_head || !(lines >> word) || word != "winograd") return std::nullopt;
  node_list nodes;
  for (std::size_t n = 0; lines >> n;) {
    if (!std::ranges::binary_search(tunable, n)) return std::nullopt;
    nodes.push_back(n);
  }
  if (!lines.eof()) return std::nullopt;
  return nodes;
}

/// Writes the file unless another process has; returns what is in it, or nothing if none can be.
std::optional<node_list> settle(const std::filesystem::path& file, const node_list& nodes,
                                const node_list& tunable) {
  const auto text = fmt::format("{}\nwinograd {}\n", file_head, fmt::join(nodes, " "));
  const auto bytes = bytes_of(text);
  auto mine = file;
  mine += fmt::format(".{}", to_string(incarnation::random()));
  if (!replace_file(mine, {&bytes, 1})) return std::nullopt;
  std::error_code there, ignored;
  std::filesystem::create_hard_link(mine, file, there); // fails where there is one
  std::filesystem::remove(mine, ignored);
  return read_choice(file, tunable);
}

/// A network that is timed, node by node or as a whole.
class subject {
 public:
  static result<subject> make(std::shared_ptr<const graph> model,
                              std::span<const tensor_type> inputs,
                              std::shared_ptr<weight_cache> weights, int threads) {
    std::vector<operand> operands;
    for (const auto& type : inputs) operands.push_back({type, nullptr, true});
    subject s;
    session_options how;
    how.threads = threads;
    SHOAL_TRY(s.compiled_, session::compile(model, operands, std::move(weights), how));
    SHOAL_CHECK(check_memory(*s.compiled_, inputs));
    s.kernel_.resize(model->nodes().size());
    s.reorder_.resize(model->nodes().size());
    return s;
  }

  result<double> run(std::span<const tensor> inputs) {
    const auto begin = clock::now();
    SHOAL_CHECK(compiled_->run(inputs, arena_));
    return seconds(clock::now() - begin).count();
  }
  result<void> profile(std::span<const tensor> inputs) {
    SHOAL_CHECK(compiled_->run_profiled(inputs, arena_));
    std::map<std::size_t, double> kernels, reorders;
    for (const auto& step : compiled_->profile()) {
      (step.kernel == "reorder" ? reorders : kernels)[step.node] += step.seconds;
      if (step.kernel == rules::winograd_algorithm) by_winograd_.insert(step.node);
    }
    for (std::size_t n = 0; n < kernel_.size(); ++n) {
      kernel_[n].push_back(kernels[n]);
      reorder_[n].push_back(reorders[n]);
    }
    return {};
  }

  bool by_winograd(std::size_t node) const { return by_winograd_.contains(node); }
  double kernel_seconds(std::size_t node) { return median(kernel_[node]); }
  double reorder_seconds(std::size_t node) { return median(reorder_[node]); }

  static double median(std::vector<double>& values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
  }

 private:
  std::unique_ptr<session> compiled_;
  workspace arena_;
  std::vector<std::vector<double>> kernel_, reorder_; ///< by node, a sample a run
  std::set<std::size_t> by_winograd_;
};

/// By value, the nodes that read it.
std::vector<node_list> readers_of(const graph& model) {
  std::vector<node_list> readers(model.values().size());
  for (std::size_t n = 0; n < model.nodes().size(); ++n)
    for (const auto id : model.nodes()[n].inputs)
      if (id != no_value) readers[id].push_back(n);
  return readers;
}

/// The nodes that are faster by Winograd, with the reorders before and behind them. A node behind
/// that computes by Winograd itself needs none.
node_list faster_nodes(const graph& model, subject& direct, subject& winograd) {
  node_list chosen;
  const auto readers = readers_of(model);
  for (std::size_t n = 0; n < model.nodes().size(); ++n) {
    if (!winograd.by_winograd(n)) continue;
    const auto before = direct.kernel_seconds(n) + direct.reorder_seconds(n);
    auto after = winograd.kernel_seconds(n) + winograd.reorder_seconds(n);
    for (const auto reader : readers[model.nodes()[n].outputs[0]])
      if (!winograd.by_winograd(reader))
        after += winograd.reorder_seconds(reader) - direct.reorder_seconds(reader);
    if (after < before * (1 - node_gain)) chosen.push_back(n);
  }
  return chosen;
}

/// The nodes that shall compute by Winograd, by times.
result<node_list> measure(const std::shared_ptr<const graph>& model,
                          std::span<const tensor_type> types, const node_list& tunable,
                          const tune_options& options) {
  const auto weights = std::make_shared<weight_cache>();
  const auto make = [&](std::shared_ptr<const graph> what) {
    return subject::make(std::move(what), types, weights, options.threads);
  };
  SHOAL_TRY(auto direct, make(model));
  SHOAL_TRY(const auto inputs, example_inputs(types)); // only now is known that they fit
  SHOAL_CHECK(direct.run(inputs));                     // warms up
  SHOAL_TRY(const auto once, direct.run(inputs));
  const auto affordable = seconds(options.budget).count() / std::max(once, 1e-6) / 4;
  if (affordable < 1) return node_list();
  const int rounds = static_cast<int>(std::min<double>(affordable, most_rounds));

  SHOAL_TRY(auto everywhere, with_winograd(*model, tunable));
  node_list chosen;
  {
    SHOAL_TRY(auto winograd, make(std::move(everywhere)));
    SHOAL_CHECK(winograd.run(inputs));
    for (int i = 0; i < rounds; ++i) {
      SHOAL_CHECK(direct.profile(inputs));
      SHOAL_CHECK(winograd.profile(inputs));
    }
    chosen = faster_nodes(*model, direct, winograd);
  }
  if (chosen.empty()) return chosen;
  SHOAL_TRY(auto mixed, with_winograd(*model, chosen));
  SHOAL_TRY(auto candidate, make(std::move(mixed)));
  SHOAL_CHECK(candidate.run(inputs));
  std::vector<double> before, after;
  for (int i = 0; i < rounds; ++i) {
    SHOAL_TRY(before.emplace_back(), direct.run(inputs));
    SHOAL_TRY(after.emplace_back(), candidate.run(inputs));
  }
  if (subject::median(after) > subject::median(before) * (1 - network_gain)) chosen.clear();
  return chosen;
}

} // namespace

std::filesystem::path default_tuning_folder() {
  return default_cache_folder() / "tuning";
}

node_list tunable_convolutions(const graph& model) {
  node_list found;
  for (std::size_t n = 0; n < model.nodes().size(); ++n)
    if (is_tunable(model, model.nodes()[n])) found.push_back(n);
  return found;
}

result<std::shared_ptr<const graph>> with_winograd(const graph& model,
                                                   std::span<const std::size_t> nodes) {
  return with_algorithm(model, nodes, rules::winograd_algorithm);
}

result<std::shared_ptr<const graph>> tune_convolutions(std::shared_ptr<const graph> model,
                                                       std::span<const tensor_type> inputs,
                                                       const tune_options& options) {
  const auto tunable = tunable_convolutions(*model);
  if (tunable.empty() || options.folder.empty()) return model;
  std::error_code problem;
  std::filesystem::create_directories(options.folder, problem);
  if (problem) return model;
  const auto file = options.folder / to_string(name_of(*model, inputs, options.threads));
  auto chosen = read_choice(file, tunable);
  if (!chosen) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored); // what is there does not fit
    // What cannot be measured, for want of memory above all, may still run as it is.
    const auto measured = measure(model, inputs, tunable, options);
    kernels::release_compute_threads(); // whoever measures does not go on computing
    chosen = settle(file, measured ? *measured : node_list(), tunable);
  }
  if (!chosen || chosen->empty()) return model;
  return with_winograd(*model, *chosen);
}

} // namespace shoal
