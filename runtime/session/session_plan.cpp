#include "runtime/session/session_plan.hpp"

#include "kernels/cpu/reorder.hpp"
#include "runtime/base/fail.hpp"

#include <algorithm>
#include <map>

namespace shoal {
namespace {

/// Where a value lies at the moment, and in which layout.
struct placed_value {
  std::size_t slot = no_slot;
  layout format = layout::plain;
};

class planner {
 public:
  planner(const bound_graph& bound, const session_layouts& outside, weight_cache& weights,
          const session_options& options)
      : bound_(bound), model_(*bound.model), outside_(outside), weights_(weights),
        options_(options), placed_(model_.values().size()),
        last_reader_(model_.values().size(), 0) {}

  result<session_plan> run() {
    find_last_readers();
    place_inputs();
    for (std::size_t n = 0; n < model_.nodes().size(); ++n)
      if (!bound_.folded[n]) SHOAL_CHECK(plan_node(n));
    for (std::size_t o = 0; o < model_.outputs().size(); ++o) plan_output(o);
    lay_out_arena();
    return std::move(plan_);
  }

 private:
  static constexpr std::size_t never = SIZE_MAX;

  void find_last_readers() {
    for (std::size_t n = 0; n < model_.nodes().size(); ++n)
      for (const auto id : model_.nodes()[n].inputs)
        if (id != no_value) last_reader_[id] = n;
    for (const auto id : model_.outputs()) last_reader_[id] = never;
  }

  void place_inputs() {
    for (std::size_t i = 0; i < model_.inputs().size(); ++i) {
      plan_.slots.push_back({slot_kind::input, i, {}, {}});
      placed_[model_.inputs()[i]] = {plan_.slots.size() - 1,
                                     outside_.inputs.empty() ? layout::plain : outside_.inputs[i]};
    }
  }

  std::size_t add_arena_slot(const tensor_type& type, layout format) {
    const auto bytes =
        static_cast<std::size_t>(stored_elements(type.dims, format)) * size_of(type.type);
    const auto step = plan_.steps.size();
    plan_.slots.push_back({slot_kind::arena, 0, {bytes, step, step}, {}});
    return plan_.slots.size() - 1;
  }

  /// Where `id` lies in any layout; constants get a slot when something first reads them.
  placed_value& locate(value_id id) {
    auto& at = placed_[id];
    if (at.slot == no_slot) {
      assert(bound_.value(id).constant != nullptr);
      plan_.slots.push_back({slot_kind::constant, 0, {}, *bound_.value(id).constant});
      at.slot = plan_.slots.size() - 1;
    }
    return at;
  }

  /// The slot of `id` in the wanted layout, with a reorder step in front if need be. A reordered
  /// copy is kept for later readers that want the same.
  result<std::size_t> slot_in(value_id id, layout wanted, std::size_t node) {
    const auto at = locate(id);
    if (at.format == wanted) return at.slot;
    const auto key = std::pair(id, wanted);
    if (const auto found = reordered_.find(key); found != reordered_.end()) return found->second;
    const auto target = add_reorder(id, wanted, node);
    reordered_.emplace(key, target);
    return target;
  }

  /// A copy of `id` in the wanted layout, in a slot of its own.
  std::size_t add_reorder(value_id id, layout wanted, std::size_t node) {
    const auto at = locate(id);
    const auto& type = bound_.value(id).type;
    session_step step;
    step.work = kernels::make_reorder(type.dims, type.type, at.format, wanted, options_.threads);
    step.node = node;
    step.kernel_name = "reorder";
    step.input_slots = {at.slot};
    step.inputs = {{nullptr, type.type, at.format, type.dims}};
    const auto target = add_arena_slot(type, wanted);
    step.output_slots = {target};
    step.outputs = {{nullptr, type.type, wanted, type.dims}};
    push(std::move(step));
    return target;
  }

  /// Appends a step; what it touches lives at least until then.
  void push(session_step step) {
    const auto at = plan_.steps.size();
    if (const auto bytes = step.work->scratch_bytes(); bytes > 0) {
      plan_.slots.push_back({slot_kind::arena, 0, {bytes, at, at}, {}});
      step.scratch_slot = plan_.slots.size() - 1;
    }
    for (const auto& slots : {step.input_slots, step.output_slots})
      for (const auto s : slots)
        if (s != no_slot) plan_.slots[s].life.last = std::max(plan_.slots[s].life.last, at);
    plan_.steps.push_back(std::move(step));
  }

  result<void> plan_node(std::size_t n) {
    const auto& node = model_.nodes()[n];
    if (node.definition->is_view) return plan_view(n);
    SHOAL_TRY(auto step, prepare(n));
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
      const auto id = node.inputs[i];
      if (id == no_value) {
        step.input_slots.push_back(no_slot);
        step.inputs.push_back({});
        continue;
      }
      const auto format = step.work->input_layout(i);
      auto slot = no_slot;
      if (step.work->reads_input(i)) {
        SHOAL_TRY(slot, slot_in(id, format, n));
      }
      step.input_slots.push_back(slot);
      step.inputs.push_back(
          {nullptr, bound_.value(id).type.type, format, bound_.value(id).type.dims});
    }
    place_outputs(n, step);
    join_inputs(step);
    push(std::move(step));
    if (!options_.keep_layouts) make_plain(n);
    return {};
  }

  void make_plain(std::size_t n) {
    for (const auto id : model_.nodes()[n].outputs)
      if (id != no_value && placed_[id].format != layout::plain)
        placed_[id] = {add_reorder(id, layout::plain, n), layout::plain};
  }

  result<session_step> prepare(std::size_t n) {
    const auto& node = model_.nodes()[n];
    const auto operands = bound_.operands_of(n);
    const auto types = bound_.output_types_of(n);
    std::vector<layout> formats;
    for (const auto id : node.inputs)
      formats.push_back(id == no_value ? layout::plain : placed_[id].format);
    for (const auto& entry : node.definition->kernels) {
      SHOAL_TRY(auto work,
                entry.prepare({{node, operands}, types, formats, options_.threads, weights_}));
      if (work == nullptr) continue;
      session_step step;
      step.work = std::move(work);
      step.node = n;
      step.kernel_name = entry.name;
      return step;
    }
    std::string got;
    for (const auto& o : operands) got += (got.empty() ? "" : ", ") + to_string(o.type);
    return node_error(node, errc::unsupported, "no kernel does inputs of types " + got);
  }

  void place_outputs(std::size_t n, session_step& step) {
    const auto& node = model_.nodes()[n];
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
      const auto id = node.outputs[i];
      if (id == no_value) {
        step.output_slots.push_back(no_slot);
        step.outputs.push_back({});
        continue;
      }
      const auto& type = bound_.value(id).type;
      const auto format = step.work->output_layout(i);
      std::size_t slot = i == 0 ? reusable_input(n, step) : no_slot;
      if (slot == no_slot) slot = add_arena_slot(type, format);
      placed_[id] = {slot, format};
      step.output_slots.push_back(slot);
      step.outputs.push_back({nullptr, type.type, format, type.dims});
    }
  }

  /// The slot of the input that output 0 may overwrite, if this node is the last to need it.
  std::size_t reusable_input(std::size_t n, const session_step& step) {
    const auto which = step.work->overwritable_input();
    if (!which || !options_.share_memory) return no_slot;
    const auto slot = step.input_slots[*which];
    if (plan_.slots[slot].kind != slot_kind::arena) return no_slot;
    const auto& type = bound_.value(model_.nodes()[n].outputs[0]).type;
    const auto format = step.work->output_layout(0);
    const auto bytes =
        static_cast<std::size_t>(stored_elements(type.dims, format)) * size_of(type.type);
    if (plan_.slots[slot].life.bytes != bytes) return no_slot;
    for (std::size_t i = 0; i < step.input_slots.size(); ++i)
      if (i != *which && share_memory(step.input_slots[i], slot)) return no_slot;
    // Any value that shares memory (a view, or what it was joined with) and is read later forbids
    // it.
    for (value_id v = 0; v < placed_.size(); ++v)
      if (share_memory(placed_[v].slot, slot) && last_reader_[v] > n) return no_slot;
    for (const auto& [key, copy] : reordered_)
      if (share_memory(copy, slot) && last_reader_[key.first] > n) return no_slot;
    return slot;
  }

  std::size_t outermost(std::size_t slot) const {
    while (plan_.slots[slot].within != no_slot) slot = plan_.slots[slot].within;
    return slot;
  }

  bool share_memory(std::size_t a, std::size_t b) const {
    return a != no_slot && b != no_slot && outermost(a) == outermost(b);
  }

  /// Makes inputs that the step would only copy into its output parts of that, so that their
  /// producers write them there.
  void join_inputs(const session_step& step) {
    const auto whole = step.output_slots.empty() ? no_slot : step.output_slots[0];
    if (whole == no_slot || !options_.share_memory) return;
    for (std::size_t i = 0; i < step.inputs.size(); ++i) {
      const auto s = step.input_slots[i];
      const auto place = step.work->place_in_output(i);
      if (s == no_slot || !place || *place % storage_alignment != 0) continue;
      auto& part = plan_.slots[s];
      const auto& v = step.inputs[i];
      const auto bytes =
          static_cast<std::size_t>(stored_elements(v.dims, v.format)) * size_of(v.type);
      if (part.kind != slot_kind::arena || part.within != no_slot || part.life.bytes != bytes ||
          is_output(s))
        continue;
      part.within = whole;
      part.offset = *place;
    }
  }

  bool is_output(std::size_t slot) const {
    for (value_id v = 0; v < placed_.size(); ++v)
      if (placed_[v].slot == slot && last_reader_[v] == never) return true;
    return false;
  }

  result<void> plan_view(std::size_t n) {
    const auto& node = model_.nodes()[n];
    const auto in = node.inputs[0], out = node.outputs[0];
    const bool same_shape = bound_.value(in).type.dims == bound_.value(out).type.dims;
    const auto format = same_shape ? locate(in).format : layout::plain;
    SHOAL_TRY(const auto slot, slot_in(in, format, n));
    placed_[out] = {slot, format};
    return {};
  }

  /// The layout in which an output computed in `computed` leaves.
  layout output_format(const shape& dims, layout computed) const {
    if (outside_.outputs == output_layouts::any) return computed;
    const bool padded = stored_elements(dims, computed) != dims.element_count();
    return outside_.outputs == output_layouts::unpadded && !padded ? computed : layout::plain;
  }

  /// A graph output is written straight into its own tensor where the slot allows it.
  void plan_output(std::size_t index) {
    const auto id = model_.outputs()[index];
    const auto& type = bound_.value(id).type;
    const auto format = output_format(type.dims, locate(id).format);
    const auto last = model_.nodes().size() - 1;
    auto slot = *slot_in(id, format, last);
    if (plan_.slots[slot].within != no_slot) slot = add_reorder(id, format, last);
    auto& memory = plan_.slots[slot];
    if (memory.kind == slot_kind::arena) {
      memory.kind = slot_kind::output;
      memory.index = index;
    }
    plan_.outputs.push_back({type, format, slot});
  }

  void lay_out_arena() {
    for (std::size_t s = 0; s < plan_.slots.size(); ++s) {
      if (plan_.slots[s].within == no_slot) continue;
      const auto& life = plan_.slots[s].life;
      auto& whole = plan_.slots[outermost(s)].life;
      whole.first = std::min(whole.first, life.first);
      whole.last = std::max(whole.last, life.last);
    }
    std::vector<buffer_lifetime> lives;
    std::vector<std::size_t> which;
    for (std::size_t s = 0; s < plan_.slots.size(); ++s) {
      if (plan_.slots[s].kind != slot_kind::arena || plan_.slots[s].within != no_slot) continue;
      lives.push_back(plan_.slots[s].life);
      which.push_back(s);
    }
    const auto layout_plan = plan_memory(lives);
    for (std::size_t i = 0; i < which.size(); ++i)
      plan_.slots[which[i]].index = layout_plan.offsets[i];
    plan_.arena_bytes = layout_plan.arena_bytes;
    place_parts();
  }

  void place_parts() {
    std::vector<std::size_t> whole(plan_.slots.size()), offsets(plan_.slots.size(), 0);
    for (std::size_t s = 0; s < plan_.slots.size(); ++s)
      for (whole[s] = s; plan_.slots[whole[s]].within != no_slot;) {
        offsets[s] += plan_.slots[whole[s]].offset;
        whole[s] = plan_.slots[whole[s]].within;
      }
    for (std::size_t s = 0; s < plan_.slots.size(); ++s) {
      if (whole[s] == s) continue;
      auto& part = plan_.slots[s];
      const auto& around = plan_.slots[whole[s]];
      part.kind = around.kind;
      part.offset = offsets[s];
      part.index = around.index + (part.kind == slot_kind::arena ? part.offset : 0);
    }
  }

  const bound_graph& bound_;
  const graph& model_;
  const session_layouts& outside_;
  weight_cache& weights_;
  const session_options& options_;
  session_plan plan_;
  std::vector<placed_value> placed_;
  std::vector<std::size_t> last_reader_; ///< node index; `never` for graph outputs
  std::map<std::pair<value_id, layout>, std::size_t> reordered_;
};

} // namespace

result<session_plan> plan_session(const bound_graph& bound, const session_layouts& outside,
                                  weight_cache& weights, const session_options& options) {
  return planner(bound, outside, weights, options).run();
}

} // namespace shoal
