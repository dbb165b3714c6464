#include "runtime/tensor/tensor_proto.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <onnx/onnx_pb.h>

#include <random>

using namespace shoal;

namespace {

onnx::TensorProto proto_of(int type, std::initializer_list<std::int64_t> dims) {
  onnx::TensorProto proto;
  proto.set_name("weight");
  proto.set_data_type(type);
  for (const auto extent : dims) proto.add_dims(extent);
  return proto;
}

errc failure(const onnx::TensorProto& proto) {
  const auto copied = from_proto(proto);
  const auto moved = from_proto(onnx::TensorProto(proto));
  REQUIRE_FALSE(copied);
  REQUIRE_FALSE(moved);
  CHECK(copied.error() == moved.error());
  CHECK(copied.error().message().starts_with("tensor \"weight\": "));
  return copied.error().code();
}

} // namespace

TEST_CASE("every element type and bit pattern survives a TensorProto") {
  test::temporary_folder folder;
  const std::uint64_t seed = 41;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (int t = 0; t < dtype_count; ++t) {
    const auto type = static_cast<dtype>(t);
    CAPTURE(t);
    for (const shape& dims : {shape{}, shape{0}, shape{3}, shape{5, 7}, shape{2, 0, 2}}) {
      auto values = *tensor::allocate({type, dims});
      for (std::size_t i = 0; i < values.byte_size(); ++i)
        values.mutable_data()[i] =
            static_cast<std::byte>(random() & (type == dtype::boolean ? 1 : 255));
      onnx::TensorProto proto;
      to_proto(values, "values", proto);
      CHECK(proto.name() == "values");
      CHECK(identical(*from_proto(proto), values));
      CHECK(identical(*from_proto(std::move(proto)), values));
      const auto path = folder.path() / "values.pb";
      REQUIRE(write_tensor_proto_file(path, values, "values"));
      CHECK(identical(*read_tensor_proto_file(path), values));
    }
  }
}

TEST_CASE("raw data are taken over without a copy from a proto that may be moved") {
  onnx::TensorProto proto;
  to_proto(tensor::of<float>({64}, std::vector<float>(64, 1.5f)), "weight", proto);
  const void* before = proto.raw_data().data();
  const auto copied = *from_proto(proto);
  CHECK(copied.data() != before);
  const auto moved = *from_proto(std::move(proto));
  CHECK(moved.data() == before);
  CHECK(identical(copied, moved));
}

TEST_CASE("elements in typed fields are read") {
  auto f32 = proto_of(onnx::TensorProto::FLOAT, {2});
  f32.add_float_data(1.5f);
  f32.add_float_data(-0.0f);
  CHECK(identical(*from_proto(f32), tensor::of<float>({2}, {1.5f, -0.0f})));
  auto f64 = proto_of(onnx::TensorProto::DOUBLE, {1});
  f64.add_double_data(0.1);
  CHECK(identical(*from_proto(f64), tensor::of<double>({1}, {0.1})));
  auto f16 = proto_of(onnx::TensorProto::FLOAT16, {1, 1});
  f16.add_int32_data(0xbe00);
  CHECK(identical(*from_proto(f16), tensor::of<half>({1, 1}, {half(-1.5f)})));
  auto bf16 = proto_of(onnx::TensorProto::BFLOAT16, {});
  bf16.add_int32_data(0xffff);
  CHECK(from_proto(bf16)->values<bfloat16>()[0].bits == 0xffff);
  auto i8 = proto_of(onnx::TensorProto::INT8, {2});
  i8.add_int32_data(-128);
  i8.add_int32_data(127);
  CHECK(identical(*from_proto(i8), tensor::of<std::int8_t>({2}, {-128, 127})));
  auto u16 = proto_of(onnx::TensorProto::UINT16, {1});
  u16.add_int32_data(65535);
  CHECK(identical(*from_proto(u16), tensor::of<std::uint16_t>({1}, {65535})));
  auto flags = proto_of(onnx::TensorProto::BOOL, {2});
  flags.add_int32_data(1);
  flags.add_int32_data(0);
  CHECK(identical(*from_proto(flags), tensor::of<bool>({2}, {true, false})));
  auto i64 = proto_of(onnx::TensorProto::INT64, {1});
  i64.add_int64_data(INT64_MIN);
  CHECK(identical(*from_proto(i64), tensor::of<std::int64_t>({1}, {INT64_MIN})));
  auto u32 = proto_of(onnx::TensorProto::UINT32, {1});
  u32.add_uint64_data(UINT32_MAX);
  CHECK(identical(*from_proto(u32), tensor::of<std::uint32_t>({1}, {UINT32_MAX})));
  auto u64 = proto_of(onnx::TensorProto::UINT64, {1});
  u64.add_uint64_data(UINT64_MAX);
  CHECK(identical(*from_proto(u64), tensor::of<std::uint64_t>({1}, {UINT64_MAX})));
  CHECK(from_proto(proto_of(onnx::TensorProto::FLOAT, {0, 3}))->element_count() == 0);
}

TEST_CASE("numbers that do not fit their type are refused") {
  const auto with = [](int type, std::int32_t value) {
    auto proto = proto_of(type, {1});
    proto.add_int32_data(value);
    return proto;
  };
  CHECK(failure(with(onnx::TensorProto::INT8, 128)) == errc::malformed);
  CHECK(failure(with(onnx::TensorProto::UINT8, -1)) == errc::malformed);
  CHECK(failure(with(onnx::TensorProto::INT16, -32769)) == errc::malformed);
  CHECK(failure(with(onnx::TensorProto::FLOAT16, 65536)) == errc::malformed);
  CHECK(failure(with(onnx::TensorProto::BFLOAT16, -1)) == errc::malformed);
  CHECK(failure(with(onnx::TensorProto::BOOL, 2)) == errc::malformed);
  auto u32 = proto_of(onnx::TensorProto::UINT32, {1});
  u32.add_uint64_data(std::uint64_t{1} << 32);
  CHECK(failure(u32) == errc::malformed);
}

TEST_CASE("sizes that disagree and types that are not supported are typed errors") {
  auto proto = proto_of(onnx::TensorProto::FLOAT, {2});
  CHECK(failure(proto) == errc::malformed); // no elements at all
  proto.set_raw_data("1234567");
  CHECK(failure(proto) == errc::malformed);
  CHECK(from_proto(proto).error().message() ==
        "tensor \"weight\": float32[2] takes 8 bytes, raw_data has 7");
  proto.set_raw_data("12345678");
  proto.add_float_data(1);
  CHECK(failure(proto) == errc::malformed); // in two places
  auto wrong_field = proto_of(onnx::TensorProto::FLOAT, {1});
  wrong_field.add_double_data(1);
  CHECK(failure(wrong_field) == errc::malformed);
  CHECK(failure(proto_of(onnx::TensorProto::FLOAT, {-1})) == errc::malformed);
  CHECK(failure(proto_of(onnx::TensorProto::FLOAT, {1 << 30, 1 << 30, 1 << 30})) ==
        errc::malformed);
  CHECK(failure(proto_of(onnx::TensorProto::FLOAT, {1, 1, 1, 1, 1, 1, 1, 1, 1})) ==
        errc::unsupported);
  CHECK(failure(proto_of(onnx::TensorProto::UNDEFINED, {1})) == errc::malformed);
  CHECK(failure(proto_of(onnx::TensorProto::STRING, {1})) == errc::unsupported);
  CHECK(
      from_proto(proto_of(onnx::TensorProto::COMPLEX64, {1})).error().message().find("COMPLEX64") !=
      std::string::npos);
  CHECK(failure(proto_of(99, {1})) == errc::unsupported);
  auto segment = proto_of(onnx::TensorProto::FLOAT, {0});
  segment.mutable_segment()->set_begin(0);
  CHECK(failure(segment) == errc::unsupported);
  auto flags = proto_of(onnx::TensorProto::BOOL, {2});
  flags.set_raw_data(std::string("\1\2", 2));
  CHECK(failure(flags) == errc::malformed);
}

TEST_CASE("external data come from the reader that the caller gives") {
  auto proto = proto_of(onnx::TensorProto::FLOAT, {3});
  proto.set_data_location(onnx::TensorProto::EXTERNAL);
  CHECK(failure(proto) == errc::unsupported);
  const auto add = [&](const char* key, const char* value) {
    auto* entry = proto.add_external_data();
    entry->set_key(key);
    entry->set_value(value);
  };
  const auto weight = tensor::of<float>({5}, {1, 2, 3, 4, 5});
  external_data_location asked;
  std::size_t bytes = 12;
  std::size_t skew = 0;
  const external_data_reader read =
      [&](const external_data_location& where) -> result<storage_ptr> {
    asked = where;
    return share_storage(std::make_shared<tensor>(weight), weight.data() + skew, bytes);
  };
  CHECK(from_proto(proto, read).error().code() == errc::malformed); // no location
  add("location", "weights.bin");
  add("offset", "4096");
  add("length", "12");
  add("checksum", "abc");
  const auto values = from_proto(proto, read);
  REQUIRE(values);
  CHECK(values->data() == weight.data());
  CHECK(identical(*values, tensor::of<float>({3}, {1, 2, 3})));
  CHECK(asked.location == "weights.bin");
  CHECK(asked.offset == "4096");
  CHECK(asked.length == "12");
  skew = 1; // misaligned: copied
  CHECK(reinterpret_cast<std::uintptr_t>(from_proto(proto, read)->data()) % 4 == 0);
  bytes = 11;
  CHECK(from_proto(proto, read).error().code() == errc::malformed);
  const external_data_reader refuse = [](const auto&) { return error(errc::not_found, "gone"); };
  CHECK(from_proto(proto, refuse).error().code() == errc::not_found);
  proto.set_raw_data("123456789012");
  CHECK(from_proto(proto, read).error().code() == errc::malformed);
}

TEST_CASE("a TensorProto cut anywhere is an error") {
  onnx::TensorProto proto;
  to_proto(tensor::of<float>({2, 2}, {1, 2, 3, 4}), "weight", proto);
  const std::string whole = proto.SerializeAsString();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    CAPTURE(size);
    CHECK(decode_tensor_proto(bytes_of(whole).first(size)).error().code() == errc::malformed);
  }
  CHECK(decode_tensor_proto(bytes_of(whole)));
  CHECK(read_tensor_proto_file("/none").error().code() == errc::not_found);
}

TEST_CASE("the inputs and outputs that come with real models are read") {
  const auto models = test::shared_file("models");
  if (!models) {
    MESSAGE("skipped: the shared models are not here");
    return;
  }
  int read = 0;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(*models)) {
    if (entry.path().extension() != ".pb") continue;
    CAPTURE(entry.path().string());
    const auto values = read_tensor_proto_file(entry.path());
    CHECK(values);
    ++read;
  }
  CHECK(read > 0);
}
