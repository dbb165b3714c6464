#include "runtime/image/tiff_sink.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/image/output_file.hpp"
#include "runtime/image/progress_journal.hpp"
#include "runtime/image/tiff_header.hpp"

#include <optional>
#include <system_error>

namespace shoal {
namespace {

/// Whether `path` is a file that begins with `header` and has its size.
result<void> check_output(const std::filesystem::path& path, const tiff_header& header) {
  SHOAL_TRY(const auto file, input_file::open(path));
  if (file.size() != header.file_bytes)
    return fail(errc::stale, "{} has {} bytes, not the {} that the run before has made",
                path.string(), file.size(), header.file_bytes);
  std::vector<std::byte> start(header.bytes.size());
  SHOAL_CHECK(file.read_at(0, start));
  if (start != header.bytes)
    return fail(errc::stale, "{} does not begin as the run before has made it", path.string());
  return {};
}

class tiff_sink final : public image_sink {
 public:
  tiff_sink(const std::filesystem::path& path, const image_extent& extent,
            const image_sink_options& options)
      : image_sink(extent), path_(path), journal_path_(progress_journal::path_for(path)),
        key_(options.key), checkpoint_bytes_(options.checkpoint_bytes),
        header_(make_tiff_header(extent)) {}

  ~tiff_sink() override {
    if (finished() || !file_) return;
    if (!key_.empty()) {
      (void)checkpoint(); // best effort: what is not on the disk is computed again
      return;
    }
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }

  result<void> open() {
    if (!key_.empty()) SHOAL_CHECK(progress_journal::check_key(key_));
    std::error_code unknown;
    const bool was_there = std::filesystem::exists(path_, unknown);
    SHOAL_TRY(file_, output_file::open(path_, output_file::content::kept)); // and locked
    auto earlier = find_earlier(was_there);
    if (earlier) return go_on(*std::move(earlier));
    const bool found = earlier.error().code() != errc::not_found;
    const bool is_journal = found && earlier.error().code() != errc::malformed;
    if (!key_.empty() && found) start_over(std::move(earlier).error());
    return begin(!key_.empty() || is_journal);
  }

  result<void> checkpoint() override {
    if (!journal_ || pending_.empty()) return {};
    SHOAL_CHECK(file_->sync());
    SHOAL_CHECK(journal_->add(pending_));
    pending_.clear();
    pending_bytes_ = 0;
    return {};
  }

 private:
  /// Without a key none can be resumed, but it is still told whether there is one.
  result<progress_journal::found> find_earlier(bool was_there) const {
    SHOAL_TRY(auto found, progress_journal::read(journal_path_, extent(), key_));
    if (!was_there) return fail(errc::not_found, "{} is gone", path_.string());
    SHOAL_CHECK(check_output(path_, header_));
    return found;
  }

  result<void> go_on(progress_journal::found earlier) {
    SHOAL_TRY(journal_, progress_journal::append_to(journal_path_, earlier.valid_bytes));
    resume(std::move(earlier.done));
    return {};
  }

  /// The journal of what was here goes before the file it is about, and comes after it.
  result<void> begin(bool drop_journal) {
    std::error_code failed;
    if (drop_journal) std::filesystem::remove(journal_path_, failed);
    if (failed) return system_error(failed.value(), "remove", journal_path_);
    SHOAL_CHECK(file_->resize(0));
    SHOAL_CHECK(file_->write_at(0, header_.bytes));
    SHOAL_CHECK(file_->resize(header_.file_bytes));
    if (key_.empty()) return {};
    SHOAL_CHECK(file_->sync());
    SHOAL_TRY(journal_, progress_journal::create(journal_path_, extent(), key_));
    return {};
  }

  result<void> store(const image_window& window, const image& pixels) override {
    const auto channels = static_cast<std::uint64_t>(extent().channels);
    const auto width = static_cast<std::uint64_t>(extent().width);
    auto rest = std::as_bytes(std::span(pixels.pixels));
    // Rows of the whole width lie behind each other.
    const auto step = window.width == extent().width
                          ? rest.size()
                          : static_cast<std::size_t>(window.width) * channels;
    for (auto y = static_cast<std::uint64_t>(window.y); !rest.empty(); ++y) {
      const auto at =
          header_.bytes.size() + (y * width + static_cast<std::uint64_t>(window.x)) * channels;
      SHOAL_CHECK(file_->write_at(at, rest.first(step)));
      rest = rest.subspan(step);
    }
    if (!journal_) return {};
    pending_.push_back(window);
    pending_bytes_ += pixels.pixels.size();
    if (pending_bytes_ < checkpoint_bytes_) return {};
    auto kept = checkpoint();
    if (!kept) pending_.pop_back(); // the caller may write it again
    return kept;
  }

  result<void> complete() override {
    if (journal_) SHOAL_CHECK(file_->sync());
    SHOAL_CHECK(file_->close());
    if (!journal_) return {};
    journal_.reset();
    std::error_code failed;
    std::filesystem::remove(journal_path_, failed);
    if (failed) return system_error(failed.value(), "remove", journal_path_);
    return {};
  }

  std::filesystem::path path_;
  std::filesystem::path journal_path_;
  std::string key_;
  std::uint64_t checkpoint_bytes_;
  tiff_header header_;
  std::optional<output_file> file_;
  std::optional<progress_journal> journal_;
  std::vector<image_window> pending_; ///< written, but not in the journal yet
  std::uint64_t pending_bytes_ = 0;
};

} // namespace

result<std::unique_ptr<image_sink>> create_tiff_sink(const std::filesystem::path& path,
                                                     const image_extent& extent,
                                                     const image_sink_options& options) {
  auto sink = std::make_unique<tiff_sink>(path, extent, options);
  SHOAL_CHECK(sink->open());
  return std::unique_ptr<image_sink>(std::move(sink));
}

} // namespace shoal
