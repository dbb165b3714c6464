#pragma once

#include "runtime/session/session.hpp"

#include <cstddef>
#include <list>
#include <memory>
#include <span>
#include <vector>

namespace shoal {

/// A graph that serves inputs of any types it accepts: compiles a session the first time it sees
/// them and keeps the `capacity` used last. Weights are shared between the sessions. One thread at
/// a time, always with the same number of OpenMP threads.
class session_cache {
 public:
  session_cache(std::shared_ptr<const graph> model, session_options options,
                std::size_t capacity = 8);
  /// With packed weights that others use too.
  session_cache(std::shared_ptr<const graph> model, session_options options,
                std::shared_ptr<weight_cache> weights, std::size_t capacity = 8);

  /// Inputs may be in any layout.
  result<std::vector<tensor>> run(std::span<const tensor> inputs, workspace& arena,
                                  output_layouts outputs = output_layouts::plain);

  /// The session for these inputs; valid until `capacity` others were asked for. An integer input
  /// of up to 64 elements is taken as a constant if, and only if, the types of more values are
  /// known with it: so stages work that get the result of shape arithmetic done in an earlier
  /// stage. What still depends on values is left to a stepwise session.
  result<session*> get(std::span<const tensor> inputs,
                       output_layouts outputs = output_layouts::plain);

  /// Compiles for inputs of these types ahead of the first run. `needs_values` when shapes depend
  /// on their values.
  result<void> prepare(std::span<const tensor_type> types);

  const std::shared_ptr<const graph>& model() const { return model_; }
  const weight_cache& weights() const { return *weights_; }
  std::size_t size() const { return entries_.size(); }

 private:
  struct entry {
    std::vector<tensor_type> types;
    session_layouts outside;
    std::vector<tensor> contents; ///< of inputs taken as constants; empty tensors for the others
    std::unique_ptr<session> compiled;
  };

  result<std::size_t> count_open(std::span<const operand> operands) const;
  result<std::vector<operand>> choose_constants(std::span<const tensor> inputs);
  static bool fits(const entry& candidate, std::span<const tensor> inputs, output_layouts outputs);

  std::shared_ptr<const graph> model_;
  session_options options_;
  std::size_t capacity_;
  std::shared_ptr<weight_cache> weights_;
  std::list<entry> entries_;          ///< last used first
  std::vector<bool> contents_matter_; ///< per input: taken as a constant, as far as is known
};

} // namespace shoal
