#include "runtime/session/batch_session.hpp"

#include "kernels/cpu/threads.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/session/batch_split.hpp"
#include "runtime/session/binding.hpp"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <optional>

namespace shoal {
namespace {

/// Entry `index` of a batch: its bytes are consecutive in every layout.
tensor entry_of(const tensor& batch, std::int64_t index) {
  auto type = batch.type();
  const auto bytes = batch.byte_size() / static_cast<std::size_t>(type.dims[0]);
  type.dims[0] = 1;
  return {type, batch.bytes_owner(), batch.byte_offset() + static_cast<std::size_t>(index) * bytes,
          batch.format()};
}

/// One thread's session for a single entry, and what it works with.
struct worker {
  std::unique_ptr<session> single;
  workspace arena;
  std::vector<tensor> inputs;
  std::vector<double> seconds; ///< per entry of the profile
  std::optional<error> failure;
};

class batch_session final : public session {
 public:
  batch_session(std::int64_t entries, std::vector<tensor_type> inputs,
                std::vector<tensor_type> outputs, std::map<std::string, tensor_type> types,
                std::vector<worker> workers, const session_options& options, output_layouts leaving)
      : entries_(entries), input_types_(std::move(inputs)), output_types_(std::move(outputs)),
        types_(std::move(types)), workers_(std::move(workers)), pool_(*options.pool) {
    if (leaving == output_layouts::plain) formats_.assign(output_types_.size(), layout::plain);
    const auto profile = workers_[0].single->profile();
    profile_.assign(profile.begin(), profile.end());
  }

  result<std::vector<tensor>> run(std::span<const tensor> inputs, workspace& arena) override {
    return execute(inputs, arena,
                   [](worker& w, workspace& memory) { return w.single->run(w.inputs, memory); });
  }

  result<std::vector<tensor>> run_profiled(std::span<const tensor> inputs,
                                           workspace& arena) override {
    for (auto& w : workers_) w.seconds.assign(profile_.size(), 0);
    auto outputs = execute(inputs, arena, [](worker& w, workspace& memory) {
      auto got = w.single->run_profiled(w.inputs, memory);
      const auto profile = w.single->profile();
      for (std::size_t i = 0; i < profile.size(); ++i) w.seconds[i] += profile[i].seconds;
      return got;
    });
    // Workers run at the same time: together they take as long as one of them on average.
    for (std::size_t i = 0; i < profile_.size(); ++i) {
      profile_[i].seconds = 0;
      for (const auto& w : workers_)
        profile_[i].seconds += w.seconds[i] / static_cast<double>(workers_.size());
    }
    return outputs;
  }

  std::span<const node_profile> profile() const override { return profile_; }
  std::span<const tensor_type> output_types() const override { return output_types_; }
  std::size_t workspace_bytes() const override {
    return workers_.size() * workers_[0].single->workspace_bytes();
  }
  void list_types(std::map<std::string, tensor_type>& types) const override {
    types.insert(types_.begin(), types_.end());
  }
  bool varies_with_batch() const override { return false; }

 private:
  template <class F>
  result<std::vector<tensor>> execute(std::span<const tensor> inputs, workspace& arena,
                                      F&& run_one) {
    SHOAL_CHECK(check(inputs));
    if (formats_.empty()) { // only a run tells in which layouts the outputs come
      SHOAL_TRY(const auto first, run_entry(workers_[0], inputs, 0, arena, run_one));
      for (const auto& output : first) formats_.push_back(output.format());
    }
    std::vector<tensor> outputs;
    for (std::size_t o = 0; o < output_types_.size(); ++o) {
      SHOAL_TRY(auto whole, tensor::allocate(output_types_[o], pool_, formats_[o]));
      outputs.push_back(std::move(whole));
    }
    const auto count = static_cast<int>(workers_.size());
#pragma omp parallel for num_threads(count) schedule(dynamic, 1) if (count > 1)
    for (std::int64_t entry = 0; entry < entries_; ++entry) {
      const auto number = static_cast<std::size_t>(omp_get_thread_num());
      auto& w = workers_[number];
      if (w.failure) continue;
      auto got = run_entry(w, inputs, entry, number == 0 ? arena : w.arena, run_one);
      if (got)
        store(*got, outputs, entry);
      else
        w.failure = std::move(got).error();
    }
    for (auto& w : workers_)
      if (w.failure) return *std::exchange(w.failure, std::nullopt);
    return outputs;
  }

  template <class F>
  result<std::vector<tensor>> run_entry(worker& w, std::span<const tensor> inputs,
                                        std::int64_t entry, workspace& arena, F&& run_one) {
    w.inputs.clear();
    for (const auto& input : inputs) w.inputs.push_back(entry_of(input, entry));
    return run_one(w, arena);
  }

  void store(const std::vector<tensor>& from, std::vector<tensor>& outputs, std::int64_t entry) {
    for (std::size_t o = 0; o < from.size(); ++o)
      if (const auto bytes = from[o].bytes(); !bytes.empty())
        std::memcpy(outputs[o].mutable_data() + static_cast<std::size_t>(entry) * bytes.size(),
                    bytes.data(), bytes.size());
  }

  result<void> check(std::span<const tensor> inputs) const {
    if (inputs.size() != input_types_.size())
      return fail(errc::invalid_argument, "the model takes {} inputs, got {}", input_types_.size(),
                  inputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i)
      if (inputs[i].type() != input_types_[i])
        return fail(errc::invalid_argument, "input {}: this session was compiled for {}, got {}", i,
                    to_string(input_types_[i]), to_string(inputs[i].type()));
    return {};
  }

  std::int64_t entries_;
  std::vector<tensor_type> input_types_, output_types_;
  std::map<std::string, tensor_type> types_; ///< of all values of the whole batch
  std::vector<layout> formats_;              ///< of the outputs, once known
  std::vector<worker> workers_;
  buffer_pool& pool_;
  std::vector<node_profile> profile_;
};

/// What an entry costs: its arithmetic, and what of the reading of weights that hides behind none,
/// both in operations.
struct entry_cost {
  double flops = 0;
  double waiting = 0;
};

entry_cost cost_of_entry(const bound_graph& bound, double entries) {
  constexpr double flops_per_byte = 10; // from here on arithmetic takes longer than reading
  constexpr double cached_bytes = 16 << 20;
  entry_cost sum;
  double all_constants = 0;
  for (std::size_t n = 0; n < bound.model->nodes().size(); ++n) {
    const auto& node = bound.model->nodes()[n];
    if (bound.folded[n] || node.definition->is_view) continue;
    const auto operands = bound.operands_of(n);
    const auto types = bound.output_types_of(n);
    double constants = 0;
    for (const auto& in : operands)
      if (in.present && in.constant != nullptr)
        constants += static_cast<double>(in.constant->byte_size());
    operator_cost cost{static_cast<double>(types[0].dims.element_count()), constants};
    if (node.definition->cost != nullptr) cost = node.definition->cost({node, operands}, types);
    const double own = cost.flops / entries;
    sum.flops += own;
    sum.waiting += std::max(flops_per_byte * std::min(constants, cost.bytes) - own, 0.0);
    all_constants += std::min(constants, cost.bytes);
  }
  if (all_constants <= cached_bytes) sum.waiting = 0; // they stay at hand between entries
  return sum;
}

} // namespace

batch_parts parts_of_batch(const bound_graph& bound, int threads) {
  constexpr double least_flops = 2e7; // some hundred microseconds, against some ten of calls
  constexpr double most_waiting = 0.1;
  const auto& model = *bound.model;
  std::int64_t entries = 0;
  for (const auto& ids : {model.inputs(), model.outputs()})
    for (const auto id : ids) {
      const auto& dims = bound.value(id).type.dims;
      if (dims.rank() == 0 || dims[0] < 2 || (entries != 0 && dims[0] != entries)) return {};
      if (bound.value(id).constant != nullptr) return {};
      entries = dims[0];
    }
  if (entries == 0 || !batch_splits(bound)) return {};
  const auto cost = cost_of_entry(bound, static_cast<double>(entries));
  if (cost.flops < least_flops || cost.waiting > most_waiting * cost.flops) return {};
  // Where some threads would idle in the last round all work on one entry instead.
  const bool apart = entries % threads == 0 || entries > 4 * threads;
  return {entries, apart ? threads : 1, apart ? 1 : threads};
}

result<std::unique_ptr<session>> compile_batch_session(const bound_graph& bound,
                                                       const batch_parts& parts,
                                                       std::shared_ptr<weight_cache> weights,
                                                       const session_options& options,
                                                       const session_layouts& outside) {
  std::vector<tensor_type> inputs, outputs;
  std::vector<operand> operands;
  for (const auto id : bound.model->inputs()) {
    inputs.push_back(bound.value(id).type);
    operands.push_back({inputs.back(), nullptr, true});
    operands.back().type.dims[0] = 1;
  }
  for (const auto id : bound.model->outputs()) outputs.push_back(bound.value(id).type);
  std::vector<worker> workers(static_cast<std::size_t>(parts.workers));
  for (auto& w : workers) {
    auto single = options;
    single.threads = parts.threads;
    SHOAL_TRY(w.single, session::compile(bound.model, operands, weights, single, outside));
    if (w.single->varies_with_batch()) return nullptr;
    const auto types = w.single->output_types();
    for (std::size_t o = 0; o < outputs.size(); ++o) {
      auto expected = outputs[o];
      expected.dims[0] = 1;
      if (types[o] != expected)
        return fail(errc::internal, "output {} of one entry is {}, of the batch {}", o,
                    to_string(types[o]), to_string(outputs[o]));
    }
  }
  kernels::set_compute_threads(options.threads);
  return std::make_unique<batch_session>(parts.entries, std::move(inputs), std::move(outputs),
                                         types_by_name(bound), std::move(workers), options,
                                         outside.outputs);
}

} // namespace shoal
