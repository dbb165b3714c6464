#include "runtime/session/session.hpp"

#include "kernels/cpu/threads.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/session/batch_session.hpp"
#include "runtime/session/session_plan.hpp"
#include "runtime/session/stepwise_session.hpp"
#include "runtime/tensor/deferred_storage.hpp"

#include <algorithm>
#include <chrono>

namespace shoal {
namespace {

double seconds_between(std::chrono::steady_clock::time_point a,
                       std::chrono::steady_clock::time_point b) {
  return std::chrono::duration<double>(b - a).count();
}

class compiled_session final : public session {
 public:
  compiled_session(std::unique_ptr<bound_graph> bound, session_plan plan,
                   std::shared_ptr<weight_cache> weights, const session_options& options,
                   const session_layouts& outside)
      : bound_(std::move(bound)), plan_(std::move(plan)), weights_(std::move(weights)),
        options_(options), addresses_(plan_.slots.size(), nullptr) {
    for (std::size_t i = 0; i < bound_->model->inputs().size(); ++i)
      input_formats_.push_back(outside.inputs.empty() ? layout::plain : outside.inputs[i]);
    for (const auto& output : plan_.outputs) output_types_.push_back(output.type);
    for (const auto& step : plan_.steps) profile_.push_back({step.node, step.kernel_name, 0});
    for (std::size_t s = 0; s < plan_.slots.size(); ++s)
      if (plan_.slots[s].kind == slot_kind::constant)
        addresses_[s] = const_cast<std::byte*>(plan_.slots[s].constant.data());
    fill_in([](slot_kind kind) { return kind == slot_kind::constant; });
  }

  result<std::vector<tensor>> run(std::span<const tensor> inputs, workspace& arena) override {
    return execute(inputs, arena, [this](std::size_t i) { run_step(plan_.steps[i]); });
  }

  result<std::vector<tensor>> run_profiled(std::span<const tensor> inputs,
                                           workspace& arena) override {
    return execute(inputs, arena, [this](std::size_t i) {
      const auto begin = std::chrono::steady_clock::now();
      run_step(plan_.steps[i]);
      profile_[i].seconds = seconds_between(begin, std::chrono::steady_clock::now());
    });
  }

  std::span<const node_profile> profile() const override { return profile_; }
  std::span<const tensor_type> output_types() const override { return output_types_; }
  std::size_t workspace_bytes() const override { return plan_.arena_bytes; }
  void list_types(std::map<std::string, tensor_type>& types) const override {
    types.merge(types_by_name(*bound_));
  }
  bool varies_with_batch() const override {
    return std::any_of(plan_.steps.begin(), plan_.steps.end(),
                       [](const session_step& step) { return step.work->varies_with_batch(); });
  }

 private:
  template <class F>
  result<std::vector<tensor>> execute(std::span<const tensor> inputs, workspace& arena,
                                      F&& run_one) {
    SHOAL_CHECK(check(inputs));
    SHOAL_TRY(auto outputs, allocate_outputs());
    SHOAL_CHECK(set_addresses(inputs, outputs, arena));
    kernels::set_compute_threads(options_.threads);
    std::size_t current = 0;
    try {
      for (; current < plan_.steps.size(); ++current) run_one(current);
    } catch (const kernel_error& e) {
      return failed(current, errc::invalid_argument, e.what());
    } catch (const std::bad_alloc&) {
      return failed(current, errc::resource_exhausted, "out of memory");
    } catch (const std::exception& e) {
      return failed(current, errc::internal, e.what());
    }
    for (std::size_t o = 0; o < outputs.size(); ++o)
      if (outputs[o].empty()) outputs[o] = shared_output(o, inputs, outputs);
    return outputs;
  }

  result<void> check(std::span<const tensor> inputs) const {
    const auto& ids = bound_->model->inputs();
    if (inputs.size() != ids.size())
      return fail(errc::invalid_argument, "the model takes {} inputs, got {}", ids.size(),
                  inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].type() != bound_->value(ids[i]).type)
        return fail(errc::invalid_argument, "input '{}': this session was compiled for {}, got {}",
                    bound_->model->value(ids[i]).name, to_string(bound_->value(ids[i]).type),
                    to_string(inputs[i].type()));
      if (inputs[i].format() != input_formats_[i])
        return fail(errc::invalid_argument, "input '{}': this session was compiled for {}, got {}",
                    bound_->model->value(ids[i]).name, to_string(input_formats_[i]),
                    to_string(inputs[i].format()));
    }
    return {};
  }

  error failed(std::size_t step, errc code, std::string_view what) const {
    return node_error(bound_->model->nodes()[plan_.steps[step].node], code, what);
  }

  /// Fresh tensors for the outputs that own their slot; the others stay empty for now.
  result<std::vector<tensor>> allocate_outputs() const {
    std::vector<tensor> outputs(plan_.outputs.size());
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      const auto& slot = plan_.slots[plan_.outputs[o].slot];
      if (slot.kind != slot_kind::output || slot.index != o) continue;
      SHOAL_TRY(outputs[o],
                tensor::allocate(plan_.outputs[o].type, *options_.pool, plan_.outputs[o].format));
    }
    return outputs;
  }

  /// An output that is an input, a constant or another output, perhaps under another shape.
  tensor shared_output(std::size_t o, std::span<const tensor> inputs,
                       const std::vector<tensor>& outputs) const {
    const auto& slot = plan_.slots[plan_.outputs[o].slot];
    const tensor& source = slot.kind == slot_kind::input      ? inputs[slot.index]
                           : slot.kind == slot_kind::constant ? slot.constant
                                                              : outputs[slot.index];
    return source.reshaped(plan_.outputs[o].type.dims);
  }

  result<void> set_addresses(std::span<const tensor> inputs, std::vector<tensor>& outputs,
                             workspace& arena) {
    auto* base = arena.reserve(plan_.arena_bytes);
    if (base == nullptr && plan_.arena_bytes > 0)
      return fail(errc::resource_exhausted, "no memory for intermediate tensors ({} bytes)",
                  plan_.arena_bytes);
    const bool arena_moved = base != arena_base_;
    arena_base_ = base;
    for (std::size_t s = 0; s < plan_.slots.size(); ++s) {
      const auto& slot = plan_.slots[s];
      if (slot.kind == slot_kind::arena)
        addresses_[s] = base + slot.index;
      else if (slot.kind == slot_kind::output)
        addresses_[s] = outputs[slot.index].mutable_data() + slot.offset;
      else if (slot.kind == slot_kind::input)
        addresses_[s] = const_cast<std::byte*>(inputs[slot.index].data());
    }
    fill_in([arena_moved](slot_kind kind) {
      return kind == slot_kind::input || kind == slot_kind::output ||
             (arena_moved && kind == slot_kind::arena);
    });
    return {};
  }

  /// Writes addresses into the views of all steps, for slots of the chosen kinds.
  template <class F>
  void fill_in(F&& chosen) {
    for (auto& step : plan_.steps) {
      for (std::size_t i = 0; i < step.inputs.size(); ++i)
        if (const auto s = step.input_slots[i]; s != no_slot && chosen(plan_.slots[s].kind))
          step.inputs[i].data = addresses_[s];
      for (std::size_t i = 0; i < step.outputs.size(); ++i)
        if (const auto s = step.output_slots[i]; s != no_slot && chosen(plan_.slots[s].kind))
          step.outputs[i].data = addresses_[s];
    }
  }

  void run_step(session_step& step) {
    auto* scratch = step.scratch_slot == no_slot ? nullptr : addresses_[step.scratch_slot];
    step.work->run({step.inputs, step.outputs, scratch});
  }

  std::unique_ptr<bound_graph> bound_;
  session_plan plan_;
  std::shared_ptr<weight_cache> weights_;
  session_options options_;
  std::vector<std::byte*> addresses_; ///< one per slot
  std::byte* arena_base_ = nullptr;
  std::vector<layout> input_formats_;
  std::vector<tensor_type> output_types_;
  std::vector<node_profile> profile_;
};

} // namespace

result<std::unique_ptr<session>> session::compile(std::shared_ptr<const graph> model,
                                                  std::span<const operand> inputs,
                                                  std::shared_ptr<weight_cache> weights,
                                                  const session_options& options,
                                                  const session_layouts& outside) {
  kernels::set_compute_threads(options.threads);
  return catch_deferred([&]() -> result<std::unique_ptr<session>> {
    SHOAL_TRY(auto bound, bind_known_types(std::move(model), inputs));
    if (bound->why_open) return make_stepwise_session(*bound, std::move(weights), options);
    assert(outside.inputs.empty() || outside.inputs.size() == bound->model->inputs().size());
    if (options.entries_apart) {
      if (const auto parts = parts_of_batch(*bound, options.threads); parts.entries > 1) {
        SHOAL_TRY(auto apart, compile_batch_session(*bound, parts, weights, options, outside));
        if (apart != nullptr) return apart;
      }
    }
    SHOAL_TRY(auto plan, plan_session(*bound, outside, *weights, options));
    return std::make_unique<compiled_session>(std::move(bound), std::move(plan), std::move(weights),
                                              options, outside);
  });
}

} // namespace shoal
