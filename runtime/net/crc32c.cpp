#include "runtime/net/crc32c.hpp"

#include "runtime/net/wire.hpp"

#include <array>
#include <vector>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace shoal {
namespace {

constexpr std::uint32_t polynomial = 0x82f63b78u; // reflected

// Slicing by eight: table k advances a byte past k further bytes.
using byte_tables = std::array<std::array<std::uint32_t, 256>, 8>;

constexpr byte_tables make_byte_tables() {
  byte_tables tables{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1u) != 0 ? polynomial : 0u);
    tables[0][i] = crc;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t i = 0; i < 256; ++i)
      tables[k][i] = (tables[k - 1][i] >> 8) ^ tables[0][tables[k - 1][i] & 0xff];
  return tables;
}

constexpr byte_tables tables = make_byte_tables();

std::uint32_t extend_by_tables(std::uint32_t previous, const std::byte* data, std::size_t size) {
  std::uint32_t crc = ~previous;
  for (; size >= 8; size -= 8, data += 8) {
    const std::uint64_t word = load_little<std::uint64_t>(data) ^ crc;
    crc = 0;
    for (std::size_t k = 0; k < 8; ++k) crc ^= tables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; size > 0; --size, ++data)
    crc = (crc >> 8) ^ tables[0][(crc ^ std::to_integer<std::uint32_t>(*data)) & 0xff];
  return ~crc;
}

#if defined(__x86_64__)

// x^n modulo the polynomial, reflected: bit 31 is x^0.
constexpr std::uint32_t power_of_x(std::uint64_t n) {
  std::uint32_t value = 0x80000000u;
  for (; n > 0; --n) value = (value >> 1) ^ ((value & 1u) != 0 ? polynomial : 0u);
  return value;
}

__attribute__((target("sse4.2"))) std::uint64_t advance(std::uint64_t crc, const std::byte* data,
                                                        std::size_t size) {
  for (; size >= 8; size -= 8, data += 8)
    crc = _mm_crc32_u64(crc, load_little<std::uint64_t>(data));
  auto word = static_cast<std::uint32_t>(crc);
  for (; size > 0; --size, ++data) word = _mm_crc32_u8(word, std::to_integer<std::uint8_t>(*data));
  return word;
}

// The instruction takes three cycles but starts one every cycle: three chains side by side keep it
// busy. Appending n zero bytes multiplies a checksum by x^(8n); the carry-less product of two
// reflected 32-bit values is one factor x short of 64 bits, and the instruction, which reduces 64
// bits, contributes x^32: hence x^(8n-33).
constexpr std::size_t chain = 2048;
constexpr std::uint32_t past_one_chain = power_of_x(8 * chain - 33);
constexpr std::uint32_t past_two_chains = power_of_x(2 * 8 * chain - 33);

__attribute__((target("sse4.2,pclmul"))) std::uint64_t skip(std::uint64_t crc,
                                                            std::uint32_t power) {
  const auto product = _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<long long>(crc)),
                                            _mm_cvtsi32_si128(static_cast<int>(power)), 0);
  return _mm_crc32_u64(0, static_cast<std::uint64_t>(_mm_cvtsi128_si64(product)));
}

__attribute__((target("sse4.2,pclmul"))) std::uint32_t
extend_by_instruction(std::uint32_t previous, const std::byte* data, std::size_t size) {
  std::uint64_t first = static_cast<std::uint32_t>(~previous);
  for (; size >= 3 * chain; size -= 3 * chain, data += 3 * chain) {
    std::uint64_t second = 0;
    std::uint64_t third = 0;
    for (std::size_t i = 0; i < chain; i += 8) {
      first = _mm_crc32_u64(first, load_little<std::uint64_t>(data + i));
      second = _mm_crc32_u64(second, load_little<std::uint64_t>(data + chain + i));
      third = _mm_crc32_u64(third, load_little<std::uint64_t>(data + 2 * chain + i));
    }
    first = skip(first, past_two_chains) ^ skip(second, past_one_chain) ^ third;
  }
  return ~static_cast<std::uint32_t>(advance(first, data, size));
}

// Folding: 128 bits at distance d from the end are replaced by their product with x^d. The 33-bit
// reflected constants of the two halves are x^(d+32) and x^(d-32), shifted for the missing factor
// x.
constexpr std::uint64_t fold_constant(std::uint64_t bits) {
  return static_cast<std::uint64_t>(power_of_x(bits)) << 1;
}

__attribute__((target("avx512f,avx512vl,vpclmulqdq"))) inline __m512i fold(__m512i sum, __m512i by,
                                                                           __m512i next) {
  const auto low = _mm512_clmulepi64_epi128(sum, by, 0x00);
  const auto high = _mm512_clmulepi64_epi128(sum, by, 0x11);
  return _mm512_xor_si512(_mm512_xor_si512(low, high), next);
}

__attribute__((target("avx512f,avx512vl,vpclmulqdq"))) inline __m512i
fold_pair(std::uint64_t bits_low, std::uint64_t bits_high) {
  const auto low = static_cast<long long>(bits_low);
  const auto high = static_cast<long long>(bits_high);
  return _mm512_set_epi64(high, low, high, low, high, low, high, low);
}

__attribute__((target("sse4.2,pclmul,avx512f,avx512vl,vpclmulqdq"))) std::uint32_t
extend_by_folding(std::uint32_t previous, const std::byte* data, std::size_t size) {
  if (size < 512) return extend_by_instruction(previous, data, size);
  constexpr std::uint64_t far_low = fold_constant(2048 + 32);
  constexpr std::uint64_t far_high = fold_constant(2048 - 32);
  constexpr std::uint64_t near_low = fold_constant(512 + 32);
  constexpr std::uint64_t near_high = fold_constant(512 - 32);
  const auto far = fold_pair(far_low, far_high);
  __m512i a =
      _mm512_xor_si512(_mm512_loadu_si512(data),
                       _mm512_zextsi128_si512(_mm_cvtsi32_si128(static_cast<int>(~previous))));
  __m512i b = _mm512_loadu_si512(data + 64);
  __m512i c = _mm512_loadu_si512(data + 128);
  __m512i d = _mm512_loadu_si512(data + 192);
  for (data += 256, size -= 256; size >= 256; data += 256, size -= 256) {
    a = fold(a, far, _mm512_loadu_si512(data));
    b = fold(b, far, _mm512_loadu_si512(data + 64));
    c = fold(c, far, _mm512_loadu_si512(data + 128));
    d = fold(d, far, _mm512_loadu_si512(data + 192));
  }
  const auto near = fold_pair(near_low, near_high);
  a = fold(fold(fold(a, near, b), near, c), near, d);
  alignas(64) std::array<std::byte, 64> remainder;
  _mm512_store_si512(remainder.data(), a);
  // What is left has the checksum of all before it when seen as 64 bytes from a zero start.
  return ~static_cast<std::uint32_t>(advance(advance(0, remainder.data(), 64), data, size));
}

#endif

std::vector<crc32c_variant> find_variants() {
  std::vector<crc32c_variant> found;
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool instruction = __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
  if (instruction && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("vpclmulqdq"))
    found.push_back({"avx512 vpclmulqdq", extend_by_folding});
  if (instruction) found.push_back({"sse4.2", extend_by_instruction});
#endif
  found.push_back({"tables", extend_by_tables});
  return found;
}

} // namespace

std::span<const crc32c_variant> crc32c_variants() {
  static const std::vector<crc32c_variant> variants = find_variants();
  return variants;
}

std::uint32_t crc32c(byte_span bytes, std::uint32_t previous) {
  static const auto extend = crc32c_variants().front().extend;
  return extend(previous, bytes.data(), bytes.size());
}

} // namespace shoal
