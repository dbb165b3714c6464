#include "tests/support/run_command.hpp"

#include "actors/shoal.hpp"
#include "runtime/base/file.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

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

command_cluster::command_cluster(const std::filesystem::path& folder, int nodes,
                                 const std::vector<std::string>& node_flags)
    : folder_(folder) {
  children_.push_back(start_head());
  for (int n = 0; n < nodes; ++n) {
    const auto name = "node-" + std::to_string(n);
    std::vector<std::string> words{
        "node",      "--bind", "127.0.0.1", "--join", address(), "--no-discovery",        "--once",
        "--threads", "1",      "--name",    name,     "--cache", (folder / name).string()};
    words.insert(words.end(), node_flags.begin(), node_flags.end());
    auto child = child_process::start(SHOAL_COMMAND, words, {}, folder / (name + ".err"));
    REQUIRE(child);
    children_.push_back(*std::move(child));
  }
  if (nodes > 0) wait_for_nodes(static_cast<std::size_t>(nodes));
}

command_cluster::~command_cluster() {
  while (!children_.empty()) children_.pop_back(); // nodes first: they leave in good order
}

std::string command_cluster::address() const {
  return "127.0.0.1:" + std::to_string(port_);
}

void command_cluster::replace_head() {
  auto& head = children_.front();
  head->signal(SIGKILL);
  REQUIRE(head->wait(std::chrono::seconds(10)));
  head = start_head();
}

std::unique_ptr<child_process> command_cluster::start_head() {
  const auto port_file = folder_ / "port";
  std::filesystem::remove(port_file);
  auto child = child_process::start(SHOAL_COMMAND,
                                    {"head", "--bind", "127.0.0.1", "--port", std::to_string(port_),
                                     "--port-file", port_file.string(), "--no-discovery", "--cache",
                                     (folder_ / "head").string()},
                                    {}, folder_ / "head.err");
  REQUIRE(child);
  std::string text;
  for (int tries = 0; tries < 600 && text.empty() && (*child)->running(); ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    text = content_of(port_file);
  }
  REQUIRE_MESSAGE(!text.empty(), content_of(folder_ / "head.err"));
  port_ = static_cast<std::uint16_t>(std::stoi(text));
  return *std::move(child);
}

void command_cluster::wait_for_nodes(std::size_t count) const {
  const auto cluster = runtime::connect("127.0.0.1", port_);
  REQUIRE(cluster);
  std::size_t joined = 0;
  for (int tries = 0; tries < 600 && joined < count; ++tries) {
    const auto now = (*cluster)->status();
    REQUIRE(now);
    joined = now->nodes.size();
    if (joined < count) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  REQUIRE(joined == count);
}

} // namespace shoal::test
