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

} // namespace shoal::test
