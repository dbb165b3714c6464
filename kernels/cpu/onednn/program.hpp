#pragma once

#include "kernels/cpu/onednn/primitives.hpp"

#include <cstddef>
#include <vector>

namespace shoal::onednn {

/// `bytes` rounded up to whole cache lines: where the next part of a scratch area starts.
constexpr std::size_t whole_lines(std::size_t bytes) {
  return (bytes + 63) / 64 * 64;
}

/// A primitive and its arguments, ready to be run with other memory each time. What it runs on is
/// bound by slot; `run` allocates nothing of its own.
class program {
 public:
  explicit program(built what);

  /// Declares the argument that oneDNN calls `role` and gives its slot.
  std::size_t add_argument(int role, const memory::desc& format);
  void bind(std::size_t slot, const void* data);
  /// `scratch` has `scratch_bytes()` bytes.
  void run(std::byte* scratch);

  std::size_t scratch_bytes() const;
  /// Whether this is oneDNN's own GEMM, which sums in another order for other extents and threads.
  bool is_gemm() const;
  const dnnl::primitive_desc_base& description() const { return what_.description; }

 private:
  built what_;
  dnnl::stream stream_;
  std::vector<memory> memories_; ///< the first is the scratchpad
  std::vector<dnnl_exec_arg_t> arguments_;
};

/// Runs `from` to `to` once, outside of any kernel: for packing weights.
void reorder_once(const memory::desc& from, const void* source, const memory::desc& to,
                  void* target);

/// Sets the number of OpenMP threads of this thread, which oneDNN takes from there when a primitive
/// is made, and restores it at the end.
class thread_count_scope {
 public:
  explicit thread_count_scope(int threads);
  ~thread_count_scope();
  thread_count_scope(const thread_count_scope&) = delete;
  thread_count_scope& operator=(const thread_count_scope&) = delete;

 private:
  int before_;
};

} // namespace shoal::onednn
