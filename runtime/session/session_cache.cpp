#include "runtime/session/session_cache.hpp"

namespace shoal {
namespace {

/// Could carry a shape, axes, or the like.
bool may_describe_shape(const tensor& t) {
  constexpr std::int64_t most_elements = 64;
  return (t.element_type() == dtype::i64 || t.element_type() == dtype::i32) &&
         t.element_count() <= most_elements;
}

bool is_constant(const std::vector<bool>& as_constants, std::size_t i, const tensor& input) {
  return i < as_constants.size() && as_constants[i] && may_describe_shape(input);
}

} // namespace

session_cache::session_cache(std::shared_ptr<const graph> model, session_options options,
                             std::size_t capacity)
    : model_(std::move(model)), options_(options), capacity_(capacity),
      weights_(std::make_shared<weight_cache>()) {}

result<std::vector<tensor>> session_cache::run(std::span<const tensor> inputs, workspace& arena,
                                               bool as_they_come) {
  SHOAL_TRY(auto* compiled, get(inputs, as_they_come));
  return compiled->run(inputs, arena);
}

bool session_cache::fits(const entry& candidate, std::span<const tensor> inputs,
                         bool as_they_come) {
  if (candidate.types.size() != inputs.size()) return false;
  if (candidate.outside.outputs_as_they_come != as_they_come) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (candidate.types[i] != inputs[i].type()) return false;
    if (candidate.outside.inputs[i] != inputs[i].format()) return false;
    if (!candidate.contents[i].empty() && !identical(candidate.contents[i], inputs[i]))
      return false;
  }
  return true;
}

result<std::unique_ptr<session>> session_cache::compile(std::span<const tensor> inputs,
                                                        const session_layouts& outside,
                                                        const std::vector<bool>& as_constants) {
  std::vector<operand> operands;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const bool constant = is_constant(as_constants, i, inputs[i]);
    operands.push_back({inputs[i].type(), constant ? &inputs[i] : nullptr, true});
  }
  return session::compile(model_, operands, weights_, options_, outside);
}

/// Compiles with every input as a constant that may describe a shape, then leaves out one after the
/// other: token ids beside a shape would otherwise have a session compiled for each new text.
result<std::unique_ptr<session>> session_cache::find_what_matters(std::span<const tensor> inputs,
                                                                  const session_layouts& outside) {
  std::vector<bool> matters;
  for (const auto& input : inputs) matters.push_back(may_describe_shape(input));
  SHOAL_TRY(auto compiled, compile(inputs, outside, matters));
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (!matters[i]) continue;
    matters[i] = false;
    if (auto without = compile(inputs, outside, matters))
      compiled = *std::move(without);
    else
      matters[i] = true;
  }
  contents_matter_ = std::move(matters);
  return compiled;
}

result<session*> session_cache::get(std::span<const tensor> inputs, bool as_they_come) {
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (!fits(*at, inputs, as_they_come)) continue;
    entries_.splice(entries_.begin(), entries_, at);
    return entries_.front().compiled.get();
  }
  entry fresh;
  fresh.outside.outputs_as_they_come = as_they_come;
  for (const auto& input : inputs) fresh.outside.inputs.push_back(input.format());
  auto compiled = compile(inputs, fresh.outside, contents_matter_);
  if (!compiled && compiled.error().code() == errc::unsupported)
    compiled = find_what_matters(inputs, fresh.outside);
  if (!compiled) return std::move(compiled).error();
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    fresh.types.push_back(inputs[i].type());
    fresh.contents.push_back(is_constant(contents_matter_, i, inputs[i]) ? inputs[i] : tensor());
  }
  fresh.compiled = *std::move(compiled);
  entries_.push_front(std::move(fresh));
  if (entries_.size() > capacity_) entries_.pop_back();
  return entries_.front().compiled.get();
}

result<void> session_cache::prepare(std::span<const tensor_type> types) {
  std::vector<operand> operands;
  for (const auto& type : types) operands.push_back({type, nullptr, true});
  entry fresh;
  SHOAL_TRY(fresh.compiled, session::compile(model_, operands, weights_, options_));
  fresh.types.assign(types.begin(), types.end());
  fresh.outside.inputs.assign(types.size(), layout::plain);
  fresh.contents.resize(types.size());
  entries_.push_front(std::move(fresh));
  if (entries_.size() > capacity_) entries_.pop_back();
  return {};
}

} // namespace shoal
