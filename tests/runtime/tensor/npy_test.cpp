#include "runtime/tensor/npy.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <fstream>
#include <random>

using namespace shoal;

namespace {

/// A file with the given dictionary and payload, as a hand would write it.
std::string npy(std::string dictionary, std::string_view payload, int major = 1) {
  std::string file = "\x93NUMPY";
  file += static_cast<char>(major);
  file += '\0';
  for (int i = 0; i < (major == 1 ? 2 : 4); ++i)
    file += static_cast<char>(dictionary.size() >> (8 * i) & 255);
  file += dictionary;
  file += payload;
  return file;
}

errc failure(const std::string& file) {
  const auto decoded = decode_npy(bytes_of(file));
  return decoded ? errc::internal : decoded.error().code();
}

} // namespace

TEST_CASE("a .npy file written by NumPy is read") {
  // numpy.save of numpy.array([[1, 2, 3], [4, 5, 6]], dtype='<i2')
  const std::string padding(118 - 59 - 1, ' ');
  const auto file =
      npy("{'descr': '<i2', 'fortran_order': False, 'shape': (2, 3), }" + padding + "\n",
          std::string_view("\1\0\2\0\3\0\4\0\5\0\6\0", 12));
  CHECK(file.size() == 128 + 12);
  const auto values = decode_npy(bytes_of(file));
  REQUIRE(values);
  CHECK(identical(*values, tensor::of<std::int16_t>({2, 3}, {1, 2, 3, 4, 5, 6})));
  const auto again = encode_npy(*values);
  REQUIRE(again);
  CHECK(text_of(*again) == file);
}

TEST_CASE("every element type, shape and bit pattern survives a .npy file") {
  test::temporary_folder folder;
  const std::uint64_t seed = 31;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int t = 0; t < dtype_count; ++t) {
    const auto type = static_cast<dtype>(t);
    for (const shape& dims : {shape{}, shape{0}, shape{1}, shape{7}, shape{3, 5}, shape{2, 0, 3},
                              shape{1, 2, 1, 2, 1, 2, 1, 2}}) {
      auto values = *tensor::allocate({type, dims});
      for (std::size_t i = 0; i < values.byte_size(); ++i)
        values.mutable_data()[i] =
            static_cast<std::byte>(random() & (type == dtype::boolean ? 1 : 255));
      const auto path = folder.path() / "values.npy";
      const auto written = write_npy(path, values);
      if (type == dtype::bf16) {
        CHECK(written.error().code() == errc::unsupported);
        CHECK(encode_npy(values).error().code() == errc::unsupported);
        continue;
      }
      REQUIRE(written);
      CHECK(identical(*read_npy(path), values));
      const auto encoded = *encode_npy(values);
      CHECK(encoded.size() % 64 == values.byte_size() % 64);
      CHECK(identical(*decode_npy(encoded), values));
    }
  }
}

TEST_CASE("Fortran order is converted to row-major") {
  const auto file = npy("{'descr': '|u1', 'fortran_order': True, 'shape': (2, 3)}", "\1\4\2\5\3\6");
  CHECK(
      identical(*decode_npy(bytes_of(file)), tensor::of<std::uint8_t>({2, 3}, {1, 2, 3, 4, 5, 6})));
  std::string payload;
  for (char i = 0; i < 24; ++i) payload += i;
  const auto cube = decode_npy(
      bytes_of(npy("{'fortran_order': True, 'shape': (2, 3, 4), 'descr': '|i1'}", payload)));
  REQUIRE(cube);
  for (int a = 0; a < 2; ++a)
    for (int b = 0; b < 3; ++b)
      for (int c = 0; c < 4; ++c)
        CHECK(cube->values<std::int8_t>()[static_cast<std::size_t>((a * 3 + b) * 4 + c)] ==
              a + 2 * b + 6 * c);
}

TEST_CASE("version 2, other quotes, spaces and byte order marks are read") {
  for (const char* dictionary :
       {"{\"descr\": \"=f4\", \"shape\": (), \"fortran_order\": False}",
        "{'descr':'<f4','fortran_order':False,'shape':()}\n",
        "  { 'shape' : ( ) , 'fortran_order' : True , 'descr' : '|f4' , }   \n"}) {
    CAPTURE(dictionary);
    const auto values =
        decode_npy(bytes_of(npy(dictionary, std::string_view("\0\0\x80\x3f", 4), 2)));
    REQUIRE(values);
    CHECK(identical(*values, tensor::of<float>({}, {1.0f})));
  }
}

TEST_CASE("a .npy file cut anywhere, or with a byte too many, is an error") {
  test::temporary_folder folder;
  const auto path = folder.path() / "cut.npy";
  const auto whole = *encode_npy(tensor::of<float>({2, 2}, {1, 2, 3, 4}));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    const auto cut = byte_span(whole).first(size);
    CHECK(decode_npy(cut).error().code() == errc::malformed);
    std::ofstream(path, std::ios::binary) << text_of(cut);
    CHECK(read_npy(path).error().code() == errc::malformed);
  }
  CHECK(failure(std::string(text_of(whole)) + "x") == errc::malformed);
  CHECK(read_npy(folder.path() / "none.npy").error().code() == errc::not_found);
}

TEST_CASE("headers that lie or break the format are refused before memory is taken") {
  const auto with_shape = [](std::string_view dims) {
    return npy(fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': {}}}", dims), "");
  };
  CHECK(failure(with_shape("(1099511627776,)")) == errc::malformed);
  CHECK(failure(with_shape("(4294967296, 4294967296)")) == errc::malformed);
  CHECK(failure(with_shape("(99999999999999999999,)")) == errc::malformed);
  CHECK(failure(with_shape("(-1,)")) == errc::malformed);
  CHECK(failure(with_shape("(1")) == errc::malformed);
  CHECK(failure(with_shape("3")) == errc::malformed);
  CHECK(failure(with_shape("(1 2)")) == errc::malformed);
  CHECK(failure(with_shape("(0,0,0,0,0,0,0,0,0)")) == errc::unsupported);
  CHECK(failure(npy("{'descr': '>f4', 'fortran_order': False, 'shape': (0,)}", "")) ==
        errc::unsupported);
  CHECK(failure(npy("{'descr': '<c8', 'fortran_order': False, 'shape': (0,)}", "")) ==
        errc::unsupported);
  CHECK(failure(npy("{'descr': '|O', 'fortran_order': False, 'shape': (0,)}", "")) ==
        errc::unsupported);
  CHECK(failure(npy("{'descr': [('a', '<f4')], 'shape': (0,)}", "")) == errc::unsupported);
  CHECK(failure(npy("{'descr': '<f4', 'shape': (0,)}", "")) == errc::malformed);
  CHECK(failure(npy("{'shape': (0,), 'shape': (0,)}", "")) == errc::malformed);
  CHECK(failure(npy("{'more': 1}", "")) == errc::malformed);
  CHECK(failure(npy("{'descr': '<f4", "")) == errc::malformed);
  CHECK(failure(npy("{} x", "")) == errc::malformed);
  CHECK(failure(npy("", "")) == errc::malformed);
  CHECK(failure(npy("{}", "", 3)) == errc::unsupported);
  CHECK(failure(std::string("\x93NUMPY\2\0\xff\xff\xff\xff", 12)) == errc::malformed);
  CHECK(failure(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,)}", "\1\2")) ==
        errc::malformed);
}
