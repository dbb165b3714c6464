#pragma once

#include <filesystem>
#include <optional>
#include <string>

namespace shoal::test {

/// A file of the source tree.
std::filesystem::path source_file(const std::string& relative);

/// A file or folder of the optional `shared` folder beside the checkout (real models and
/// photographs); SHOAL_SHARED overrides where that is. Empty when absent: the test says that it was
/// skipped, with `MESSAGE`, and returns.
std::optional<std::filesystem::path> shared_file(const std::string& relative);

/// A fresh folder that is deleted, with all in it, at the end of its life.
class temporary_folder {
 public:
  temporary_folder();
  ~temporary_folder();
  temporary_folder(const temporary_folder&) = delete;
  temporary_folder& operator=(const temporary_folder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// An environment variable of this process, and of those it starts, with another value while this
/// lives.
class scoped_variable {
 public:
  scoped_variable(const char* name, const std::string& value);
  ~scoped_variable();
  scoped_variable(const scoped_variable&) = delete;
  scoped_variable& operator=(const scoped_variable&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

} // namespace shoal::test
