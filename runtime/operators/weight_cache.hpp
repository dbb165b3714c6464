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
/// once and shared by all sessions of the model. Thread-safe. The originals must outlive the cache.
class weight_cache {
 public:
  /// The form of `original` called `form`, made by `make` the first time it is asked for. A `form`
  /// names everything its content depends on besides the original: kernel, layout, block sizes.
  result<tensor> get(const tensor& original, std::string_view form,
                     const std::function<result<tensor>(const tensor&)>& make);

  /// Bytes of all forms held.
  std::size_t bytes() const;

 private:
  using key = std::tuple<const std::byte*, std::size_t, std::string>;
  mutable std::mutex mutex_;
  std::map<key, tensor> forms_;
};

} // namespace shoal
