#include "apps/command/serving_flags.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace shoal {

void serving_flags::add_to(CLI::App& command) {
  command.add_option("--bind", bind, "Address to listen on; 127.0.0.1 keeps it to this machine")
      ->capture_default_str();
  command.add_option("--advertise", advertise, "Address by which others reach this process");
  command.add_option("--link-port", link_port, "Port for tensors; 0: any free one")
      ->capture_default_str();
  command.add_option("--cluster", cluster, "Name of the cluster")->capture_default_str();
  command.add_option("--codec", codec, "How tensors are sent: none, fp16 (lossy), zstd")
      ->check(CLI::IsMember({"none", "fp16", "zstd"}))
      ->capture_default_str();
  command.add_option("--cache", cache, "Folder where fetched weights are kept")
      ->capture_default_str();
  command.add_option("--cache-bytes", cache_bytes, "What they may take there")
      ->transform(CLI::AsSizeValue(false))
      ->capture_default_str();
  command.add_option("--log-level", log_level, "What is logged: info, warning, error or off")
      ->check(CLI::IsMember({"info", "warning", "error", "off"}))
      ->capture_default_str();
  command.add_flag("--no-discovery", no_discovery, "Do not use multicast on the local network");
}

process_options serving_flags::options(const std::string& advertised) const {
  process_options here;
  here.link.listen_host = bind;
  here.link.listen_port = link_port;
  here.link.advertised_host = advertise.empty() ? advertised : advertise;
  here.link.cluster_token = cluster;
  here.link.codec = {codec == "fp16", codec == "zstd"};
  here.cache_folder = cache;
  here.cache_bytes = cache_bytes;
  here.on_problem = problem_logger("tensor link");
  return here;
}

connection_problem problem_logger(std::string what) {
  return [what = std::move(what)](std::string_view remote, const error& why) {
    spdlog::warn("{}, {}: {}", what, remote, to_string(why));
  };
}

void set_up_logging(const std::string& level) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("shoal"));
  spdlog::set_level(spdlog::level::from_str(level));
}

} // namespace shoal
