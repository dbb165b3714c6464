#include "apps/command/progress_line.hpp"

#include "runtime/plan/units.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdio>

namespace shoal {
namespace {

std::size_t terminal_width() {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20) return 80;
  return size.ws_col;
}

} // namespace

progress_line::progress_line() : enabled_(isatty(STDERR_FILENO) == 1) {}

progress_line::~progress_line() {
  clear();
}

void progress_line::show(std::string_view text) {
  if (!enabled_) return;
  std::fprintf(stderr, "\r\x1b[K%s ...", shorten_middle(text, terminal_width() - 5).c_str());
  std::fflush(stderr);
  shown_ = true;
}

void progress_line::clear() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

} // namespace shoal
