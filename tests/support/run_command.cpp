#include "tests/support/run_command.hpp"

#include "runtime/base/file.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>

namespace shoal::test {
namespace {

std::string content_of(const std::filesystem::path& file) {
  auto text = read_file(file, 256 << 20);
  return text ? *std::move(text) : std::string();
}

} // namespace

command_outcome run_command(const std::filesystem::path& program,
                            const std::vector<std::string>& arguments,
                            std::chrono::seconds timeout) {
  const temporary_folder folder;
  command_outcome outcome;
  auto child =
      child_process::start(program, arguments, folder.path() / "out", folder.path() / "err");
  REQUIRE_MESSAGE(child, program.string());
  if ((*child)->wait(timeout)) {
    const int status = (*child)->status();
    if (WIFEXITED(status)) outcome.exit_code = WEXITSTATUS(status);
  } else {
    (*child)->signal(SIGKILL);
    (*child)->wait(std::chrono::seconds(5));
  }
  outcome.out = content_of(folder.path() / "out");
  outcome.err = content_of(folder.path() / "err");
  return outcome;
}

command_outcome run_shoal(const std::vector<std::string>& arguments, std::chrono::seconds timeout) {
  return run_command(SHOAL_COMMAND, arguments, timeout);
}

} // namespace shoal::test
