#include "runtime/session/stepwise_session.hpp"

#include "kernels/cpu/threads.hpp"
#include "kernels/reference/reorder.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/session/session_bodies.hpp"
#include "runtime/session/session_cache.hpp"

#include <algorithm>
#include <chrono>

namespace shoal {
namespace {

/// Part of a graph, and which values of the whole it takes and gives.
struct piece {
  std::shared_ptr<const graph> code;
  std::vector<std::size_t> nodes; ///< of the whole, by node of the piece
  std::vector<value_id> inputs;
  std::vector<value_id> outputs;
};

/// Cuts a graph with open nodes into what can run at once, the nodes that only wait for values of
/// that, and the rest.
class cutter {
 public:
  explicit cutter(const bound_graph& bound)
      : bound_(bound), model_(*bound.model), known_(model_.values().size(), true) {
    for (std::size_t n = 0; n < model_.nodes().size(); ++n)
      if (bound.open[n])
        for (const auto id : model_.nodes()[n].outputs)
          if (id != no_value) known_[id] = false;
  }

  std::vector<std::size_t> front() const {
    std::vector<std::size_t> nodes;
    for (std::size_t n = 0; n < model_.nodes().size(); ++n)
      if (bound_.open[n] && is_ready(n)) nodes.push_back(n);
    return nodes;
  }

  result<piece> head() const {
    std::vector<std::size_t> nodes;
    for (std::size_t n = 0; n < model_.nodes().size(); ++n)
      if (!bound_.open[n] && !bound_.folded[n]) nodes.push_back(n);
    return cut(nodes, {model_.inputs().begin(), model_.inputs().end()});
  }

  result<piece> tail() const {
    std::vector<std::size_t> nodes;
    for (std::size_t n = 0; n < model_.nodes().size(); ++n)
      if (bound_.open[n] && !is_ready(n)) nodes.push_back(n);
    std::vector<bool> made(model_.values().size(), false), listed = made;
    for (const auto n : nodes)
      for (const auto id : model_.nodes()[n].outputs)
        if (id != no_value) made[id] = true;
    std::vector<value_id> inputs;
    for (const auto n : nodes)
      for (const auto id : model_.nodes()[n].inputs) {
        if (id == no_value || made[id] || listed[id] || bound_.value(id).constant) continue;
        listed[id] = true;
        inputs.push_back(id);
      }
    return cut(nodes, std::move(inputs));
  }

 private:
  bool is_ready(std::size_t n) const {
    const auto& inputs = model_.nodes()[n].inputs;
    return std::all_of(inputs.begin(), inputs.end(),
                       [this](value_id id) { return id == no_value || known_[id]; });
  }

  /// `nodes` give what others read, or the whole.
  result<piece> cut(const std::vector<std::size_t>& nodes, std::vector<value_id> inputs) const {
    std::vector<bool> inside(model_.nodes().size(), false), wanted(model_.values().size(), false);
    for (const auto n : nodes) inside[n] = true;
    for (std::size_t n = 0; n < model_.nodes().size(); ++n)
      if (!inside[n])
        for (const auto id : model_.nodes()[n].inputs)
          if (id != no_value) wanted[id] = true;
    for (const auto id : model_.outputs()) wanted[id] = true;
    piece out;
    graph_builder part(model_);
    part.nodes.clear();
    for (const auto n : nodes) {
      part.nodes.push_back(model_.nodes()[n]);
      for (const auto id : model_.nodes()[n].outputs)
        if (id != no_value && wanted[id]) out.outputs.push_back(id);
    }
    std::vector<bool> is_input(model_.values().size(), false);
    for (const auto id : inputs) is_input[id] = true;
    for (value_id id = 0; id < model_.values().size(); ++id)
      if (const auto* content = bound_.value(id).constant; content != nullptr && !is_input[id]) {
        part.values[id].constant = *content;
        part.values[id].type = content->element_type();
      }
    part.inputs = inputs;
    part.outputs = out.outputs;
    out.inputs = std::move(inputs);
    out.nodes = nodes;
    SHOAL_TRY(auto built, std::move(part).build());
    out.code = std::make_shared<const graph>(std::move(built));
    return out;
  }

  const bound_graph& bound_;
  const graph& model_;
  std::vector<bool> known_; ///< once what is ahead has run
};

result<tensor> plain(const tensor& t) {
  if (t.format() == layout::plain) return t;
  SHOAL_TRY(auto copy, tensor::allocate(t.type()));
  reference::reorder(t, copy.mutable_view());
  return copy;
}

class stepwise_session final : public session {
 public:
  stepwise_session(const bound_graph& bound, std::shared_ptr<weight_cache> weights,
                   const session_options& options)
      : model_(bound.model), options_(options), weights_(std::move(weights)),
        constants_(model_->values().size()) {
    for (value_id id = 0; id < constants_.size(); ++id)
      if (const auto* content = bound.value(id).constant) constants_[id] = *content;
    // What is an input stays one, though its content was looked at.
    for (const auto id : model_->inputs()) constants_[id] = tensor();
  }

  result<void> build(const bound_graph& bound) {
    const cutter cut(bound);
    SHOAL_TRY(head_, cut.head());
    if (!head_.outputs.empty()) {
      std::vector<operand> operands;
      for (const auto id : head_.inputs) operands.push_back(bound.value(id));
      SHOAL_TRY(head_session_, session::compile(head_.code, operands, weights_, options_));
    }
    front_ = cut.front();
    for (const auto n : front_)
      if (model_->nodes()[n].has_bodies()) {
        SHOAL_TRY(auto bodies,
                  session_bodies::make(model_->nodes()[n], constants_, weights_, options_));
        bodies_.emplace(n, std::move(bodies));
      }
    SHOAL_TRY(tail_, cut.tail());
    if (!tail_.nodes.empty())
      tail_sessions_ = std::make_unique<session_cache>(tail_.code, options_, weights_);
    return {};
  }

  result<std::vector<tensor>> run(std::span<const tensor> inputs, workspace& arena) override {
    return execute(inputs, arena, false);
  }
  result<std::vector<tensor>> run_profiled(std::span<const tensor> inputs,
                                           workspace& arena) override {
    return execute(inputs, arena, true);
  }
  std::span<const node_profile> profile() const override { return profile_; }
  /// Not known ahead.
  std::span<const tensor_type> output_types() const override { return {}; }
  std::size_t workspace_bytes() const override {
    return head_session_ == nullptr ? 0 : head_session_->workspace_bytes();
  }

  bool varies_with_batch() const override { return true; }
  void list_types(std::map<std::string, tensor_type>& types) const override {
    if (head_session_) head_session_->list_types(types);
    for (const auto& [id, type] : seen_) types.insert_or_assign(model_->value(id).name, type);
    if (last_rest_ != nullptr) last_rest_->list_types(types);
  }

 private:
  using values = std::vector<tensor>;

  result<std::vector<tensor>> execute(std::span<const tensor> inputs, workspace& arena,
                                      bool profiled) {
    if (inputs.size() != model_->inputs().size())
      return fail(errc::invalid_argument, "the model takes {} inputs, got {}",
                  model_->inputs().size(), inputs.size());
    profile_.clear();
    values all = constants_;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      SHOAL_TRY(all[model_->inputs()[i]], plain(inputs[i]));
    }
    if (head_session_) SHOAL_CHECK(run_piece(head_, *head_session_, all, arena, profiled));
    for (const auto n : front_) {
      const auto begin = std::chrono::steady_clock::now();
      SHOAL_CHECK(run_node(n, all, arena));
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - begin;
      if (profiled) profile_.push_back({n, "alone", spent.count()});
    }
    if (tail_sessions_) {
      last_rest_ = nullptr;
      SHOAL_TRY(auto* rest, tail_sessions_->get(gather(tail_.inputs, all)));
      last_rest_ = rest;
      SHOAL_CHECK(run_piece(tail_, *rest, all, arena, profiled));
    }
    return gather({model_->outputs().begin(), model_->outputs().end()}, all);
  }

  static std::vector<tensor> gather(const std::vector<value_id>& ids, const values& all) {
    std::vector<tensor> some;
    for (const auto id : ids) some.push_back(all[id]);
    return some;
  }

  result<void> run_piece(const piece& which, session& compiled, values& all, workspace& arena,
                         bool profiled) {
    const auto inputs = gather(which.inputs, all);
    SHOAL_TRY(auto outputs,
              profiled ? compiled.run_profiled(inputs, arena) : compiled.run(inputs, arena));
    for (std::size_t o = 0; o < outputs.size(); ++o) all[which.outputs[o]] = std::move(outputs[o]);
    if (profiled)
      for (const auto& step : compiled.profile())
        profile_.push_back({which.nodes[step.node], step.kernel, step.seconds});
    return {};
  }

  result<void> run_node(std::size_t n, values& all, workspace& arena) {
    const auto& node = model_->nodes()[n];
    std::vector<const tensor*> inputs;
    for (const auto id : node.inputs) inputs.push_back(id == no_value ? nullptr : &all[id]);
    SHOAL_TRY(auto outputs, compute(n, inputs, arena));
    if (outputs.size() < node.outputs.size())
      return node_error(node, errc::malformed,
                        fmt::format("{} outputs are named, the operator has {}",
                                    node.outputs.size(), outputs.size()));
    for (std::size_t o = 0; o < node.outputs.size(); ++o) {
      if (node.outputs[o] == no_value) continue;
      seen_.insert_or_assign(node.outputs[o], outputs[o].type());
      all[node.outputs[o]] = std::move(outputs[o]);
    }
    return {};
  }

  result<std::vector<tensor>> compute(std::size_t n, std::span<const tensor* const> inputs,
                                      workspace& arena) {
    const auto& node = model_->nodes()[n];
    kernels::set_compute_threads(options_.threads);
    try {
      if (const auto bodies = bodies_.find(n); bodies != bodies_.end())
        return bodies->second->run_node(node, inputs, arena);
      return evaluate_node_on(options_.threads, node, inputs);
    } catch (const std::bad_alloc&) {
      return node_error(node, errc::resource_exhausted, "out of memory");
    }
  }

  std::shared_ptr<const graph> model_;
  session_options options_;
  std::shared_ptr<weight_cache> weights_;
  values constants_; ///< by value; empty where it is none
  piece head_, tail_;
  std::unique_ptr<session> head_session_; ///< null when nothing can be computed ahead
  std::vector<std::size_t> front_;
  std::map<std::size_t, std::unique_ptr<session_bodies>> bodies_; ///< by node
  std::unique_ptr<session_cache> tail_sessions_;                  ///< null when nothing is left
  const session* last_rest_ = nullptr;                            ///< of `tail_sessions_`
  std::map<value_id, tensor_type> seen_;                          ///< what `front_` made last
  std::vector<node_profile> profile_;
};

} // namespace

result<std::unique_ptr<session>> make_stepwise_session(const bound_graph& bound,
                                                       std::shared_ptr<weight_cache> weights,
                                                       const session_options& options) {
  auto made = std::make_unique<stepwise_session>(bound, std::move(weights), options);
  SHOAL_CHECK(made->build(bound));
  return made;
}

} // namespace shoal
