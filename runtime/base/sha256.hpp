#pragma once

#include "runtime/base/bytes.hpp"
#include "runtime/base/ids.hpp"
#include "runtime/base/result.hpp"

#include <memory>
#include <string_view>

struct evp_md_ctx_st;

namespace shoal {

/// SHA-256 (FIPS 180-4) of bytes that come piece by piece. Not thread-safe. Throws std::bad_alloc,
/// as any container does, when libcrypto finds no memory.
class sha256_hasher {
 public:
  sha256_hasher();
  void update(byte_span bytes);
  /// The digest of all bytes since the start or the last `finish`; the hasher starts afresh.
  digest finish();

 private:
  struct deleter {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, deleter> context_;
};

/// SHA-256 of `bytes`.
digest sha256(byte_span bytes);

/// Reads what `to_string(digest)` writes: exactly 64 lower-case hex digits.
result<digest> parse_digest(std::string_view text);

} // namespace shoal
