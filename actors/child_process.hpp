#pragma once

#include "runtime/base/result.hpp"

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace shoal {

/// A program that this process started, and that ends with it: by SIGTERM when the object goes,
/// by SIGKILL if that does not help within five seconds or this process dies.
class child_process {
 public:
  /// Standard output goes to the file `output` (empty: nowhere), standard error to `errors`
  /// (empty: that of this process).
  static result<std::unique_ptr<child_process>> start(const std::filesystem::path& program,
                                                      const std::vector<std::string>& arguments,
                                                      const std::filesystem::path& output = {},
                                                      const std::filesystem::path& errors = {});
  ~child_process();
  child_process(const child_process&) = delete;
  child_process& operator=(const child_process&) = delete;

  pid_t id() const { return id_; }
  bool running();
  void signal(int number) const;
  /// Waits until it has ended; false when it has not by then.
  bool wait(std::chrono::milliseconds timeout);
  /// As `waitpid` tells it; meaningful once it has ended.
  int status() const { return status_; }

 private:
  explicit child_process(pid_t id) : id_(id) {}

  pid_t id_;
  /// The child's parent, to the kernel: a child is killed when the thread that forked it ends.
  std::thread keeper_;
  std::promise<void> done_; ///< `keeper_` may end
  bool ended_ = false;
  int status_ = 0;
};

} // namespace shoal
