#pragma once

#include "kernels/view.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <stdexcept>

namespace shoal {

/// Thrown by `kernel::run` when the values of a tensor, not its type, are at fault, as an index
/// beyond its axis is. The session catches it and names the node.
class kernel_error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What a kernel works on in one run. Views have the types, extents and layouts agreed on when the
/// kernel was prepared; an absent optional input has no data.
struct kernel_io {
  std::span<const const_view> inputs;
  std::span<const view> outputs;
  std::byte* scratch = nullptr; ///< `scratch_bytes()` bytes, aligned to a cache line
};

/// One node's computation, prepared for fixed types, extents, layouts and thread count: everything
/// that can be decided, packed or allocated before the first run has been. One thread at a time
/// runs it; it may use the number of OpenMP threads that it was prepared for, which the caller has
/// set for its own thread.
///
/// The same inputs give the same bits in every run. A kernel whose rounding depends on the layout
/// of its operands chooses the layout from the node's own types alone, never from its neighbours',
/// so that a node computes the same bits wherever the graph around it is cut.
class kernel {
 public:
  virtual ~kernel() = default;
  kernel() = default;
  kernel(const kernel&) = delete;
  kernel& operator=(const kernel&) = delete;

  /// Computes all outputs. Throws `kernel_error` for bad values; allocates nothing.
  virtual void run(const kernel_io& io) = 0;

  /// The layout in which input `index` has to come; the session reorders it when it differs.
  virtual layout input_layout(std::size_t /*index*/) const { return layout::plain; }
  /// Whether a run looks at input `index`: not if it is a constant that was packed.
  virtual bool reads_input(std::size_t /*index*/) const { return true; }
  /// The layout in which output `index` is written.
  virtual layout output_layout(std::size_t /*index*/) const { return layout::plain; }
  /// Bytes of scratch memory that a run needs.
  virtual std::size_t scratch_bytes() const { return 0; }
  /// Whether the bits of one entry of a batch may depend on how many entries or threads there are.
  virtual bool varies_with_batch() const { return false; }
  /// The input whose memory output 0 may take when nobody else reads that input any more: same
  /// size, and every element is read before it is written.
  virtual std::optional<std::size_t> overwritable_input() const { return std::nullopt; }
  /// Set when a run only copies input `index`, as a whole, to this byte of output 0. A run that
  /// finds the input there already leaves it alone.
  virtual std::optional<std::size_t> place_in_output(std::size_t /*index*/) const {
    return std::nullopt;
  }
};

} // namespace shoal
