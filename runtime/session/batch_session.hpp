#pragma once

#include "runtime/session/session.hpp"

namespace shoal {

struct bound_graph;

/// How a session takes a batch apart: entries one by one, by `workers` threads at a time which have
/// `threads` OpenMP threads each.
struct batch_parts {
  std::int64_t entries = 1; ///< 1: the batch stays whole
  int workers = 1;
  int threads = 1;
};

/// Whether it pays to run the entries of the batch apart, with all of `threads`: what passes from
/// operator to operator then stays in the caches, and threads need not wait for each other in every
/// operator. It does not where the entries depend on each other, are too small to be worth the
/// calls, or where weights would be read again and again for little work, as in large classifiers.
batch_parts parts_of_batch(const bound_graph& bound, int threads);

/// A session for inputs of the types of `bound` that runs the entries apart. The bits are the same
/// as those of the whole batch: null where a kernel is needed that cannot promise that.
result<std::unique_ptr<session>> compile_batch_session(const bound_graph& bound,
                                                       const batch_parts& parts,
                                                       std::shared_ptr<weight_cache> weights,
                                                       const session_options& options,
                                                       const session_layouts& outside);

} // namespace shoal
