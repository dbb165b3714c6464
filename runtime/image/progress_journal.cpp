#include "runtime/image/progress_journal.hpp"

#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/image/window_cover.hpp"
#include "runtime/net/crc32c.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

namespace shoal {
namespace {

constexpr std::uint64_t max_journal_bytes = std::uint64_t{256} << 20;
constexpr std::size_t max_key = 4096;
constexpr std::string_view title = "shoal-progress 1 ";

std::string line_of(std::string_view content) {
  return fmt::format("{:08x} {}\n", crc32c(bytes_of(content)), content);
}

/// The content of the line at the beginning of `rest`, which is cut off there; nothing if it is not
/// whole.
std::optional<std::string_view> take_line(std::string_view& rest) {
  const auto end = rest.find('\n');
  if (end == std::string_view::npos || end < 9) return std::nullopt;
  const auto line = rest.substr(0, end);
  const auto content = line.substr(9);
  if (line_of(content) != rest.substr(0, end + 1)) return std::nullopt;
  rest.remove_prefix(end + 1);
  return content;
}

std::string window_content(const image_window& window) {
  return fmt::format("{} {} {} {}", window.x, window.y, window.width, window.height);
}

std::optional<image_window> parse_window(std::string_view content) {
  image_window window;
  const char* at = content.data();
  const char* const end = at + content.size();
  for (int* number : {&window.x, &window.y, &window.width, &window.height}) {
    if (at != end && *at == ' ') ++at;
    const auto parsed = std::from_chars(at, end, *number);
    if (parsed.ec != std::errc()) return std::nullopt;
    at = parsed.ptr;
  }
  if (at != end) return std::nullopt;
  return window;
}

std::string extent_content(const image_extent& extent) {
  return fmt::format("{} x {} x {}", extent.width, extent.height, extent.channels);
}

} // namespace

std::filesystem::path progress_journal::path_for(const std::filesystem::path& output) {
  auto path = output;
  path += ".progress";
  return path;
}

result<void> progress_journal::check_key(std::string_view key) {
  const bool printable = std::all_of(key.begin(), key.end(),
                                     [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
  if (!key.empty() && key.size() <= max_key && printable) return {};
  return fail(errc::invalid_argument,
              "a key of {} bytes{}: expected one line of 1 to {} printable characters", key.size(),
              printable ? "" : " with control characters", max_key);
}

result<progress_journal::found> progress_journal::read(const std::filesystem::path& path,
                                                       const image_extent& extent,
                                                       std::string_view key) {
  SHOAL_TRY(const auto text, read_file(path, max_journal_bytes));
  std::string_view rest = text;
  auto first = take_line(rest);
  if (!first || !first->starts_with(title))
    return fail(errc::malformed, "{} does not begin as a journal of progress", path.string());
  first->remove_prefix(title.size());
  const auto expected = fmt::format("{}: {}", extent_content(extent), key);
  if (*first != expected)
    return fail(errc::stale, "{} is of another run: expected '{}', got '{}'", path.string(),
                expected, *first);
  found result;
  window_cover cover(extent.width, extent.height);
  for (;;) {
    result.valid_bytes = text.size() - rest.size();
    const auto content = take_line(rest);
    const auto window = content ? parse_window(*content) : std::nullopt;
    if (!window || !check_window(*window, extent) || cover.overlap(*window)) return result;
    cover.add(*window);
    result.done.push_back(*window);
  }
}

result<progress_journal> progress_journal::create(const std::filesystem::path& path,
                                                  const image_extent& extent,
                                                  std::string_view key) {
  SHOAL_TRY(auto file, output_file::open(path, output_file::content::empty));
  progress_journal journal(std::move(file), 0);
  SHOAL_CHECK(journal.append(line_of(fmt::format("{}{}: {}", title, extent_content(extent), key))));
  return journal;
}

result<progress_journal> progress_journal::append_to(const std::filesystem::path& path,
                                                     std::uint64_t valid_bytes) {
  SHOAL_TRY(auto file, output_file::open(path, output_file::content::kept));
  SHOAL_CHECK(file.resize(valid_bytes));
  return progress_journal(std::move(file), valid_bytes);
}

result<void> progress_journal::add(std::span<const image_window> windows) {
  std::string lines;
  for (const auto& window : windows) lines += line_of(window_content(window));
  return append(lines);
}

result<void> progress_journal::append(const std::string& lines) {
  SHOAL_CHECK(file_.write_at(end_, bytes_of(lines)));
  end_ += lines.size();
  return file_.sync();
}

} // namespace shoal
