#include "runtime/store/chunk_source.hpp"

#include "runtime/base/fail.hpp"

namespace shoal {

result<storage_ptr> layered_chunk_source::read(const digest& name) {
  std::optional<error> failure;
  for (const auto& layer : layers_) {
    auto bytes = layer->read(name);
    if (bytes) return bytes;
    // A layer that has the chunk and fails says more than one that does not have it.
    if (!failure || failure->code() == errc::not_found) failure = std::move(bytes).error();
  }
  if (failure) return *std::move(failure);
  return fail(errc::not_found, "chunk {} is nowhere: no layers", to_string(name));
}

bool layered_chunk_source::contains(const digest& name) const {
  for (const auto& layer : layers_)
    if (layer->contains(name)) return true;
  return false;
}

} // namespace shoal
