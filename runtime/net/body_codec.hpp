#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/result.hpp"
#include "runtime/tensor/tensor.hpp"

#include <memory>
#include <vector>

namespace shoal {

/// How a link sends the bytes of tensors; receivers understand all.
struct link_codec {
  bool fp16 = false; ///< float32 tensors travel as binary16: lossy, half the bytes
  bool zstd = false; ///< fragments are compressed (level 1) where that makes them smaller
};

/// The elements of a float32 tensor as binary16. Empty when memory is short.
storage_ptr narrow_to_fp16(const tensor& values, buffer_pool& pool);

/// The inverse, in place: `memory` has room for all floats, its upper half holds the binary16s.
void widen_from_fp16(mutable_byte_span memory);

/// Compresses and decompresses fragments; keeps its working memory. One thread at a time.
class fragment_compressor {
 public:
  fragment_compressor();
  ~fragment_compressor();

  /// Bytes written to `out`, which has room for fewer bytes than `in`; 0 if `in` does not shrink.
  std::size_t compress(byte_span in, mutable_byte_span out);
  /// Fails unless `in` yields exactly the bytes of `out`; never writes more.
  result<void> decompress(byte_span in, mutable_byte_span out);

 private:
  struct contexts;
  std::unique_ptr<contexts> contexts_;
};

} // namespace shoal
