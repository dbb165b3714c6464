#include "runtime/base/sha256.hpp"
#include "runtime/store/chunk_folder.hpp"
#include "runtime/store/chunk_store.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <fstream>
#include <random>
#include <thread>

using namespace shoal;
namespace fs = std::filesystem;

namespace {

std::string random_text(std::mt19937_64& random, std::size_t size) {
  std::string text(size, '\0');
  for (auto& c : text) c = static_cast<char>(random());
  return text;
}

std::unique_ptr<chunk_store> open_store(const fs::path& root, std::uint64_t cap = 1 << 30) {
  chunk_store_options options;
  options.max_bytes = cap;
  auto store = chunk_store::open(root, options);
  REQUIRE(store);
  return *std::move(store);
}

std::string content(const storage_ptr& bytes) {
  return std::string(text_of({bytes->data(), bytes->size()}));
}

void set_last_use(const chunk_store& store, const digest& name, std::time_t seconds) {
  const timespec times[2] = {{seconds, 0}, {0, UTIME_OMIT}};
  REQUIRE(::utimensat(AT_FDCWD, chunk_path(store.root(), name).c_str(), times, 0) == 0);
}

void flip_byte(const fs::path& path, std::streamoff at) {
  fs::permissions(path, fs::perms::owner_write, fs::perm_options::add);
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekg(at);
  const char old = static_cast<char>(file.get());
  file.seekp(at);
  file.put(static_cast<char>(old ^ 1));
  REQUIRE(file.good());
}

std::size_t files_below(const fs::path& root) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root)) count += entry.is_regular_file();
  return count;
}

} // namespace

TEST_CASE("what is put is read back, by this store and by another on the same folder") {
  test::temporary_folder folder;
  const auto store = open_store(folder.path() / "new" / "store");
  const std::uint64_t seed = 21;
  CAPTURE(seed);
  std::mt19937_64 random(seed);
  for (const std::size_t size : {0, 1, 4095, 4096, 100'000, (1 << 20) + 1}) {
    const auto text = random_text(random, size);
    const auto name = store->put(bytes_of(text));
    REQUIRE(name);
    CHECK(*name == sha256(bytes_of(text)));
    CHECK(content(*store->read(*name)) == text);
    CHECK(content(*open_store(store->root())->read(*name)) == text);
    CHECK(store->contains(*name));
    CHECK(store->contains(*name, size));
    CHECK_FALSE(store->contains(*name, size + 1));
  }
}

TEST_CASE("the same bytes are stored once") {
  test::temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto first = *store->put(bytes_of("weights"));
  const auto before = fs::last_write_time(chunk_path(folder.path(), first));
  CHECK(*store->put(bytes_of("weights")) == first);
  CHECK(fs::last_write_time(chunk_path(folder.path(), first)) == before);
  CHECK(files_below(folder.path()) == 1);
  CHECK(store->used_bytes() == 7);
}

TEST_CASE("missing names what is not there, each once and in order") {
  test::temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto here = *store->put(bytes_of("here"));
  const auto a = sha256(bytes_of("a"));
  const auto b = sha256(bytes_of("b"));
  const std::array names{b, here, a, b, a};
  CHECK(store->missing(names) == std::vector{b, a});
  const auto absent = store->read(a);
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code() == errc::not_found);
}

TEST_CASE("a corrupt chunk is deleted, reported as not found, and can be put again") {
  test::temporary_folder folder;
  const std::string text(100'000, 'x');
  const auto name = *open_store(folder.path())->put(bytes_of(text));
  const auto path = chunk_path(folder.path(), name);
  const auto store = open_store(folder.path());
  SUBCASE("a byte differs") {
    flip_byte(path, 54'321);
  }
  SUBCASE("it was cut short") {
    fs::resize_file(path, 99'999);
  }
  SUBCASE("it is empty") {
    fs::resize_file(path, 0);
  }
  SUBCASE("it is too long") {
    fs::resize_file(path, 100'001);
  }
  const auto got = store->read(name);
  REQUIRE_FALSE(got);
  CHECK(got.error().code() == errc::not_found);
  CHECK(got.error().message().find("corrupt") != std::string::npos);
  CHECK_FALSE(fs::exists(path));
  REQUIRE(store->put(bytes_of(text)));
  CHECK(content(*store->read(name)) == text);
}

TEST_CASE("a chunk that changes after it was verified is verified again") {
  test::temporary_folder folder;
  const auto store = open_store(folder.path());
  const auto name = *store->put(bytes_of("verified"));
  REQUIRE(store->read(name));
  const auto path = chunk_path(folder.path(), name);
  flip_byte(path, 3);
  fs::last_write_time(path, fs::file_time_type::clock::now() + std::chrono::seconds(1));
  CHECK(store->read(name).error().code() == errc::not_found);
}

TEST_CASE("putting over a corrupt chunk repairs it") {
  test::temporary_folder folder;
  const auto name = *open_store(folder.path())->put(bytes_of("repair me"));
  flip_byte(chunk_path(folder.path(), name), 0);
  const auto store = open_store(folder.path());
  REQUIRE(store->put(bytes_of("repair me")));
  CHECK(content(*store->read(name)) == "repair me");
}

TEST_CASE("names that are not digests and links are neither followed nor touched") {
  test::temporary_folder folder;
  const auto root = folder.path() / "store";
  const auto outside = folder.path() / "outside";
  fs::create_directories(root / "ab");
  std::ofstream(outside) << "secret";
  std::ofstream(root / "README") << "hello";
  std::ofstream(root / "ab" / "short") << "hello";
  const auto name = sha256(bytes_of("secret"));
  fs::create_directories(chunk_path(root, name).parent_path());
  fs::create_symlink(outside, chunk_path(root, name));
  const auto store = open_store(root, 1);
  CHECK(store->used_bytes() == 0);
  CHECK_FALSE(store->contains(name));
  CHECK_FALSE(store->read(name));
  CHECK(fs::exists(outside));
  CHECK(fs::exists(root / "README"));
  CHECK(fs::exists(root / "ab" / "short"));
}

TEST_CASE("what a crashed writer left is deleted after an hour, not before") {
  test::temporary_folder folder;
  fs::create_directories(folder.path() / "ab");
  const auto old = folder.path() / "ab" / "chunk.1.unfinished";
  const auto fresh = folder.path() / "ab" / "chunk.2.unfinished";
  std::ofstream(old) << "half";
  std::ofstream(fresh) << "half";
  fs::last_write_time(old, fs::file_time_type::clock::now() - std::chrono::minutes(61));
  fs::last_write_time(fresh, fs::file_time_type::clock::now() - std::chrono::minutes(59));
  open_store(folder.path());
  CHECK_FALSE(fs::exists(old));
  CHECK(fs::exists(fresh));
}

TEST_CASE("beyond its cap the store deletes what was used least recently, but nothing pinned") {
  test::temporary_folder folder;
  const auto store = open_store(folder.path(), 10'000);
  std::vector<digest> names;
  for (int i = 0; i < 10; ++i) {
    names.push_back(*store->put(bytes_of(std::string(1000, static_cast<char>('a' + i)))));
    set_last_use(*store, names.back(), 1'000'000 + i);
  }
  auto pin = store->pin_chunks({names[0], names[1], names[0]});
  REQUIRE(store->read(names[2])); // now the most recent
  const auto newest = *store->put(bytes_of(std::string(1000, 'z')));
  CHECK(store->used_bytes() <= 10'000);
  CHECK(store->contains(names[0]));
  CHECK(store->contains(names[1]));
  CHECK(store->contains(names[2]));
  CHECK_FALSE(store->contains(names[3]));
  CHECK_FALSE(store->contains(names[4]));
  for (int i = 5; i < 10; ++i) CHECK(store->contains(names[static_cast<std::size_t>(i)]));
  CHECK(store->contains(newest));

  pin = {};
  set_last_use(*store, names[0], 1);
  for (char c = 'A'; c < 'D'; ++c) REQUIRE(store->put(bytes_of(std::string(1000, c))));
  CHECK_FALSE(store->contains(names[0]));
}

TEST_CASE("a store that is full of pinned chunks refuses more") {
  test::temporary_folder folder;
  const auto store = open_store(folder.path(), 3000);
  std::vector<digest> names;
  for (const char c : {'a', 'b', 'c'}) names.push_back(*store->put(bytes_of(std::string(900, c))));
  chunk_store::pin pin = store->pin_chunks(names);
  const auto refused = store->put(bytes_of(std::string(900, 'd')));
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code() == errc::resource_exhausted);
  CHECK(store->put(bytes_of(std::string(3001, 'e'))).error().code() == errc::resource_exhausted);
  for (const auto& name : names) CHECK(store->contains(name));
}

TEST_CASE("opening with a smaller cap makes the folder fit") {
  test::temporary_folder folder;
  {
    const auto store = open_store(folder.path());
    for (char c = 'a'; c < 'k'; ++c) REQUIRE(store->put(bytes_of(std::string(1000, c))));
  }
  const auto store = open_store(folder.path(), 5000);
  CHECK(store->used_bytes() <= 5000);
  CHECK(store->used_bytes() >= 4000);
}

TEST_CASE("processes and threads that write the same chunks at once agree") {
  test::temporary_folder folder;
  std::vector<std::string> texts;
  std::mt19937_64 random(5);
  for (int i = 0; i < 20; ++i) texts.push_back(random_text(random, 50'000));
  const auto write_all = [&] {
    const auto store = chunk_store::open(folder.path());
    if (!store) return false;
    for (int round = 0; round < 3; ++round)
      for (const auto& text : texts) {
        const auto name = (*store)->put(bytes_of(text));
        if (!name || !(*store)->read(*name)) return false;
      }
    return true;
  };
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(write_all() ? 0 : 1);
    children.push_back(child);
  }
  for (const auto child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  std::array<bool, 3> fine{};
  {
    std::vector<std::jthread> threads;
    for (auto& ok : fine) threads.emplace_back([&ok, &write_all] { ok = write_all(); });
  }
  CHECK(fine == std::array{true, true, true});
  CHECK(files_below(folder.path()) == texts.size());
}

TEST_CASE("threads that read, write and evict in one small store see sound chunks or none") {
  test::temporary_folder folder;
  const auto store = open_store(folder.path(), 60'000);
  std::array<int, 3> wrong{};
  {
    std::vector<std::jthread> threads;
    for (std::size_t t = 0; t < wrong.size(); ++t)
      threads.emplace_back([&, t] {
        std::mt19937_64 random(t);
        for (int i = 0; i < 300; ++i) {
          const std::string text(5000, static_cast<char>('a' + random() % 20));
          const auto name = store->put(bytes_of(text));
          const auto back = store->read(sha256(bytes_of(text)));
          wrong[t] += !name || (back && content(*back) != text) ||
                      (!back && back.error().code() != errc::not_found);
        }
      });
  }
  CHECK(wrong == std::array{0, 0, 0});
}

TEST_CASE("a full disk is a typed error that leaves no partial file") {
  test::temporary_folder folder;
  if (::mount("tmpfs", folder.path().c_str(), "tmpfs", 0, "size=1m") != 0) {
    MESSAGE("skipped: mounting a small file system is not permitted");
    return;
  }
  {
    const auto store = open_store(folder.path());
    std::vector<digest> names;
    chunk_store::pin pin;
    std::optional<error> failure;
    std::mt19937_64 random(3);
    for (int i = 0; i < 20 && !failure; ++i) {
      const auto name = store->put(bytes_of(random_text(random, 100'000)));
      if (name) {
        names.push_back(*name);
        pin = store->pin_chunks(names);
      } else {
        failure = name.error();
      }
    }
    REQUIRE(failure);
    CHECK(failure->code() == errc::resource_exhausted);
    CHECK(files_below(folder.path()) == names.size());
    for (const auto& name : names) CHECK(store->read(name));

    pin = {}; // what may be evicted makes room for new chunks
    const auto text = random_text(random, 100'000);
    const auto name = store->put(bytes_of(text));
    REQUIRE(name);
    CHECK(content(*store->read(*name)) == text);
  }
  CHECK(::umount2(folder.path().c_str(), MNT_DETACH) == 0);
}

TEST_CASE("a store whose place is taken by a file is a typed error") {
  test::temporary_folder folder;
  std::ofstream(folder.path() / "file") << "in the way";
  CHECK_FALSE(chunk_store::open(folder.path() / "file" / "store"));
  const auto store = open_store(folder.path() / "store");
  const auto name = sha256(bytes_of("x"));
  std::ofstream(chunk_path(store->root(), name).parent_path()) << "in the way";
  CHECK_FALSE(store->put(bytes_of("x")));
  CHECK_FALSE(store->contains(name));
}

TEST_CASE("a folder that may be read but not written serves what it has and refuses the rest") {
  test::temporary_folder folder;
  const auto name = *open_store(folder.path())->put(bytes_of("old"));
  fs::permissions(folder.path(), fs::perms(0555));
  const auto behaves = [&] {
    const auto store = chunk_store::open(folder.path());
    if (!store || !(*store)->read(name)) return false;
    const auto refused = (*store)->put(bytes_of("new"));
    return !refused && refused.error().code() == errc::io;
  };
  if (::geteuid() != 0) {
    CHECK(behaves());
  } else { // nothing is unwritable for root: as nobody, in a process of its own
    const pid_t child = ::fork();
    REQUIRE(child >= 0);
    if (child == 0) ::_exit(::setuid(65534) == 0 && behaves() ? 0 : 1);
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  fs::permissions(folder.path(), fs::perms::owner_all);
}
