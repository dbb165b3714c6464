#include "runtime/net/body_codec.hpp"

#include "runtime/base/fail.hpp"

#include <zstd.h>

#include <algorithm>
#include <cassert>
#include <cstring>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace shoal {
namespace {

void narrow(const float* in, std::uint16_t* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) out[i] = float_to_half_bits(in[i]);
}

// `halves` may be the upper half of `out`: element i is read before anything at or above it is
// overwritten, also when eight are done at once.
void widen(const std::byte* halves, std::byte* out, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    std::uint16_t bits = 0;
    std::memcpy(&bits, halves + 2 * i, sizeof bits);
    const float value = half_bits_to_float(bits);
    std::memcpy(out + 4 * i, &value, sizeof value);
  }
}

#if defined(__x86_64__)

__attribute__((target("avx,f16c"))) void narrow_f16c(const float* in, std::uint16_t* out,
                                                     std::size_t count) {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                     _mm256_cvtps_ph(_mm256_loadu_ps(in + i), _MM_FROUND_TO_NEAREST_INT));
  narrow(in + i, out + i, count - i);
}

__attribute__((target("avx,f16c"))) void widen_f16c(const std::byte* halves, std::byte* out,
                                                    std::size_t count) {
  std::size_t i = 0;
  for (; i + 8 <= count; i += 8)
    _mm256_storeu_ps(
        reinterpret_cast<float*>(out + 4 * i),
        _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(halves + 2 * i))));
  widen(halves + 2 * i, out + 4 * i, count - i);
}

bool has_f16c() {
  static const bool found = [] {
    __builtin_cpu_init();
    return __builtin_cpu_supports("avx2"); // clang 14 cannot ask for f16c; all with avx2 have it
  }();
  return found;
}

#endif

} // namespace

storage_ptr narrow_to_fp16(const tensor& values, buffer_pool& pool) {
  assert(values.element_type() == dtype::f32);
  const auto count = static_cast<std::size_t>(values.element_count());
  auto halves = pool.take(2 * count);
  if (!halves) return halves;
  const auto* in = reinterpret_cast<const float*>(values.data());
  auto* out = reinterpret_cast<std::uint16_t*>(halves->data());
#if defined(__x86_64__)
  if (has_f16c()) {
    narrow_f16c(in, out, count);
    return halves;
  }
#endif
  narrow(in, out, count);
  return halves;
}

void widen_from_fp16(mutable_byte_span memory) {
  const std::size_t count = memory.size() / 4;
  auto* halves = memory.data() + 2 * count;
#if defined(__x86_64__)
  if (has_f16c()) return widen_f16c(halves, memory.data(), count);
#endif
  widen(halves, memory.data(), count);
}

struct fragment_compressor::contexts {
  ZSTD_CCtx* compress = nullptr;
  ZSTD_DCtx* decompress = nullptr;
};

fragment_compressor::fragment_compressor() : contexts_(std::make_unique<contexts>()) {}

fragment_compressor::~fragment_compressor() {
  ZSTD_freeCCtx(contexts_->compress);
  ZSTD_freeDCtx(contexts_->decompress);
}

std::size_t fragment_compressor::compress(byte_span in, mutable_byte_span out) {
  if (contexts_->compress == nullptr) contexts_->compress = ZSTD_createCCtx();
  if (contexts_->compress == nullptr || in.size() < 2) return 0;
  const std::size_t room = std::min(out.size(), in.size() - 1);
  const auto size =
      ZSTD_compressCCtx(contexts_->compress, out.data(), room, in.data(), in.size(), 1);
  return ZSTD_isError(size) != 0 ? 0 : size; // the error is "does not fit"
}

result<void> fragment_compressor::decompress(byte_span in, mutable_byte_span out) {
  if (contexts_->decompress == nullptr) contexts_->decompress = ZSTD_createDCtx();
  if (contexts_->decompress == nullptr)
    return fail(errc::resource_exhausted, "no memory to decompress with");
  const auto size =
      ZSTD_decompressDCtx(contexts_->decompress, out.data(), out.size(), in.data(), in.size());
  if (ZSTD_isError(size) != 0)
    return fail(errc::malformed, "a compressed fragment is damaged: {}", ZSTD_getErrorName(size));
  if (size != out.size())
    return fail(errc::malformed, "a compressed fragment holds {} bytes, expected {}", size,
                out.size());
  return {};
}

} // namespace shoal
