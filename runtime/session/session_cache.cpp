#include "runtime/session/session_cache.hpp"

namespace shoal {
namespace {

/// Could carry a shape, axes, or the like.
bool may_describe_shape(const tensor& t) {
  constexpr std::int64_t most_elements = 64;
  return (t.element_type() == dtype::i64 || t.element_type() == dtype::i32) &&
         t.element_count() <= most_elements;
}

} // namespace

session_cache::session_cache(std::shared_ptr<const graph> model, session_options options,
                             std::size_t capacity)
    : model_(std::move(model)), options_(options), capacity_(capacity),
      weights_(std::make_shared<weight_cache>()) {}

result<std::vector<tensor>> session_cache::run(std::span<const tensor> inputs, workspace& arena) {
  SHOAL_TRY(auto* compiled, get(inputs));
  return compiled->run(inputs, arena);
}

bool session_cache::fits(const entry& candidate, std::span<const tensor> inputs) const {
  if (candidate.types.size() != inputs.size()) return false;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    if (candidate.types[i] != inputs[i].type()) return false;
    if (!candidate.contents[i].empty() && !identical(candidate.contents[i], inputs[i]))
      return false;
  }
  return true;
}

result<std::unique_ptr<session>> session_cache::compile(std::span<const tensor> inputs,
                                                        bool with_contents) {
  std::vector<operand> operands;
  for (const auto& input : inputs)
    operands.push_back(
        {input.type(), with_contents && may_describe_shape(input) ? &input : nullptr, true});
  return session::compile(model_, operands, weights_, options_);
}

result<session*> session_cache::get(std::span<const tensor> inputs) {
  for (auto at = entries_.begin(); at != entries_.end(); ++at) {
    if (!fits(*at, inputs)) continue;
    entries_.splice(entries_.begin(), entries_, at);
    return entries_.front().compiled.get();
  }
  auto compiled = compile(inputs, contents_matter_);
  if (!compiled && !contents_matter_ && compiled.error().code() == errc::unsupported) {
    auto again = compile(inputs, true);
    if (again) {
      contents_matter_ = true;
      compiled = std::move(again);
    }
  }
  if (!compiled) return std::move(compiled).error();
  entry fresh;
  for (const auto& input : inputs) {
    fresh.types.push_back(input.type());
    fresh.contents.push_back(contents_matter_ && may_describe_shape(input) ? input : tensor());
  }
  fresh.compiled = *std::move(compiled);
  entries_.push_front(std::move(fresh));
  if (entries_.size() > capacity_) entries_.pop_back();
  return entries_.front().compiled.get();
}

result<void> session_cache::prepare(std::span<const tensor_type> types) {
  std::vector<operand> operands;
  for (const auto& type : types) operands.push_back({type, nullptr, true});
  SHOAL_TRY(auto compiled, session::compile(model_, operands, weights_, options_));
  entries_.push_front(
      {{types.begin(), types.end()}, std::vector<tensor>(types.size()), std::move(compiled)});
  if (entries_.size() > capacity_) entries_.pop_back();
  return {};
}

} // namespace shoal
