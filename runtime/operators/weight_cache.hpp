#pragma once

#include "runtime/base/result.hpp"
#include "runtime/tensor/tensor.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>

namespace shoal {

/// Constants of one model in the form that kernels want them (packed, blocked, converted), made
/// once and shared by all sessions of the model. Forms of a constant that nobody else holds any
/// more go when the next one is made. Thread-safe.
class weight_cache {
 public:
  /// The form of `original` called `form`, made by `make` the first time it is asked for. A `form`
  /// names everything its content depends on besides the original: kernel, layout, block sizes.
  result<tensor> get(const tensor& original, std::string_view form,
                     const std::function<result<tensor>(const tensor&)>& make);

  /// Bytes of all forms held.
  std::size_t bytes() const;

 private:
  struct constant_forms {
    storage_ptr original; ///< held, or another could take its address, and its forms
    std::map<std::string, tensor, std::less<>> forms;
  };
  mutable std::mutex mutex_;
  /// By storage, offset and size: the address of deferred bytes is not known yet.
  std::map<std::tuple<const storage*, std::size_t, std::size_t>, constant_forms> constants_;
};

} // namespace shoal
