#include "runtime/session/session_cache.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/session/binding.hpp"
#include "runtime/tensor/deferred_storage.hpp"

#include <algorithm>

namespace shoal {
namespace {

/// Could carry a shape, axes, or the like.
bool may_describe_shape(const tensor& t) {
  constexpr std::int64_t most_elements = 64;
  return (t.element_type() == dtype::i64 || t.element_type() == dtype::i32) &&
         t.element_count() <= most_elements;
}

std::vector<operand> operands_for(std::span<const tensor> inputs,
                                  const std::vector<bool>& as_constants) {
  std::vector<operand> operands;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool constant =
        i < as_constants.size() && as_constants[i] && may_describe_shape(inputs[i]);
    operands.push_back({inputs[i].type(), constant ? &inputs[i] : nullptr, true});
  }
  return operands;
}

} // namespace

session_cache::session_cache(std::shared_ptr<const graph> model, session_options options,
                             std::size_t capacity)
    : session_cache(std::move(model), options, std::make_shared<weight_cache>(), capacity) {}

session_cache::session_cache(std::shared_ptr<const graph> model, session_options options,
                             std::shared_ptr<weight_cache> weights, std::size_t capacity)
    : model_(std::move(model)), options_(options), capacity_(capacity),
      weights_(std::move(weights)) {}

result<std::vector<tensor>> session_cache::run(std::span<const tensor> inputs, workspace& arena,
                                               output_layouts outputs) {
  SHOAL_TRY(auto* compiled, get(inputs, outputs));
  // A stepwise session looks at constants as it runs.
  return catch_deferred([&] { return compiled->run(inputs, arena); });
}

bool session_cache::fits(const entry& candidate, std::span<const tensor> inputs,
                         output_layouts outputs) {
  if (candidate.types.size() != inputs.size()) return false;
  if (candidate.outside.outputs != outputs) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (candidate.types[i] != inputs[i].type()) return false;
    if (candidate.outside.inputs[i] != inputs[i].format()) return false;
    if (!candidate.contents[i].empty() && !identical(candidate.contents[i], inputs[i]))
      return false;
  }
  return true;
}

result<std::size_t> session_cache::count_open(std::span<const operand> operands) const {
  SHOAL_TRY(const auto bound, bind_known_types(model_, operands));
  return static_cast<std::size_t>(std::count(bound->open.begin(), bound->open.end(), true));
}

/// The inputs, those as constants whose contents matter. Where something stays open, every input
/// is tried that may describe a shape, then each is left out that nothing needs: token ids beside a
/// shape would otherwise have a session compiled for each new text.
result<std::vector<operand>> session_cache::choose_constants(std::span<const tensor> inputs) {
  auto operands = operands_for(inputs, contents_matter_);
  SHOAL_TRY(const auto open, count_open(operands));
  if (open == 0) return operands;
  std::vector<bool> matters(inputs.size(), true);
  SHOAL_TRY(const auto fewest, count_open(operands_for(inputs, matters)));
  if (fewest == open) return operands;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    matters[i] = false;
    SHOAL_TRY(const auto without, count_open(operands_for(inputs, matters)));
    matters[i] = without > fewest;
  }
  contents_matter_ = std::move(matters);
  return operands_for(inputs, contents_matter_);
}

result<session*> session_cache::get(std::span<const tensor> inputs, output_layouts outputs) {
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (!fits(*at, inputs, outputs)) continue;
    entries_.splice(entries_.begin(), entries_, at);
    return entries_.front().compiled.get();
  }
  entry fresh;
  fresh.outside.outputs = outputs;
  for (const auto& input : inputs) fresh.outside.inputs.push_back(input.format());
  SHOAL_TRY(const auto operands, choose_constants(inputs));
  SHOAL_TRY(fresh.compiled, session::compile(model_, operands, weights_, options_, fresh.outside));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    fresh.types.push_back(inputs[i].type());
    fresh.contents.push_back(operands[i].constant != nullptr ? inputs[i] : tensor());
  }
  entries_.push_front(std::move(fresh));
  if (entries_.size() > capacity_) entries_.pop_back();
  return entries_.front().compiled.get();
}

result<void> session_cache::prepare(std::span<const tensor_type> types) {
  std::vector<operand> operands;
  for (const auto& type : types) operands.push_back({type, nullptr, true});
  entry fresh;
  SHOAL_TRY(const auto open, count_open(operands));
  if (open > 0) return fail(errc::needs_values, "shapes of '{}' depend on values", model_->name());
  SHOAL_TRY(fresh.compiled, session::compile(model_, operands, weights_, options_));
  fresh.types.assign(types.begin(), types.end());
  fresh.outside.inputs.assign(types.size(), layout::plain);
  fresh.contents.resize(types.size());
  entries_.push_front(std::move(fresh));
  if (entries_.size() > capacity_) entries_.pop_back();
  return {};
}

} // namespace shoal
