#include "runtime/session/session_bodies.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {
namespace {

/// The body with captured constants inside; `captured` keeps the others.
result<std::shared_ptr<const graph>> with_constants(const graph_body& body, const graph_node& node,
                                                    std::span<const tensor> constants,
                                                    std::vector<std::size_t>& captured) {
  graph_builder builder(*body.code);
  const auto own = builder.inputs.size() - body.captured.size();
  const std::vector<value_id> ids(builder.inputs.begin() + static_cast<std::ptrdiff_t>(own),
                                  builder.inputs.end());
  builder.inputs.resize(own);
  for (std::size_t c = 0; c < ids.size(); ++c) {
    const auto& content = constants[node.inputs[body.captured[c]]];
    if (content.empty()) {
      builder.inputs.push_back(ids[c]);
      captured.push_back(body.captured[c]);
      continue;
    }
    builder.values[ids[c]].constant = content;
    builder.values[ids[c]].type = content.element_type();
  }
  SHOAL_TRY(auto built, std::move(builder).build());
  return std::make_shared<const graph>(std::move(built));
}

} // namespace

/// Bodies while their node runs.
class running_bodies final : public body_runner {
 public:
  running_bodies(session_bodies& bodies, const graph_node& node,
                 std::span<const tensor* const> inputs, workspace& arena)
      : bodies_(bodies), node_(node), inputs_(inputs), arena_(arena) {}

  result<std::vector<tensor>> run(std::string_view name, std::span<const tensor> inputs) override {
    const auto found = bodies_.bodies_.find(name);
    if (found == bodies_.bodies_.end())
      return node_error(node_, errc::malformed, fmt::format("it has no graph '{}'", name));
    std::vector<tensor> all(inputs.begin(), inputs.end());
    for (const auto i : found->second.captured) all.push_back(*inputs_[i]);
    auto outputs = found->second.sessions->run(all, arena_);
    if (!outputs)
      return std::move(outputs).error().within(fmt::format("{} of node '{}'", name, node_.name));
    return outputs;
  }

 private:
  session_bodies& bodies_;
  const graph_node& node_;
  std::span<const tensor* const> inputs_;
  workspace& arena_;
};

result<std::unique_ptr<session_bodies>> session_bodies::make(const graph_node& node,
                                                             std::span<const tensor> constants,
                                                             std::shared_ptr<weight_cache> weights,
                                                             const session_options& options) {
  auto made = std::make_unique<session_bodies>();
  for (const auto& [name, value] : node.attrs.entries()) {
    const auto* code = std::get_if<graph_body>(&value);
    if (code == nullptr) continue;
    body b;
    SHOAL_TRY(auto model, with_constants(*code, node, constants, b.captured));
    b.sessions = std::make_unique<session_cache>(std::move(model), options, weights);
    made->bodies_.emplace(name, std::move(b));
  }
  return made;
}

result<std::vector<tensor>> session_bodies::run_node(const graph_node& node,
                                                     std::span<const tensor* const> inputs,
                                                     workspace& arena) {
  std::vector<operand> operands;
  for (const auto* in : inputs.first(node.own_inputs().size()))
    operands.push_back(in == nullptr ? operand{} : operand{in->type(), in, true});
  running_bodies bodies(*this, node, inputs, arena);
  return node.definition->run_bodies({node, operands}, bodies);
}

} // namespace shoal
