#include "runtime/base/sha256.hpp"
#include "runtime/store/chunk_folder.hpp"
#include "runtime/store/mapped_weights.hpp"
#include "runtime/store/memory_chunk_source.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <filesystem>
#include <random>

using namespace shoal;

namespace {

constexpr std::int64_t mib = 1 << 20;

tensor random_bytes(std::int64_t size, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  auto t = *tensor::allocate({dtype::u8, {size}});
  for (auto& value : t.mutable_values<std::uint8_t>()) value = static_cast<std::uint8_t>(random());
  return t;
}

std::unique_ptr<chunk_store> open_store(const std::filesystem::path& root) {
  auto store = chunk_store::open(root);
  REQUIRE(store);
  return *std::move(store);
}

} // namespace

TEST_CASE("a weight of any size comes back from its chunks, mapped or read, bit for bit") {
  test::temporary_folder folder;
  for (const std::int64_t size :
       {std::int64_t{0}, std::int64_t{1}, mib - 1, mib, mib + 1, 5 * mib + 17}) {
    CAPTURE(size);
    const auto weight = random_bytes(size, static_cast<std::uint64_t>(size));
    const auto manifest = publish_weight("w", weight, *open_store(folder.path()));
    REQUIRE(manifest);
    CHECK(*manifest == describe_weight("w", weight));
    CHECK(manifest->chunks.size() == static_cast<std::size_t>((size + mib - 1) / mib));
    const auto store = open_store(folder.path()); // has verified nothing yet
    for (int round = 0; round < 2; ++round) {
      const auto mapped = map_weight(*store, *manifest);
      REQUIRE(mapped);
      CHECK(identical(*mapped, weight));
      CHECK(reinterpret_cast<std::uintptr_t>(mapped->data()) % storage_alignment == 0);
      CHECK(identical(*read_weight(*store, *manifest), weight));
    }
  }
}

TEST_CASE("a weight that is part of a larger storage is published from its offset") {
  test::temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto whole = random_bytes(2 * mib, 1);
  const tensor part({dtype::f32, {3, 5}}, whole.bytes_owner(), 4096);
  const auto manifest = publish_weight("part", part, *store);
  REQUIRE(manifest);
  CHECK(identical(*map_weight(*store, *manifest), part));
}

TEST_CASE("a mapped weight survives the deletion of its files and of the store") {
  test::temporary_folder folder;
  auto store = open_store(folder.path());
  const auto weight = random_bytes(2 * mib + 5, 2);
  const auto manifest = *publish_weight("w", weight, *store);
  const auto mapped = *map_weight(*store, manifest);
  for (const auto& chunk : manifest.chunks) store->remove(chunk);
  store.reset();
  CHECK(identical(mapped, weight));
}

TEST_CASE("a missing, short or corrupt chunk makes the weight not found and can be put back") {
  test::temporary_folder folder;
  const auto weight = random_bytes(3 * mib, 4);
  const auto manifest = *publish_weight("w", weight, *open_store(folder.path()));
  const auto path = chunk_path(folder.path(), manifest.chunks[1]);
  SUBCASE("missing") {
    std::filesystem::remove(path);
  }
  SUBCASE("short") {
    std::filesystem::resize_file(path, mib - 1);
  }
  SUBCASE("empty") {
    std::filesystem::resize_file(path, 0);
  }
  SUBCASE("corrupt") {
    std::filesystem::remove(path);
    std::filesystem::copy_file(chunk_path(folder.path(), manifest.chunks[0]), path);
  }
  const auto store = open_store(folder.path());
  const auto broken = map_weight(*store, manifest);
  REQUIRE_FALSE(broken);
  CHECK(broken.error().code() == errc::not_found);
  CHECK(broken.error().message().find("weight w: ") == 0);
  CHECK(store->missing(manifest.chunks) == std::vector{manifest.chunks[1]});
  REQUIRE(store->put(weight.bytes().subspan(mib, mib)));
  CHECK(identical(*map_weight(*store, manifest), weight));
}

TEST_CASE("a manifest whose parts disagree is refused") {
  const auto sound = describe_weight("w", random_bytes(mib + 1, 5));
  CHECK(check_manifest(sound));
  auto wrong = sound;
  wrong.bytes = mib;
  CHECK(check_manifest(wrong).error().code() == errc::malformed);
  wrong = sound;
  wrong.chunks.pop_back();
  CHECK(check_manifest(wrong).error().code() == errc::malformed);
  wrong = sound;
  wrong.type.dims = {-1};
  CHECK(check_manifest(wrong).error().code() == errc::malformed);
  wrong = sound;
  wrong.type.type = static_cast<dtype>(77);
  CHECK(check_manifest(wrong).error().code() == errc::malformed);
}

TEST_CASE("a model in memory serves its chunks without a copy, and its chunks fill a store") {
  memory_chunk_source memory;
  storage_ptr kept;
  const auto weight = random_bytes(2 * mib + 100, 6);
  const auto manifest = describe_weight("w", weight);
  REQUIRE(memory.add(manifest, weight));
  test::temporary_folder folder;
  const auto store = open_store(folder.path());
  for (std::size_t i = 0; i < manifest.chunks.size(); ++i) {
    REQUIRE(memory.contains(manifest.chunks[i]));
    const auto chunk = memory.read(manifest.chunks[i]);
    REQUIRE(chunk);
    CHECK((*chunk)->data() == weight.data() + i * chunk_bytes);
    REQUIRE(store->put(manifest.chunks[i], {(*chunk)->data(), (*chunk)->size()}));
  }
  CHECK(identical(*map_weight(*store, manifest), weight));
  CHECK_FALSE(memory.add(manifest, random_bytes(mib, 7)));
}

TEST_CASE("chunks that two weights share stay until both are removed") {
  memory_chunk_source memory;
  const auto weight = random_bytes(10, 8);
  const auto manifest = describe_weight("w", weight);
  REQUIRE(memory.add(manifest, weight));
  REQUIRE(memory.add(manifest, weight.clone()));
  memory.remove(manifest);
  CHECK(memory.read(manifest.chunks[0]));
  memory.remove(manifest);
  memory.remove(manifest);
  CHECK(memory.read(manifest.chunks[0]).error().code() == errc::not_found);
}

TEST_CASE("layers are asked in order and make up for each other") {
  test::temporary_folder folder;
  const auto memory = std::make_shared<memory_chunk_source>();
  const std::shared_ptr<chunk_store> disk = open_store(folder.path());
  layered_chunk_source both({memory, disk});
  const auto stage = tensor::of<std::uint8_t>({3}, {1, 2, 3});
  const auto in_memory = memory->add(stage.bytes_owner());
  const auto on_disk = *disk->put(bytes_of("on disk"));
  CHECK((*both.read(in_memory))->data() == stage.data());
  CHECK((*both.read(on_disk))->size() == 7);
  CHECK(both.contains(on_disk));
  const auto nowhere = sha256(bytes_of("nowhere"));
  CHECK_FALSE(both.contains(nowhere));
  CHECK(both.read(nowhere).error().code() == errc::not_found);
  CHECK(layered_chunk_source({}).read(nowhere).error().code() == errc::not_found);
}
