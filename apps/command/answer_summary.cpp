#include "apps/command/answer_summary.hpp"

#include "apps/command/text_table.hpp"
#include "runtime/plan/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace shoal {
namespace {

struct value_range {
  double least = 0, greatest = 0, sum = 0;
  std::int64_t finite = 0;
  std::int64_t other = 0; ///< infinite or not a number
};

value_range range_of(const tensor& values) {
  value_range range;
  visit_dtype(values.element_type(), [&]<class T>(std::type_identity<T>) {
    for (const auto element : values.values<T>()) {
      double value = 0;
      if constexpr (std::is_arithmetic_v<T>)
        value = static_cast<double>(element);
      else
        value = static_cast<double>(static_cast<float>(element));
      if (!std::isfinite(value)) {
        ++range.other;
        continue;
      }
      value += 0.0; // -0 is shown as 0
      range.least = range.finite == 0 ? value : std::min(range.least, value);
      range.greatest = range.finite == 0 ? value : std::max(range.greatest, value);
      range.sum += value;
      ++range.finite;
    }
  });
  return range;
}

std::string time(std::uint64_t us) {
  return human_seconds(static_cast<double>(us) * 1e-6);
}

} // namespace

std::string describe_outputs(std::span<const std::string> names, std::span<const tensor> outputs) {
  text_table table({"output", "type", "min", "max", "mean", "not finite"}, {0, 1});
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const auto& output = outputs[i];
    const auto name = i < names.size() ? names[i] : fmt::format("{}", i);
    const auto range = range_of(output);
    std::vector<std::string> row{name, to_string(output.type()),      "-", "-",
                                 "-",  fmt::format("{}", range.other)};
    if (range.finite > 0) {
      row[2] = fmt::format("{:.6g}", range.least);
      row[3] = fmt::format("{:.6g}", range.greatest);
      row[4] = fmt::format("{:.6g}", range.sum / static_cast<double>(range.finite));
    }
    table.add(std::move(row));
  }
  return table.render();
}

std::string describe_trace(const inference& answer) {
  text_table table({"part", "stage", "node", "queue", "compute", "transfer", "received"}, {2});
  for (std::size_t p = 0; p < answer.parts.size(); ++p)
    for (std::size_t s = 0; s < answer.parts[p].size(); ++s) {
      const auto& stage = answer.parts[p][s];
      table.add({fmt::format("{}", p + 1), fmt::format("{}", s + 1),
                 to_string(stage.node).substr(0, 8), time(stage.queue_us), time(stage.compute_us),
                 time(stage.transfer_us), human_bytes(stage.bytes)});
    }
  return table.render() +
         fmt::format("request: {}, {} parts sent\n", time(answer.elapsed_us), answer.attempts);
}

std::string describe_tiles(const tile_report& report) {
  return fmt::format("{} tiles in {}, {} halved; compute {}, cutting and stitching {}\n",
                     report.tiles, time(report.elapsed_us), report.halved, time(report.compute_us),
                     time(report.stitch_us));
}

std::string describe_agreement(const ensemble& ran, const ensemble_inference& answer) {
  const auto names = ran.output_names();
  text_table agreed({"output", "agreement", "mean spread", "max spread"}, {0});
  for (std::size_t i = 0; i < answer.outputs.size(); ++i) {
    const auto& output = answer.outputs[i];
    std::vector<std::string> row{names[i], "-", "-", "-"};
    if (output.agreement) row[1] = fmt::format("{:.1f} %", 100 * *output.agreement);
    if (output.spread) {
      row[2] = fmt::format("{:.6g}", output.spread->mean);
      row[3] = fmt::format("{:.6g}", output.spread->max);
    }
    agreed.add(std::move(row));
  }
  text_table members({"member", "answer", "time", "parts sent"}, {0, 1});
  std::string reasons;
  for (const auto& m : answer.members) {
    const bool came = m.elapsed_us > 0;
    members.add({m.name, m.failure ? "missing" : "counts",
                 came ? human_seconds(static_cast<double>(m.elapsed_us) * 1e-6) : "-",
                 came ? fmt::format("{}", m.attempts) : "-"});
    if (m.failure) reasons += fmt::format("{}: {}\n", m.name, to_string(*m.failure));
  }
  return agreed.render() + members.render() + reasons;
}

} // namespace shoal
