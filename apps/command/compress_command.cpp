#include "apps/command/commands.hpp"
#include "apps/command/compress_report.hpp"
#include "apps/command/parsed_option.hpp"
#include "apps/command/progress_line.hpp"
#include "apps/command/sample_folder.hpp"
#include "apps/command/tensor_file.hpp"
#include "runtime/base/fail.hpp"
#include "runtime/base/file.hpp"
#include "runtime/compress/quantize_model.hpp"
#include "runtime/compress/shrink_weights.hpp"
#include "runtime/graph/onnx_export.hpp"
#include "runtime/graph/onnx_import.hpp"

namespace shoal {
namespace {

struct compress_flags {
  std::filesystem::path model, output, calibrate, held_out;
  bool int8 = false, fp16 = false, bf16 = false, json = false;
  double prune = 0;
  double percentile = 100;
  bool entropy = false;
  int threads = 1;
  std::size_t runs = 20;
  image_flags pictures;

  std::string method() const {
    std::string name = int8 ? "int8" : fp16 ? "fp16" : bf16 ? "bf16" : "";
    if (prune > 0) name += fmt::format("{}pruned", name.empty() ? "" : "-");
    return name;
  }
  std::filesystem::path target() const {
    if (!output.empty()) return output;
    auto beside = model;
    return beside.replace_extension(method() + ".onnx");
  }
};

/// Inputs to calibrate with, and others to judge the result by.
struct sample_sets {
  std::vector<model_sample> calibration, held_out;
};

/// Without a folder of its own, every fourth input is held out.
result<sample_sets> read_sets(const compress_flags& flags, const graph& model) {
  sample_sets sets;
  if (flags.calibrate.empty()) return sets;
  SHOAL_TRY(sets.calibration, read_samples(flags.calibrate, model, flags.pictures));
  if (!flags.held_out.empty()) {
    SHOAL_TRY(sets.held_out, read_samples(flags.held_out, model, flags.pictures));
    return sets;
  }
  auto all = std::exchange(sets.calibration, {});
  for (std::size_t i = 0; i < all.size(); ++i)
    (i % 4 == 3 ? sets.held_out : sets.calibration).push_back(std::move(all[i]));
  return sets;
}

result<graph> compress(const compress_flags& flags, const graph& original, const sample_sets& sets,
                       compress_report& report) {
  graph model = original;
  if (flags.prune > 0) {
    SHOAL_TRY(model, with_pruned_weights(model, flags.prune));
  }
  if (flags.int8) {
    SHOAL_TRY(auto made,
              quantize_model(model, sets.calibration,
                             {.rule = flags.entropy ? range_rule::entropy : range_rule::percentile,
                              .percentile = flags.percentile,
                              .threads = flags.threads}));
    report.quantized_nodes = made.quantized_nodes;
    report.quantized_values = made.quantized_values;
    report.per_channel = made.per_channel;
    return std::move(made.model);
  }
  if (flags.fp16 || flags.bf16)
    return with_half_weights(model, flags.fp16 ? dtype::f16 : dtype::bf16);
  return model;
}

result<std::optional<model_comparison>> compare(const compress_flags& flags, const graph& original,
                                                const graph& changed,
                                                const std::vector<model_sample>& samples) {
  if (samples.empty()) return std::optional<model_comparison>();
  SHOAL_TRY(auto compared, compare_models(original, changed, samples, flags.threads, flags.runs));
  return std::optional(compared);
}

/// As in all constants: what is in files beside the model counts, too.
std::uint64_t bytes_of_model(const std::filesystem::path& file, const imported_model& model) {
  std::error_code ignored;
  const auto own = std::filesystem::file_size(file, ignored);
  return std::max<std::uint64_t>(ignored ? 0 : own, model.parameter_bytes);
}

result<void> run_compress(const compress_flags& flags) {
  progress_line progress;
  progress.show("reading the model");
  SHOAL_TRY(const auto imported, import_onnx_file(flags.model));
  const auto& original = *imported.model;
  SHOAL_TRY(const auto sets, read_sets(flags, original));
  compress_report report;
  report.method = flags.method();
  report.original = flags.model;
  report.written = flags.target();
  progress.show("compressing");
  SHOAL_TRY(const auto changed, compress(flags, original, sets, report));
  SHOAL_CHECK(export_onnx_file(changed, report.written));
  // What is judged is what was written.
  SHOAL_TRY(const auto written, import_onnx_file(report.written));
  report.original_bytes = bytes_of_model(flags.model, imported);
  report.written_bytes = bytes_of_model(report.written, written);
  report.zeros_before = zero_share(original);
  report.zeros_after = zero_share(changed);
  progress.show("comparing");
  SHOAL_TRY(report.calibration, compare(flags, original, *written.model, sets.calibration));
  SHOAL_TRY(report.held_out, compare(flags, original, *written.model, sets.held_out));
  progress.clear();
  return write_bytes("-", bytes_of(flags.json ? compress_json(report) : compress_text(report)));
}

void add_method_flags(CLI::App& command, compress_flags& flags) {
  auto* int8 = command.add_flag("--int8", flags.int8,
                                "8-bit integers: weights per output channel, activations by the "
                                "ranges seen on the inputs of --calibrate");
  auto* fp16 = command.add_flag("--fp16", flags.fp16, "Weights as float16");
  auto* bf16 = command.add_flag("--bf16", flags.bf16, "Weights as bfloat16");
  int8->excludes(fp16)->excludes(bf16);
  fp16->excludes(bf16);
  command
      .add_option("--prune", flags.prune,
                  "Set the so large share of each node's weights, the smallest ones, to zero")
      ->check(CLI::Range(0.0, 0.999));
  auto* percentile =
      command
          .add_option("--percentile", flags.percentile,
                      "Share of the numbers seen, in percent, that a range holds; 100 is from the "
                      "least to the greatest")
          ->check(CLI::Range(50.0, 100.0))
          ->needs(int8)
          ->capture_default_str();
  command
      .add_flag("--entropy", flags.entropy,
                "Ranges in which 256 values are distributed most like the numbers seen, by their "
                "Kullback-Leibler divergence: rare extremes are left out where that tells the "
                "others apart better")
      ->needs(int8)
      ->excludes(percentile);
}

} // namespace

void add_compress_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("compress", "Write a smaller model, and how good it is");
  auto flags = std::make_shared<compress_flags>();
  command->add_option("model", flags->model, "ONNX file")->required()->type_name("FILE");
  add_method_flags(*command, *flags);
  command
      ->add_option(
          "--calibrate", flags->calibrate,
          "Folder of inputs, a file each; for models of several inputs, a folder each with "
          "NAME.npy inside. Every fourth is held out, unless --held-out is given")
      ->type_name("DIR");
  command
      ->add_option("--held-out", flags->held_out,
                   "Folder of inputs that the result is judged by alone")
      ->type_name("DIR");
  command->add_option("--output", flags->output, "Default: beside the model, as in M.int8.onnx")
      ->type_name("FILE");
  command->add_option("--threads", flags->threads, "Compute threads")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();
  command->add_option("--runs", flags->runs, "Runs of each model that are timed")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  command->add_flag("--json", flags->json, "Print the report as JSON");
  flags->pictures.add_to(*command);
  command->callback([flags, &exit_code] {
    if (flags->method().empty())
      throw CLI::ValidationError("compress", "one of --int8, --fp16, --bf16 and --prune is needed");
    if (flags->int8 && flags->calibrate.empty())
      throw CLI::ValidationError("--int8", "--calibrate is needed");
    exit_code = exit_code_of(run_compress(*flags));
  });
}

} // namespace shoal
