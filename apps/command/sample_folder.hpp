#pragma once

#include "apps/command/image_flags.hpp"
#include "runtime/compress/value_ranges.hpp"

#include <filesystem>

namespace shoal {

/// Inputs for many runs of a model. For a model of one input every file of the folder is a run; for
/// one of several inputs every subfolder is, with a file per input that is called like it, as in
/// "image.npy". In the order of their names; hidden files are left out.
result<std::vector<model_sample>> read_samples(const std::filesystem::path& folder,
                                               const graph& model, const image_flags& pictures);

} // namespace shoal
