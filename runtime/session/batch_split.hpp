#pragma once

#include "runtime/base/result.hpp"
#include "runtime/session/binding.hpp"
#include "runtime/tensor/tensor.hpp"

#include <cstddef>
#include <span>
#include <vector>

namespace shoal {

/// Whether parts of a batch can be computed apart: every input is cut along axis 0, and by the
/// operators' rules every output then is, too.
bool batch_splits(const bound_graph& bound);

/// Cuts every input along axis 0 into `parts` slices of nearly equal length, longer ones first; the
/// slices share the inputs' memory. One vector of inputs per part. Errors: a scalar input, unequal
/// lengths, more parts than the batch has entries.
result<std::vector<std::vector<tensor>>> split_batch(std::span<const tensor> inputs,
                                                     std::size_t parts);

/// The inverse: joins the outputs of all parts, in order, along axis 0. One part is passed through.
result<std::vector<tensor>> join_batch(std::vector<std::vector<tensor>> parts);

} // namespace shoal
