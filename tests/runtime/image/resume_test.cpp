#include "runtime/base/file.hpp"
#include "runtime/image/image_sink.hpp"
#include "runtime/image/image_source.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/pictures.hpp"
#include "tests/support/tilings.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

using namespace shoal;
namespace fs = std::filesystem;

namespace {

constexpr image_extent extent{50, 40, 3};

image read_all(const fs::path& path) {
  const auto source = open_image_source(path);
  REQUIRE(source);
  auto picture = (*source)->read({0, 0, extent.width, extent.height});
  REQUIRE(picture);
  return *std::move(picture);
}

/// A picture, how it is cut, and where it goes.
struct job {
  test::temporary_folder folder;
  fs::path path = folder.path() / "a.tif";
  fs::path journal = folder.path() / "a.tif.progress";
  image picture;
  std::vector<image_window> tiling;
  image_sink_options options{.key = "photo.png through model 12ab", .checkpoint_bytes = 0};

  explicit job(std::uint64_t seed) {
    std::mt19937_64 random(seed);
    picture = test::random_picture(extent.width, extent.height, extent.channels, random);
    tiling = test::random_tiling(extent.width, extent.height, random);
  }

  result<void> write(image_sink& sink, std::size_t first, std::size_t end) const {
    for (auto i = first; i < end; ++i)
      SHOAL_CHECK(sink.write(tiling[i], test::part_of(picture, tiling[i])));
    return {};
  }

  /// Writes what `sink` does not have yet, finishes it, and checks the result.
  void complete(image_sink& sink) const {
    for (const auto& window : tiling)
      if (std::find(sink.done().begin(), sink.done().end(), window) == sink.done().end())
        REQUIRE(sink.write(window, test::part_of(picture, window)));
    REQUIRE(sink.finish());
    CHECK(read_all(path) == picture);
    CHECK_FALSE(fs::exists(journal));
  }

  void check_done(const image_sink& sink, std::size_t count) const {
    REQUIRE(sink.done().size() == count);
    CHECK(std::equal(sink.done().begin(), sink.done().end(), tiling.begin()));
    CHECK_FALSE(sink.started_over());
  }
};

} // namespace

TEST_CASE("a TIFF is resumed after a stop at any window") {
  job work(101);
  REQUIRE(work.tiling.size() >= 5);
  for (std::size_t stop = 0; stop <= work.tiling.size(); ++stop) {
    CAPTURE(stop);
    {
      const auto sink = *create_image_sink(work.path, extent, work.options);
      CHECK(sink->done().empty());
      REQUIRE(work.write(*sink, 0, stop));
    }
    const auto again = create_image_sink(work.path, extent, work.options);
    REQUIRE(again);
    work.check_done(**again, stop);
    if (stop > 0) // what is done counts as written
      CHECK((*again)
                ->write(work.tiling[0], test::part_of(work.picture, work.tiling[0]))
                .error()
                .code() == errc::invalid_argument);
    work.complete(**again);
  }
}

TEST_CASE("a crash at any window loses only what no checkpoint has covered") {
  for (const std::size_t every : {std::size_t{1}, std::size_t{3}}) {
    job work(102);
    if (every > 1) work.options.checkpoint_bytes = std::uint64_t{1} << 40; // by hand
    test::temporary_folder copies;
    const auto sink = *create_image_sink(work.path, extent, work.options);
    std::size_t covered = 0;
    for (std::size_t i = 0; i <= work.tiling.size(); ++i) {
      CAPTURE(every);
      CAPTURE(i);
      if (every == 1) covered = i;
      if (every > 1 && i % every == 0) {
        REQUIRE(sink->checkpoint());
        covered = i;
      }
      // What a crash would leave, with rubbish where nothing was promised.
      job crashed(102);
      fs::copy_file(work.path, crashed.path);
      fs::copy_file(work.journal, crashed.journal);
      const auto again = *create_image_sink(crashed.path, extent, work.options);
      crashed.check_done(*again, covered);
      crashed.complete(*again);
      if (i < work.tiling.size()) REQUIRE(work.write(*sink, i, i + 1));
    }
    REQUIRE(sink->finish());
  }
}

TEST_CASE("another key, another size or a changed picture starts over and says why") {
  job work(103);
  const auto begin = [&] {
    std::error_code ignored;
    fs::remove(work.path, ignored);
    fs::remove(work.journal, ignored);
    const auto sink = *create_image_sink(work.path, extent, work.options);
    REQUIRE(work.write(*sink, 0, 3));
  };
  const auto reason = [&](const image_sink_options& options, const image_extent& size = extent) {
    const auto sink = create_image_sink(work.path, size, options);
    REQUIRE(sink);
    CHECK((*sink)->done().empty());
    REQUIRE((*sink)->started_over());
    if (size == extent) work.complete(**sink);
    return *(*sink)->started_over();
  };

  begin();
  const auto other_key = reason({.key = "another photo"});
  CHECK(other_key.code() == errc::stale);
  CHECK(other_key.message() == work.journal.string() +
                                   " is of another run: expected '50 x 40 x 3: another photo', got "
                                   "'50 x 40 x 3: photo.png through model 12ab'");
  begin();
  CHECK(reason(work.options, {50, 41, 3}).message().find("got '50 x 40 x 3: photo") !=
        std::string::npos);
  begin();
  const auto size = fs::file_size(work.path);
  fs::resize_file(work.path, 1000);
  const auto cut = reason(work.options);
  CHECK(cut.code() == errc::stale);
  CHECK(cut.message() == fmt::format("{} has 1000 bytes, not the {} that the run before has made",
                                     work.path.string(), size));
  begin();
  REQUIRE(replace_file(work.path, std::array{bytes_of(std::string(size, 'x'))}));
  CHECK(reason(work.options).message().find("does not begin as the run before has made it") !=
        std::string::npos);
  begin();
  REQUIRE(replace_file(work.journal, std::array{bytes_of("my notes\n")}));
  const auto notes = reason(work.options);
  CHECK(notes.code() == errc::malformed);
  CHECK(notes.message().find("does not begin as a journal of progress") != std::string::npos);

  // A picture that is gone has nothing to start over.
  begin();
  fs::remove(work.path);
  const auto sink = *create_image_sink(work.path, extent, work.options);
  CHECK(sink->done().empty());
  CHECK_FALSE(sink->started_over());
}

TEST_CASE("the valid beginning of a journal that is cut or broken is used") {
  job work(104);
  {
    const auto sink = *create_image_sink(work.path, extent, work.options);
    REQUIRE(work.write(*sink, 0, 4));
  }
  const auto whole = *read_file(work.journal, 1 << 20);
  const auto picture = *read_file(work.path, 1 << 20);
  const auto done_with = [&](const std::string& journal) -> std::size_t {
    REQUIRE(replace_file(work.journal, std::array{bytes_of(journal)}));
    REQUIRE(replace_file(work.path, std::array{bytes_of(picture)}));
    const auto sink = create_image_sink(work.path, extent, work.options);
    REQUIRE(sink);
    const auto count = (*sink)->done().size();
    CHECK(std::equal((*sink)->done().begin(), (*sink)->done().end(), work.tiling.begin()));
    work.complete(**sink);
    return count;
  };
  const auto lines = [](std::string_view text) {
    return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  };
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    const auto kept = lines(std::string_view(whole).substr(0, size));
    CHECK(done_with(whole.substr(0, size)) == (kept == 0 ? 0 : kept - 1));
  }
  for (std::size_t at = 0; at < whole.size(); ++at) {
    auto broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 1);
    const auto before = lines(std::string_view(whole).substr(0, at));
    CHECK(done_with(broken) == (before == 0 ? 0 : before - 1));
  }
  // A window twice: the second line is not one that was written.
  const auto last_line = whole.substr(whole.rfind('\n', whole.size() - 2) + 1);
  CHECK(done_with(whole + last_line) == 4);
}

TEST_CASE("a file that is being written is not written a second time") {
  job work(106);
  const auto sink = *create_image_sink(work.path, extent, work.options);
  REQUIRE(work.write(*sink, 0, 2));
  for (const auto& options : {work.options, image_sink_options{}}) {
    const auto second = create_image_sink(work.path, extent, options);
    REQUIRE_FALSE(second);
    CHECK(second.error().code() == errc::io);
    CHECK(second.error().message() ==
          fmt::format("cannot write {}: something else is writing it", work.path.string()));
  }
  REQUIRE(work.write(*sink, 2, work.tiling.size()));
  CHECK(sink->finish());
  CHECK(read_all(work.path) == work.picture);
}

TEST_CASE("without a key an earlier journal is dropped, and a file that is none is left alone") {
  job work(107);
  REQUIRE(work.write(**create_image_sink(work.path, extent, work.options), 0, 2));
  REQUIRE(fs::exists(work.journal));
  {
    const auto sink = *create_image_sink(work.path, extent);
    CHECK_FALSE(fs::exists(work.journal));
    CHECK(sink->done().empty());
    CHECK_FALSE(sink->started_over());
    work.complete(*sink);
  }
  REQUIRE(replace_file(work.journal, std::array{bytes_of("my notes\n")}));
  const auto sink = *create_image_sink(work.path, extent);
  REQUIRE(work.write(*sink, 0, work.tiling.size()));
  CHECK(sink->finish());
  CHECK(*read_file(work.journal, 100) == "my notes\n");
}

TEST_CASE("a PNG is not resumed, and a key that is no line is refused") {
  job work(105);
  const auto path = work.folder.path() / "a.png";
  {
    const auto sink = *create_image_sink(path, extent, work.options);
    REQUIRE(work.write(*sink, 0, 2));
  }
  CHECK((*create_image_sink(path, extent, work.options))->done().empty());
  for (const auto& key : {std::string("two\nlines"), std::string(5000, 'x')}) {
    const auto sink = create_image_sink(work.path, extent, {.key = key});
    REQUIRE_FALSE(sink);
    CHECK(sink.error().code() == errc::invalid_argument);
    CHECK(sink.error().message() ==
          fmt::format("a key of {} bytes{}: expected one line of 1 to 4096 printable characters",
                      key.size(), key.size() < 100 ? " with control characters" : ""));
  }
}
