#pragma once

#include "kernels/kernel.hpp"

#include <memory>
#include <string>
#include <utility>

namespace shoal::kernels {

/// A kernel that can be given one of its inputs, a constant, once and in a form of its own choice.
/// Without that, it converts the input anew in every run.
class packing_kernel : public kernel {
 public:
  /// The input that can be packed.
  virtual std::size_t packed_input() const { return 1; }
  /// False when it has to see the constant itself, as when that is a batch of weights.
  virtual bool can_pack() const { return true; }
  /// Names all that the packed bytes depend on besides the constant; empty when the kernel reads
  /// the constant as it is.
  virtual std::string form() const = 0;
  virtual std::size_t packed_bytes() const = 0;
  /// Writes `packed_bytes()` bytes, aligned to a cache line, from the plain constant.
  virtual void pack(const void* constant, void* packed) const = 0;
  /// From now on the input itself is not read any more. Keeps `packed` alive.
  void use_packed(std::shared_ptr<const void> packed) {
    take_packed(std::move(packed));
    packed_ = true;
  }
  bool reads_input(std::size_t index) const override { return !packed_ || index != packed_input(); }

 protected:
  virtual void take_packed(std::shared_ptr<const void> packed) = 0;

 private:
  bool packed_ = false;
};

} // namespace shoal::kernels
