#pragma once

#include "kernels/cpu/onednn/program.hpp"

#include <memory>
#include <string>

namespace shoal::onednn {

/// An argument that a program reads in another format than it comes in, as weights are: converted
/// once when it is constant, in every run when it is not.
class converted_argument {
 public:
  /// Adds the argument `role` to `reader`, which wants it in the format `wanted`.
  converted_argument(program& reader, int role, const memory::desc& original,
                     const memory::desc& wanted);

  /// Names the conversion; empty when the program reads the original.
  std::string form() const {
    return original_ == wanted_ ? "" : text_of(original_) + " to " + text_of(wanted_);
  }
  std::size_t packed_bytes() const { return wanted_.get_size(); }
  void pack(const void* source, void* target) const {
    reorder_once(original_, source, wanted_, target);
  }
  void use_packed(program& reader, std::shared_ptr<const void> packed);

  /// Scratch that `bind` needs, whole cache lines.
  std::size_t scratch_bytes() const;
  /// Binds what `reader` is about to run on: the packed constant, or `source` converted in scratch.
  void bind(program& reader, const void* source, std::byte* scratch);

 private:
  memory::desc original_, wanted_;
  std::size_t slot_;
  std::shared_ptr<const void> packed_;
  std::optional<program> conversion_; ///< absent when the program reads the original
};

} // namespace shoal::onednn
