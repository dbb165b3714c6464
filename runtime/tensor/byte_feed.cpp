#include "runtime/tensor/byte_feed.hpp"

#include <algorithm>

namespace shoal {
namespace {

constexpr std::uint64_t piece_bytes = 64 << 10;

} // namespace

result<byte_span> file_feed::next() {
  const auto size = std::min(piece_bytes, file_.size() - position_);
  piece_.resize(static_cast<std::size_t>(size));
  SHOAL_CHECK(file_.read_at(position_, piece_));
  position_ += size;
  return byte_span(piece_);
}

} // namespace shoal
