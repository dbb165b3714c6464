#include "apps/command/commands.hpp"
#include "apps/command/help_format.hpp"

#include <cstdio>

int main(int count, char** words) {
  CLI::App app("Shoal runs ONNX models over the machines at hand.", "shoal");
  app.formatter(std::make_shared<shoal::help_format>());
  app.require_subcommand(1);
  app.set_version_flag("--version", shoal::command_version());
  int exit_code = 0;
  shoal::add_bench_command(app, exit_code);
  shoal::add_compress_command(app, exit_code);
  shoal::add_demo_command(app, exit_code);
  shoal::add_ensemble_command(app, exit_code);
  shoal::add_head_command(app, exit_code);
  shoal::add_infer_command(app, exit_code);
  shoal::add_node_command(app, exit_code);
  shoal::add_plan_command(app, exit_code);
  shoal::add_status_command(app, exit_code);
  try {
    // CLI11 would only say that a subcommand is required.
    if (count > 1 && words[1][0] != '-' &&
        app.get_subcommands([&](CLI::App* one) { return one->check_name(words[1]); }).empty())
      throw CLI::ExtrasError("shoal", {words[1]});
    app.parse(count, words);
  } catch (const CLI::ParseError& e) {
    return app.exit(e) == 0 ? 0 : 2;
  }
  return exit_code;
}
