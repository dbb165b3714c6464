#pragma once

#include "kernels/cpu/onednn/program.hpp"

#include <memory>
#include <string>

namespace shoal::onednn {

/// The weights of a program: reordered once when they are constant, in every run when they are not.
class weights_argument {
 public:
  /// `original` is how they come, `wanted` what the program reads as its argument in `slot`.
  weights_argument(const memory::desc& original, const memory::desc& wanted, std::size_t slot);

  /// Empty when the program reads the original.
  std::string form() const { return original_ == wanted_ ? "" : text_of(wanted_); }
  std::size_t packed_bytes() const { return wanted_.get_size(); }
  void pack(const void* source, void* target) const {
    reorder_once(original_, source, wanted_, target);
  }
  void use_packed(program& reader, std::shared_ptr<const void> packed);

  /// Scratch that `bind` needs, a multiple of a cache line.
  std::size_t scratch_bytes() const;
  /// Binds what `reader` is about to run on: the packed weights, or `source` converted in scratch.
  void bind(program& reader, const void* source, std::byte* scratch);

 private:
  memory::desc original_, wanted_;
  std::size_t slot_;
  std::shared_ptr<const void> packed_;
  std::optional<program> reorder_; ///< absent when `original_` can be read as it is
};

} // namespace shoal::onednn
