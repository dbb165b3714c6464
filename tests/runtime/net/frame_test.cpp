#include "runtime/net/frame.hpp"
#include "runtime/net/hello.hpp"
#include "tests/runtime/net/link_fixture.hpp"

#include <fmt/format.h>

#include <array>

using namespace shoal;
using namespace shoal::test;

namespace {

using header_bytes = std::array<std::byte, frame_header_bytes>;

header_bytes encoded(const frame_header& header) {
  header_bytes bytes;
  encode(header, bytes.data());
  return bytes;
}

frame_header random_data_header(std::mt19937_64& random) {
  frame_header header;
  header.type = frame_type::data;
  header.body_bytes = static_cast<std::uint32_t>(2 + random() % (max_data_payload - 1));
  header.payload_bytes = header.body_bytes;
  if (random() % 2 == 0) {
    header.encoding = fragment_encoding::zstd;
    header.payload_bytes = 1 + static_cast<std::uint32_t>(random() % (header.body_bytes - 1));
  }
  header.stream = static_cast<std::uint32_t>(random() | 1);
  header.offset = random();
  header.payload_crc = static_cast<std::uint32_t>(random());
  return header;
}

std::vector<std::byte> encoded(const open_frame& frame) {
  std::vector<std::byte> bytes(encoded_bytes(frame));
  encode(frame, bytes);
  return bytes;
}

hello some_hello() {
  hello greeting;
  greeting.protocol = link_protocol_version;
  greeting.software = "shoal test";
  greeting.id = {1, 2};
  greeting.expected = {3, 4};
  greeting.token = "secret";
  return greeting;
}

} // namespace

TEST_CASE("frame headers come back as they were") {
  const std::uint64_t seed = 1;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 2000; ++i) {
    const auto header = random_data_header(random);
    const auto decoded = decode_frame_header(encoded(header));
    REQUIRE(decoded);
    CHECK(*decoded == header);
  }
}

TEST_CASE("every corruption of a single byte of a frame header is noticed") {
  std::mt19937_64 random(2);
  const auto good = encoded(random_data_header(random));
  for (std::size_t i = 0; i < good.size(); ++i)
    for (unsigned flip = 1; flip < 256; ++flip) {
      auto bad = good;
      bad[i] ^= static_cast<std::byte>(flip);
      const auto decoded = decode_frame_header(bad);
      REQUIRE_FALSE(decoded);
      CHECK(decoded.error().code() == errc::malformed);
    }
}

TEST_CASE("a header with a valid checksum is refused when its sizes cannot be") {
  const auto refused = [](frame_header header) {
    return !decode_frame_header(encoded(header)).has_value();
  };
  const frame_header data{
      .type = frame_type::data, .payload_bytes = 8, .stream = 1, .body_bytes = 8};
  CHECK_FALSE(refused(data));
  auto bad = data;
  bad.payload_bytes = bad.body_bytes = max_data_payload + 1;
  CHECK(refused(bad));
  bad = data;
  bad.payload_bytes = 7; // raw, but shorter
  CHECK(refused(bad));
  bad = data;
  bad.encoding = fragment_encoding::zstd; // compressed, but no shorter
  CHECK(refused(bad));
  bad = data;
  bad.stream = 0;
  CHECK(refused(bad));
  CHECK(refused({.type = frame_type::ping, .payload_bytes = 1}));
  CHECK(refused({.type = frame_type::ping, .stream = 1}));
  CHECK(refused({.type = frame_type::open, .payload_bytes = 4, .stream = 1}));
  CHECK(refused({.type = frame_type::open, .payload_bytes = max_open_payload + 1, .stream = 1}));
  CHECK(refused({.type = static_cast<frame_type>(8)}));
}

TEST_CASE(
    "the description of a message comes back as it was, and no shorter piece passes for one") {
  const std::uint64_t seed = 3;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 200; ++i) {
    const auto content = random_message(random, 100'000);
    open_frame frame;
    frame.kind = content.kind;
    frame.priority = content.priority;
    frame.metadata = content.metadata;
    for (const auto& part : content.tensors) {
      tensor_entry entry{part.type(), tensor_encoding::plain, part.format()};
      if (part.element_type() == dtype::f32) entry.encoding = tensor_encoding::fp16;
      frame.body_bytes += entry.body_bytes();
      frame.tensors.push_back(entry);
    }
    const auto bytes = encoded(frame);
    const auto decoded = decode_open_frame(bytes);
    REQUIRE(decoded);
    CHECK(decoded->kind == frame.kind);
    CHECK(decoded->priority == frame.priority);
    CHECK(decoded->tensors == frame.tensors);
    CHECK(decoded->body_bytes == frame.body_bytes);
    CHECK(text_of(decoded->metadata) == text_of(frame.metadata));
    CHECK_FALSE(decode_open_frame(byte_span(bytes).first(random() % bytes.size())));
  }
}

TEST_CASE("a description that promises more than can be is refused") {
  open_frame frame;
  frame.tensors.push_back({{dtype::f32, {4, 4}}, tensor_encoding::plain});
  frame.body_bytes = 64;
  const auto good = encoded(frame);
  REQUIRE(decode_open_frame(good));
  const auto with = [&](std::size_t at, int value) {
    auto bad = good;
    bad[at] = static_cast<std::byte>(value);
    return decode_open_frame(bad).has_value();
  };
  CHECK_FALSE(with(2, 3));     // priority
  CHECK_FALSE(with(3, 65));    // tensors
  CHECK_FALSE(with(6, 2));     // metadata of 128 KiB
  CHECK_FALSE(with(8, 65));    // body
  CHECK_FALSE(with(16, 13));   // dtype
  CHECK_FALSE(with(17, 9));    // rank
  CHECK_FALSE(with(18, 2));    // encoding
  CHECK_FALSE(with(19, 1));    // a layout that takes three axes
  CHECK_FALSE(with(19, 4));    // no layout
  CHECK_FALSE(with(27, 0x80)); // a negative extent
  CHECK_FALSE(with(26, 0x7f)); // a product that overflows
  frame.tensors[0] = {{dtype::i32, {4, 4}}, tensor_encoding::fp16};
  frame.body_bytes = 32;
  CHECK_FALSE(decode_open_frame(encoded(frame)));
}

TEST_CASE("a tensor travels in the layout it has, unless that needs padding") {
  open_frame frame;
  frame.body_bytes = 2 * 16 * 3 * 4;
  frame.tensors.push_back({{dtype::f32, {2, 16, 3}}, tensor_encoding::plain, layout::blocked_16});
  const auto decoded = decode_open_frame(encoded(frame));
  REQUIRE(decoded);
  CHECK(decoded->tensors[0].format == layout::blocked_16);
  frame.tensors[0].type.dims = {2, 12, 4};
  const auto padded = decode_open_frame(encoded(frame));
  REQUIRE_FALSE(padded);
  CHECK(padded.error().message() == "a float32[2,12,4] cannot travel in layout blocked_16");
  message content;
  content.tensors.push_back(
      *tensor::allocate({dtype::f32, {2, 12, 4}}, buffer_pool::shared(), layout::blocked_16));
  CHECK_FALSE(validate(content));
}

TEST_CASE("a hello comes back as it was, and every damaged byte or missing end is noticed") {
  const auto greeting = some_hello();
  const auto bytes = encode(greeting);
  const auto decoded = decode_hello(bytes);
  REQUIRE(decoded);
  CHECK(decoded->id == greeting.id);
  CHECK(decoded->expected == greeting.expected);
  CHECK(decoded->token == "secret");
  CHECK(decoded->limits == greeting.limits);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= std::byte{0x40};
    CHECK_FALSE(decode_hello(damaged));
    CHECK_FALSE(decode_hello(byte_span(bytes).first(i)));
  }
}

TEST_CASE("a hello of another version is a typed error that names both versions") {
  auto greeting = some_hello();
  greeting.protocol = 77;
  const auto decoded = decode_hello(encode(greeting));
  REQUIRE(!decoded);
  CHECK(decoded.error().code() == errc::version_mismatch);
  CHECK(decoded.error().message().find("shoal test (protocol 77)") != std::string::npos);
  const auto own = fmt::format("{} (protocol {})", software_version(), link_protocol_version);
  CHECK(decoded.error().message().find(own) != std::string::npos);
}

TEST_CASE("a hello whose limits no link could work with is refused") {
  auto greeting = some_hello();
  greeting.limits.window_bytes = 1;
  CHECK_FALSE(decode_hello(encode(greeting)));
  greeting = some_hello();
  greeting.limits.max_fragment_bytes = 0;
  CHECK_FALSE(decode_hello(encode(greeting)));
}

TEST_CASE("a reject frame keeps its code and at most 255 bytes of text") {
  const auto bytes = encode(reject_frame{errc::resource_exhausted, 9, std::string(1000, 'x')});
  CHECK(bytes.size() <= max_reject_payload);
  const auto decoded = decode_reject_frame(bytes);
  REQUIRE(decoded);
  CHECK(decoded->code == errc::resource_exhausted);
  CHECK(decoded->kind == 9);
  CHECK(decoded->text == std::string(255, 'x'));
  CHECK_FALSE(decode_reject_frame(byte_span(bytes).first(10)));
}
