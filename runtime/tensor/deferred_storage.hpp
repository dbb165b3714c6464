#pragma once

#include "runtime/base/file.hpp"
#include "runtime/tensor/storage.hpp"

#include <memory>
#include <stdexcept>

namespace shoal {

/// Thrown where bytes that were deferred are needed and cannot be had: the file has changed since,
/// the disk failed, or memory is short. What works on models turns it into its result by
/// `catch_deferred`.
class deferred_failure : public std::runtime_error {
 public:
  explicit deferred_failure(error reason)
      : std::runtime_error(reason.message()), reason_(std::move(reason)) {}
  const error& reason() const { return reason_; }

 private:
  error reason_;
};

/// `size` bytes of a file from `offset`, within its size. They are read when somebody first asks
/// for them, and kept from then on; `read_copy` reads them anew each time. Either fails once the
/// file is not what it was when it was opened.
storage_ptr defer_storage(std::shared_ptr<const input_file> file, std::uint64_t offset,
                          std::size_t size);

/// What `work` returns, a result, or why deferred bytes that it needs cannot be had.
template <class F>
auto catch_deferred(F&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const deferred_failure& failure) {
    return failure.reason();
  }
}

} // namespace shoal
