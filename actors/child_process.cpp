#include "actors/child_process.hpp"

#include "runtime/base/fail.hpp"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <thread>

namespace shoal {

namespace {

result<pid_t> fork_and_run(const std::filesystem::path& program,
                           const std::vector<std::string>& arguments,
                           const std::filesystem::path& output,
                           const std::filesystem::path& errors) {
  std::vector<std::string> words{program.string()};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> argv;
  for (auto& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  const std::string target = output.empty() ? "/dev/null" : output.string();
  int exec_failed[2]; // closed by a successful exec, else carries errno
  if (pipe2(exec_failed, O_CLOEXEC) != 0)
    return fail(errc::io, "cannot make a pipe: {}", std::strerror(errno));
  const pid_t parent = getpid();
  const pid_t id = fork();
  if (id < 0) {
    close(exec_failed[0]);
    close(exec_failed[1]);
    return fail(errc::resource_exhausted, "cannot start {}: {}", program.string(),
                std::strerror(errno));
  }
  if (id == 0) { // only calls that are safe between fork and exec
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);
    const int sink = open(target.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (sink >= 0) dup2(sink, STDOUT_FILENO);
    const int complaints =
        errors.empty() ? -1 : open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (complaints >= 0) dup2(complaints, STDERR_FILENO);
    execv(argv[0], argv.data());
    const int reason = errno;
    [[maybe_unused]] const auto written = write(exec_failed[1], &reason, sizeof reason);
    _exit(127);
  }
  close(exec_failed[1]);
  int reason = 0;
  const auto got = read(exec_failed[0], &reason, sizeof reason);
  close(exec_failed[0]);
  if (got == sizeof reason) {
    waitpid(id, nullptr, 0);
    return fail(errc::not_found, "cannot run {}: {}", program.string(), std::strerror(reason));
  }
  return id;
}

} // namespace

result<std::unique_ptr<child_process>>
child_process::start(const std::filesystem::path& program,
                     const std::vector<std::string>& arguments, const std::filesystem::path& output,
                     const std::filesystem::path& errors) {
  std::promise<result<pid_t>> forked;
  auto outcome = forked.get_future();
  std::promise<void> done;
  std::thread keeper([&, forked = std::move(forked), until = done.get_future()]() mutable {
    forked.set_value(fork_and_run(program, arguments, output, errors));
    until.wait(); // nothing else of this call may be touched by now
  });
  auto id = outcome.get();
  if (!id) {
    done.set_value();
    keeper.join();
    return std::move(id).error();
  }
  auto child = std::unique_ptr<child_process>(new child_process(*id));
  child->keeper_ = std::move(keeper);
  child->done_ = std::move(done);
  return child;
}

child_process::~child_process() {
  signal(SIGTERM);
  if (!wait(std::chrono::seconds(5))) {
    signal(SIGKILL);
    wait(std::chrono::seconds(5));
  }
  done_.set_value();
  keeper_.join();
}

bool child_process::running() {
  return !wait(std::chrono::milliseconds(0));
}

void child_process::signal(int number) const {
  if (!ended_) kill(id_, number);
}

bool child_process::wait(std::chrono::milliseconds timeout) {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  while (!ended_) {
    if (waitpid(id_, &status_, WNOHANG) == id_)
      ended_ = true;
    else if (std::chrono::steady_clock::now() >= deadline)
      return false;
    else
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

} // namespace shoal
