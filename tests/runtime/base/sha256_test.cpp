#include "runtime/base/sha256.hpp"

#include <doctest/doctest.h>

#include <random>
#include <string>

using namespace shoal;

TEST_CASE("SHA-256 gives the digests of FIPS 180-4") {
  CHECK(to_string(sha256({})) ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(to_string(sha256(bytes_of("abc"))) ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(to_string(sha256(bytes_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))) ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(to_string(sha256(bytes_of(std::string(1'000'000, 'a')))) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("bytes hash the same whole and in pieces, and a hasher can be used again") {
  const std::uint64_t seed = 11;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  std::string text(10'000, '\0');
  for (auto& c : text) c = static_cast<char>(random());
  sha256_hasher hasher;
  for (int round = 0; round < 10; ++round) {
    for (byte_span rest = bytes_of(text); !rest.empty();) {
      const auto piece = rest.first(std::min<std::size_t>(rest.size(), random() % 700));
      hasher.update(piece);
      rest = rest.subspan(piece.size());
    }
    CHECK(hasher.finish() == sha256(bytes_of(text)));
  }
}

TEST_CASE("a digest is read back from its own text and from nothing else") {
  const auto name = sha256(bytes_of("abc"));
  const auto text = to_string(name);
  REQUIRE(parse_digest(text));
  CHECK(*parse_digest(text) == name);
  CHECK_FALSE(parse_digest(""));
  CHECK_FALSE(parse_digest(text.substr(1)));
  CHECK_FALSE(parse_digest(text + "0"));
  CHECK_FALSE(parse_digest("BA" + text.substr(2)));
  CHECK_FALSE(parse_digest("../" + text.substr(3)));
  const auto wrong = parse_digest("bag" + text.substr(3));
  REQUIRE_FALSE(wrong);
  CHECK(wrong.error().code() == errc::malformed);
  CHECK(wrong.error().message().find("at 2") != std::string::npos);
}
