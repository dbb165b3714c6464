#include "runtime/plan/live_order.hpp"

#include <algorithm>
#include <set>

namespace shoal {
namespace {

/// Which bytes are alive while nodes run one after the other.
class live_set {
 public:
  explicit live_set(const bound_graph& bound)
      : model_(*bound.model), bytes_(model_.values().size(), 0),
        readers_left_(model_.values().size(), 0) {
    for (value_id v = 0; v < model_.values().size(); ++v) {
      const auto& known = bound.value(v);
      if (known.constant == nullptr)
        bytes_[v] =
            known.type.dims.element_count() * static_cast<std::int64_t>(size_of(known.type.type));
    }
    for (const auto& node : model_.nodes()) {
      auto& ids = reads_.emplace_back(node.inputs);
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
      if (!ids.empty() && ids.back() == no_value) ids.pop_back();
      for (const auto id : ids) ++readers_left_[id];
    }
    for (const auto id : model_.outputs()) ++readers_left_[id]; // never the last
    for (const auto id : model_.inputs()) alive_ += bytes_[id];
  }

  /// By how many bytes node `n` would change what is alive.
  std::int64_t growth(std::size_t n) const {
    std::int64_t change = 0;
    for (const auto id : model_.nodes()[n].outputs)
      if (id != no_value && readers_left_[id] > 0) change += bytes_[id];
    for (const auto id : reads_[n])
      if (readers_left_[id] == 1) change -= bytes_[id];
    return change;
  }

  /// Returns what is alive afterwards.
  std::int64_t run(std::size_t n) {
    alive_ += growth(n);
    for (const auto id : reads_[n]) --readers_left_[id];
    return alive_;
  }

 private:
  const graph& model_;
  std::vector<std::vector<value_id>> reads_; ///< by node, each value once
  std::vector<std::int64_t> bytes_;
  std::vector<std::size_t> readers_left_;
  std::int64_t alive_ = 0;
};

std::vector<std::size_t> greedy_order(const bound_graph& bound) {
  const auto nodes = bound.model->nodes();
  std::vector<std::vector<std::size_t>> readers(bound.model->values().size());
  std::vector<std::size_t> waiting(nodes.size(), 0); ///< inputs that are not there yet
  std::vector<bool> made(bound.model->values().size(), false);
  for (const auto& node : nodes)
    for (const auto id : node.outputs)
      if (id != no_value) made[id] = true;
  for (std::size_t n = 0; n < nodes.size(); ++n)
    for (const auto id : nodes[n].inputs)
      if (id != no_value && made[id]) {
        readers[id].push_back(n);
        ++waiting[n];
      }
  std::set<std::size_t> ready;
  for (std::size_t n = 0; n < nodes.size(); ++n)
    if (waiting[n] == 0) ready.insert(n);
  live_set live(bound);
  std::vector<std::size_t> order;
  while (!ready.empty()) {
    const auto next = *std::min_element(ready.begin(), ready.end(), [&](auto a, auto b) {
      return live.growth(a) < live.growth(b);
    });
    ready.erase(next);
    order.push_back(next);
    live.run(next);
    for (const auto id : nodes[next].outputs) {
      if (id == no_value) continue;
      for (const auto reader : readers[id])
        if (--waiting[reader] == 0) ready.insert(reader);
    }
  }
  return order;
}

/// Bytes alive after each node, summed up.
double sum_of_cuts(const bound_graph& bound, std::span<const std::size_t> order) {
  live_set live(bound);
  double sum = 0;
  for (const auto n : order) sum += static_cast<double>(live.run(n));
  return sum;
}

} // namespace

result<std::shared_ptr<const graph>> order_by_live_bytes(const bound_graph& bound) {
  const auto nodes = bound.model->nodes();
  std::vector<std::size_t> as_given(nodes.size());
  for (std::size_t n = 0; n < nodes.size(); ++n) as_given[n] = n;
  const auto order = greedy_order(bound);
  if (sum_of_cuts(bound, order) >= sum_of_cuts(bound, as_given)) return bound.model;
  graph_builder builder(*bound.model);
  for (std::size_t i = 0; i < order.size(); ++i) builder.nodes[i] = nodes[order[i]];
  SHOAL_TRY(auto ordered, std::move(builder).build());
  return std::make_shared<const graph>(std::move(ordered));
}

} // namespace shoal
