#pragma once

#include "runtime/base/result.hpp"
#include "runtime/tensor/tensor.hpp"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace shoal {

/// Where the constants are that a model keeps outside its file ("external data" in ONNX). Used by
/// one import at a time; what it hands out may outlive it.
class weight_source {
 public:
  virtual ~weight_source() = default;

  /// `type` says how many bytes are needed, and has been checked by `checked_element_count`;
  /// `length` is how many the model claims, absent when it does not say. All but `type` is
  /// unchecked.
  virtual result<tensor> load(const std::string& location, std::uint64_t offset,
                              std::optional<std::uint64_t> length, const tensor_type& type) = 0;
};

/// Files below `folder`, mapped read-only: tensors share the mapping, and only those whose offset
/// does not suit their element type are copied. Files must not shrink while a tensor lives.
///
/// A location is a relative path of plain names. Refused are absolute paths, "..", symbolic links
/// on the way, files with more than one hard link, and what is not a regular file: a model must not
/// reach what its folder does not hold.
result<std::unique_ptr<weight_source>> open_weight_folder(const std::filesystem::path& folder);

} // namespace shoal
