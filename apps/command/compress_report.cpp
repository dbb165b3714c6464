#include "apps/command/compress_report.hpp"

#include "apps/command/text_table.hpp"
#include "runtime/plan/units.hpp"

#include <nlohmann/json.hpp>

namespace shoal {
namespace {

using nlohmann::ordered_json;

double ratio(double a, double b) {
  return b > 0 ? a / b : 0;
}

void add_difference(text_table& table, std::string_view where,
                    const std::optional<model_comparison>& compared) {
  if (!compared) return;
  const auto& d = compared->difference;
  table.add({std::string(where), fmt::format("{}", d.samples), fmt::format("{:.3g}", d.largest),
             fmt::format("{:.3g}", d.mean), fmt::format("{:.3g} %", d.relative_rms * 100),
             d.same_class ? fmt::format("{:.1f} %", *d.same_class * 100) : std::string("-"),
             human_seconds(compared->original_seconds), human_seconds(compared->changed_seconds),
             fmt::format("{:.2f}", ratio(compared->original_seconds, compared->changed_seconds))});
}

ordered_json json_of(const std::optional<model_comparison>& compared) {
  if (!compared) return {};
  const auto& d = compared->difference;
  return {{"samples", d.samples},
          {"largest_difference", d.largest},
          {"mean_difference", d.mean},
          {"relative_rms", d.relative_rms},
          {"same_class", d.same_class ? ordered_json(*d.same_class) : ordered_json()},
          {"original_ms", compared->original_seconds * 1e3},
          {"compressed_ms", compared->changed_seconds * 1e3}};
}

} // namespace

std::string compress_text(const compress_report& r) {
  auto text = fmt::format(
      "{}: {} -> {}\nsize: {} -> {} ({:.2f} of the original)\n", r.method, r.original.string(),
      r.written.string(), human_bytes(r.original_bytes), human_bytes(r.written_bytes),
      ratio(static_cast<double>(r.written_bytes), static_cast<double>(r.original_bytes)));
  if (r.quantized_nodes > 0)
    text += fmt::format("quantised: the weights of {} nodes, {} values between nodes\n",
                        r.quantized_nodes, r.quantized_values);
  if (!r.per_channel)
    text += "the weights of a node have one scale: one per channel needs a model of opset 13\n";
  text += fmt::format("zeros among the weights: {:.1f} % -> {:.1f} %\n", r.zeros_before * 100,
                      r.zeros_after * 100);
  text_table table(
      {"inputs", "runs", "largest", "mean", "relative", "same class", "before", "after", "speed"},
      {0});
  add_difference(table, "calibration", r.calibration);
  add_difference(table, "held out", r.held_out);
  return table.empty() ? text : text + "\n" + table.render();
}

std::string compress_json(const compress_report& r) {
  ordered_json out;
  out["method"] = r.method;
  out["original"] = r.original.string();
  out["written"] = r.written.string();
  out["original_bytes"] = r.original_bytes;
  out["written_bytes"] = r.written_bytes;
  out["quantized_nodes"] = r.quantized_nodes;
  out["quantized_values"] = r.quantized_values;
  out["per_channel"] = r.per_channel;
  out["zero_share"] = {{"before", r.zeros_before}, {"after", r.zeros_after}};
  out["calibration"] = json_of(r.calibration);
  out["held_out"] = json_of(r.held_out);
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

} // namespace shoal
