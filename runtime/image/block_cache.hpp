#pragma once

#include "runtime/image/image_window.hpp"

#include <cstdint>
#include <list>
#include <map>
#include <utility>
#include <vector>

namespace shoal {

/// The decoded blocks of a picture that were used last, up to a number of bytes.
class block_cache {
 public:
  explicit block_cache(std::uint64_t max_bytes) : max_bytes_(max_bytes) {}

  std::uint64_t max_bytes() const { return max_bytes_; }

  /// Null if it is not here; else the block becomes the one used last.
  const std::vector<std::uint8_t>* find(const image_window& place) {
    const auto found = index_.find({place.y, place.x});
    if (found == index_.end()) return nullptr;
    blocks_.splice(blocks_.begin(), blocks_, found->second);
    return &blocks_.front().pixels;
  }

  /// Drops the blocks that were not used for longest, until `bytes` more fit.
  void make_room(std::uint64_t bytes) {
    while (!blocks_.empty() && held_ + bytes > max_bytes_) drop(std::prev(blocks_.end()));
  }

  /// One that is not here yet. Valid until the next `make_room` or `drop_if`.
  const std::vector<std::uint8_t>& keep(const image_window& place,
                                        std::vector<std::uint8_t> pixels) {
    blocks_.push_front({place, std::move(pixels)});
    try {
      index_.emplace(std::pair(place.y, place.x), blocks_.begin());
    } catch (...) {
      blocks_.pop_front();
      throw;
    }
    held_ += blocks_.front().pixels.size();
    return blocks_.front().pixels;
  }

  template <class Condition>
  void drop_if(Condition condition) {
    for (auto at = blocks_.begin(); at != blocks_.end();) {
      const auto next = std::next(at);
      if (condition(at->place)) drop(at);
      at = next;
    }
  }

 private:
  struct block {
    image_window place;
    std::vector<std::uint8_t> pixels;
  };

  void drop(std::list<block>::iterator at) {
    held_ -= at->pixels.size();
    index_.erase({at->place.y, at->place.x});
    blocks_.erase(at);
  }

  std::uint64_t max_bytes_;
  std::uint64_t held_ = 0;
  std::list<block> blocks_; ///< the one used last is first
  std::map<std::pair<int, int>, std::list<block>::iterator> index_;
};

} // namespace shoal
