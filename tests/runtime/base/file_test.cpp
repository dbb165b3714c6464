#include "runtime/base/file.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <array>

using namespace shoal;

namespace {

std::size_t files_in(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder)) ++count;
  return count;
}

} // namespace

TEST_CASE("a replaced file holds the new parts and nothing is left beside it") {
  test::temporary_folder folder;
  const auto path = folder.path() / "file";
  for (const auto sync : {durability::cached, durability::synced}) {
    const std::array parts{bytes_of("one "), byte_span{}, bytes_of("two")};
    REQUIRE(replace_file(path, parts, sync));
    CHECK(*read_file(path, 7) == "one two");
    REQUIRE(replace_file(path, {}, sync));
    CHECK(read_file(path, 7)->empty());
    CHECK(files_in(folder.path()) == 1);
  }
}

TEST_CASE("what cannot be read is refused with a typed error") {
  test::temporary_folder folder;
  const auto path = folder.path() / "file";
  const std::array parts{bytes_of("12345678")};
  REQUIRE(replace_file(path, parts));
  CHECK(read_file(path, 7).error().code() == errc::resource_exhausted);
  CHECK(read_file(folder.path() / "none", 7).error().code() == errc::not_found);
  CHECK(read_file(folder.path(), 7).error().code() == errc::io);
  const auto pipe = folder.path() / "pipe";
  REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  CHECK(read_file(pipe, 7).error().code() == errc::io); // and does not wait for a writer
  std::array<std::byte, 9> buffer;
  CHECK(input_file::open(path)->read_at(0, buffer).error().code() == errc::malformed);
}

TEST_CASE("a link is followed only when allowed, and a folder that is absent is an error") {
  test::temporary_folder folder;
  const auto path = folder.path() / "file";
  REQUIRE(replace_file(path, std::array{bytes_of("x")}));
  std::filesystem::create_symlink(path, folder.path() / "link");
  CHECK(input_file::open(folder.path() / "link"));
  CHECK(input_file::open(folder.path() / "link", input_file::links::refuse).error().code() ==
        errc::io);
  CHECK(replace_file(folder.path() / "no" / "file", {}).error().code() == errc::not_found);
}

TEST_CASE("replacing a file changes its identity") {
  test::temporary_folder folder;
  const auto path = folder.path() / "file";
  REQUIRE(replace_file(path, std::array{bytes_of("x")}));
  const auto first = input_file::open(path);
  CHECK(input_file::open(path)->identity() == first->identity());
  REQUIRE(replace_file(path, std::array{bytes_of("y")}));
  CHECK_FALSE(input_file::open(path)->identity() == first->identity());
}
