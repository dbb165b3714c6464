#pragma once

#include "runtime/aggregate/ensemble_rules.hpp"

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shoal {

/// Where a member's model is, and how its inputs and outputs are called.
struct member_source {
  std::filesystem::path model;                ///< the ONNX file, within the ensemble's folder
  std::map<std::string, std::string> inputs;  ///< the ensemble's name to the model's
  std::map<std::string, std::string> outputs; ///< the same; what is not there is called the same
  std::uint32_t stages = 0;                   ///< as in load_options; 0: as many as is best
};

/// What an ensemble file says.
struct ensemble_description {
  std::string name; ///< of the file, without its ending
  std::shared_ptr<const ensemble_rules> rules;
  std::vector<member_source> sources; ///< per member of the rules
  /// After which it is decided with those that have answered; none: that of the request.
  std::optional<std::chrono::milliseconds> deadline;
};

/// Reads an ensemble file: JSON as docs/ensembles.md describes it. Graphs and default tensors that
/// it refers to are read, the members' models are not. Nothing outside of the file's folder is
/// referred to: not by an absolute path, "..", or a link. At most 1 MiB.
///
/// `malformed` for what is no JSON, `invalid_argument` for JSON that says something else than an
/// ensemble; messages begin with the file and the place in it, as in
/// "x.json: members[1].weight: …". Functions have to be registered before.
result<ensemble_description> read_ensemble(const std::filesystem::path& file);

} // namespace shoal
