#include "runtime/base/sha256.hpp"

#include "runtime/base/fail.hpp"

#include <openssl/evp.h>

#include <new>

namespace shoal {
namespace {

// Fetched once: an implicit fetch for every digest costs more than hashing a kilobyte.
const EVP_MD* algorithm() {
  static const EVP_MD* const fetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return fetched != nullptr ? fetched : EVP_sha256();
}

void start(EVP_MD_CTX* context) {
  if (EVP_DigestInit_ex(context, algorithm(), nullptr) != 1) throw std::bad_alloc();
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

} // namespace

void sha256_hasher::deleter::operator()(evp_md_ctx_st* context) const {
  EVP_MD_CTX_free(context);
}

sha256_hasher::sha256_hasher() : context_(EVP_MD_CTX_new()) {
  if (!context_) throw std::bad_alloc();
  start(context_.get());
}

void sha256_hasher::update(byte_span bytes) {
  if (EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) != 1) throw std::bad_alloc();
}

digest sha256_hasher::finish() {
  digest name;
  if (EVP_DigestFinal_ex(context_.get(), name.bytes.data(), nullptr) != 1) throw std::bad_alloc();
  start(context_.get());
  return name;
}

digest sha256(byte_span bytes) {
  sha256_hasher hasher;
  hasher.update(bytes);
  return hasher.finish();
}

result<digest> parse_digest(std::string_view text) {
  digest name;
  if (text.size() != 2 * name.bytes.size())
    return fail(errc::malformed, "expected a digest of 64 hex digits, got {} characters",
                text.size());
  for (std::size_t i = 0; i < name.bytes.size(); ++i) {
    const int high = hex_value(text[2 * i]);
    const int low = hex_value(text[2 * i + 1]);
    if (high < 0 || low < 0)
      return fail(errc::malformed,
                  "expected a digest of 64 lower-case hex digits, got another character at {}",
                  2 * i + (high < 0 ? 0 : 1));
    name.bytes[i] = static_cast<std::uint8_t>(high * 16 + low);
  }
  return name;
}

} // namespace shoal
