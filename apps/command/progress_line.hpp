#pragma once

#include <string_view>

namespace shoal {

/// A line on standard error that says what goes on, and is gone when it is over. Shows nothing
/// where standard error is no terminal. One thread at a time.
class progress_line {
 public:
  progress_line();
  ~progress_line();
  progress_line(const progress_line&) = delete;
  progress_line& operator=(const progress_line&) = delete;

  void show(std::string_view text);
  void clear();

 private:
  const bool enabled_;
  bool shown_ = false;
};

} // namespace shoal
