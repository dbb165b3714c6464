#pragma once

// Part of the embedding interface, beside shoal.hpp: many models that answer as one.

#include "actors/shoal.hpp"
#include "runtime/aggregate/combiner.hpp"
#include "runtime/aggregate/ensemble_binding.hpp"

namespace shoal {

/// What became of one member of an ensemble.
struct member_summary {
  std::string name;
  std::optional<error> failure; ///< why it has no part in the answer
  std::uint64_t elapsed_us = 0; ///< until it answered; 0: it did not
  std::uint64_t attempts = 0;   ///< parts sent for it, retries included
};

/// The answer of an ensemble.
struct ensemble_inference {
  std::vector<combined_output> outputs; ///< with agreement or spread; in the ensemble's order
  std::vector<member_summary> members;  ///< in the ensemble's order
  std::uint64_t elapsed_us = 0;
};

/// Models that a runtime serves, and that answer as one. A cheap handle; thread-safe. Once the
/// runtime has ended, requests are answered with `cancelled`.
class ensemble {
 public:
  /// Reads an ensemble file (docs/ensembles.md) and loads all members, each as a model of its own,
  /// called "ENSEMBLE.MEMBER" in the cluster. One that cannot be loaded is an error: quorum and
  /// deadline are about requests. `options` are for each member, but for
  ///  - `name`: of the ensemble; empty: that of the file without its ending;
  ///  - `stages`: of members that the file does not cut;
  ///  - `inputs`: types of the ensemble's inputs; members that do not take them are planned for
  ///  what
  ///    they declare.
  static result<ensemble> load(runtime& where, const std::filesystem::path& file,
                               const load_options& options = {});
  /// The same for members that were imported already.
  static result<ensemble> load(runtime& where, const ensemble_description& what,
                               const std::vector<std::shared_ptr<const graph>>& models,
                               const load_options& options = {});

  const std::string& name() const;
  /// By the ensemble's names, as the first member that has them declares them.
  const std::vector<model_value>& inputs() const;
  std::vector<std::string> output_names() const;
  /// In the ensemble's order.
  const std::vector<model>& members() const;

  /// Inputs by name in the ensemble's order; the error names what is missing, unknown or double.
  result<std::vector<tensor>>
  arrange(const std::vector<std::pair<std::string, tensor>>& named) const;

  /// Runs all members at once and combines what they answer. The outcome comes exactly once, by the
  /// deadline of the ensemble or the timeout, whichever is first.
  std::future<result<ensemble_inference>> infer(std::vector<tensor> inputs,
                                                const infer_options& options = {}) const;
  /// The same; `answer` is called on one of the runtime's threads: be quick there. What it throws
  /// is lost. Returns a number to cancel by.
  std::uint64_t infer(std::vector<tensor> inputs,
                      std::function<void(result<ensemble_inference>)> answer,
                      const infer_options& options = {}) const;
  /// The request is answered with `cancelled`, unless it was answered before.
  void cancel(std::uint64_t request) const;

 private:
  struct state;
  explicit ensemble(std::shared_ptr<const state> s) : state_(std::move(s)) {}
  std::shared_ptr<const state> state_;
};

} // namespace shoal
