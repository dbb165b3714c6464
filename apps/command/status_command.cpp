#include "apps/command/commands.hpp"
#include "apps/command/runtime_flags.hpp"
#include "apps/command/status_view.hpp"
#include "apps/command/tensor_file.hpp"

#include <unistd.h>

#include <optional>
#include <thread>

namespace shoal {
namespace {

struct status_flags {
  runtime_flags where;
  double interval_s = 1;
  bool watch = false;
  bool json = false;
};

result<void> show(const status_flags& flags, const cluster_look& now, const cluster_look* before) {
  auto text = flags.json ? status_json(now, before) : status_tables(now, before);
  // On a terminal each look takes the place of the last one.
  if (flags.watch && !flags.json)
    text = isatty(STDOUT_FILENO) == 1 ? "\x1b[H\x1b[2J" + text : text + "\n";
  return write_bytes("-", bytes_of(text));
}

result<void> run_status(const status_flags& flags) {
  progress_line progress;
  SHOAL_TRY(const auto cluster, flags.where.open(progress));
  progress.clear();
  SHOAL_TRY(auto last, look_at(*cluster));
  const auto pause = std::chrono::duration<double>(flags.interval_s);
  if (flags.interval_s == 0) return show(flags, last, nullptr);
  if (flags.watch) SHOAL_CHECK(show(flags, last, nullptr));
  do {
    std::this_thread::sleep_for(pause);
    SHOAL_TRY(auto now, look_at(*cluster));
    SHOAL_CHECK(show(flags, now, &last));
    last = std::move(now);
  } while (flags.watch);
  return {};
}

} // namespace

void add_status_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("status", "Show the nodes of a cluster and what they do");
  auto flags = std::make_shared<status_flags>();
  flags->where.add_connect_to(*command);
  command->add_flag("--watch", flags->watch, "Look again and again, until interrupted");
  command
      ->add_option("--interval", flags->interval_s,
                   "Seconds between the two looks that rates are taken from; 0: one look, no rates")
      ->check(CLI::Range(0.0, 3600.0))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "One line of JSON per look");
  command->callback([flags, &exit_code] {
    if (flags->watch && flags->interval_s < 0.1)
      throw CLI::ValidationError("--watch", "the interval must be at least 0.1 seconds");
    exit_code = exit_code_of(run_status(*flags));
  });
}

} // namespace shoal
