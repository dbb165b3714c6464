#include "tests/support/paths.hpp"

#include <cstdlib>
#include <stdexcept>

namespace shoal::test {

std::filesystem::path source_file(const std::string& relative) {
  return std::filesystem::path(SHOAL_SOURCE_DIR) / relative;
}

std::optional<std::filesystem::path> shared_file(const std::string& relative) {
  const char* chosen = std::getenv("SHOAL_SHARED");
  const auto root = chosen != nullptr
                        ? std::filesystem::path(chosen)
                        : std::filesystem::path(SHOAL_SOURCE_DIR).parent_path() / "shared";
  auto path = root / relative;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return path;
}

temporary_folder::temporary_folder() {
  std::string name = (std::filesystem::temp_directory_path() / "shoal-test-XXXXXX").string();
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder in /tmp");
  path_ = name;
}

temporary_folder::~temporary_folder() {
  std::error_code ignored; // a leftover in /tmp is not worth failing a test for
  std::filesystem::remove_all(path_, ignored);
}

scoped_variable::scoped_variable(const char* name, const std::string& value) : name_(name) {
  if (const char* before = std::getenv(name)) before_ = before;
  ::setenv(name, value.c_str(), 1);
}

scoped_variable::~scoped_variable() {
  if (before_)
    ::setenv(name_, before_->c_str(), 1);
  else
    ::unsetenv(name_);
}

} // namespace shoal::test
