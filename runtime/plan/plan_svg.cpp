#include "runtime/plan/plan_svg.hpp"

#include "runtime/plan/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

namespace shoal {

namespace {

constexpr double page_width = 1440;
constexpr double margin = 40;
constexpr double gap = 62;       // between two stages, for an arrow and its bytes
constexpr double min_block = 84; // enough for a short label
constexpr double row_height = 290;
constexpr double block_height = 150;
constexpr std::size_t most_per_row = 8;
constexpr double top = 112;
constexpr double character_width = 6.4; // of the 11 px font, on the wide side

/// Dark enough for white text, apart from each other for most kinds of colour vision.
constexpr std::array<std::string_view, 8> colours{"#2b6ca3", "#b3541e", "#2f7d5b", "#7a4fa0",
                                                  "#a33b56", "#5c6b1f", "#1f7a86", "#6b5344"};

std::string escaped(std::string_view text) {
  std::string safe;
  for (const char c : text) {
    switch (c) {
    case '&':
      safe += "&amp;";
      break;
    case '<':
      safe += "&lt;";
      break;
    case '>':
      safe += "&gt;";
      break;
    case '"':
      safe += "&quot;";
      break;
    case '\'':
      safe += "&#39;";
      break;
    default:
      safe += static_cast<unsigned char>(c) < 0x20 ? ' ' : c; // XML 1.0 has no controls
    }
  }
  return safe;
}

std::string label(double x, double y, std::string_view style, std::string_view text) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" class=\"{}\">{}</text>\n", x, y, style,
                     escaped(text));
}

/// Text that keeps to a width.
std::string fitted(std::string_view text, double width) {
  return shorten_middle(text, static_cast<std::size_t>(std::max(1.0, width / character_width)));
}

std::string arrow(double from, double to, double y) {
  return fmt::format("<path d=\"M{:.1f} {:.1f}H{:.1f}\" class=\"arrow\"/>\n", from, y, to);
}

struct placed_block {
  double x = 0;
  double y = 0;
  double width = 0;
};

std::size_t rows_of(const execution_plan& plan) {
  return (plan.stages.size() + most_per_row - 1) / most_per_row;
}

/// How many stages each row has, the last perhaps fewer.
std::size_t stages_per_row(const execution_plan& plan) {
  const auto rows = std::max<std::size_t>(rows_of(plan), 1);
  return (plan.stages.size() + rows - 1) / rows;
}

/// Rows of at most eight stages; in a row the width that is left over is shared out by time.
std::vector<placed_block> place(const execution_plan& plan) {
  std::vector<placed_block> blocks;
  const auto count = plan.stages.size();
  const auto per_row = stages_per_row(plan);
  for (std::size_t first = 0; first < count; first += per_row) {
    const auto last = std::min(count, first + per_row);
    double seconds = 0;
    for (auto s = first; s < last; ++s) seconds += plan.stages[s].expected_seconds;
    const auto here = static_cast<double>(last - first);
    const auto spare = page_width - 2 * margin - (here + 1) * gap - here * min_block;
    double x = margin + gap;
    for (auto s = first; s < last; ++s) {
      const auto share = seconds > 0 ? plan.stages[s].expected_seconds / seconds : 1 / here;
      const auto row = static_cast<double>(first / per_row);
      blocks.push_back({x, top + row * row_height, min_block + spare * share});
      x += blocks.back().width + gap;
    }
  }
  return blocks;
}

/// One bar per layer, as wide as its share of the stage and as high as its time among all layers.
std::string layer_bars(const plan_stage& stage, const cost_model& model, const placed_block& block,
                       double slowest) {
  constexpr double inset = 6;
  const auto whole = model.segment(stage.first_layer, stage.last_layer).seconds;
  const auto count = static_cast<double>(stage.last_layer - stage.first_layer);
  const auto width = block.width - 2 * inset;
  const auto bottom = block.y + block_height - inset;
  constexpr double tallest = block_height - 46;
  double x = block.x + inset;
  std::string svg;
  for (auto i = stage.first_layer; i < stage.last_layer; ++i) {
    const auto& layer = model.layer(i);
    const auto w = width * (whole > 0 ? layer.seconds / whole : 1 / count);
    const auto h = std::max(1.5, slowest > 0 ? tallest * layer.seconds / slowest : 1.5);
    const auto line = w > 3 ? 0.8 : 0.0; // between neighbours, where there is room for it
    svg += fmt::format("<rect x=\"{:.2f}\" y=\"{:.2f}\" width=\"{:.2f}\" height=\"{:.2f}\" "
                       "class=\"layer\"><title>{} ({}): {}</title></rect>\n",
                       x, bottom - h, std::max(0.2, w - line), h,
                       escaped(shorten_middle(layer.name, 80)), escaped(layer.op),
                       human_seconds(layer.seconds));
    x += w;
  }
  return svg;
}

std::string stage_block(std::size_t index, const plan_stage& stage, const cost_model& model,
                        const placed_block& block, double slowest, bool bottleneck) {
  auto svg =
      fmt::format("<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" "
                  "rx=\"5\" fill=\"{}\"{}/>\n",
                  block.x, block.y, block.width, block_height, colours[index % colours.size()],
                  bottleneck ? " stroke=\"#111\" stroke-width=\"3\"" : "");
  svg += layer_bars(stage, model, block, slowest);
  svg += label(block.x + 8, block.y + 17, "head", fmt::format("stage {}", index + 1));
  svg += label(block.x + 8, block.y + 31, "light", human_seconds(stage.expected_seconds));
  const auto layers = stage.last_layer - stage.first_layer;
  const std::array<std::string, 6> notes{stage.device_name,
                                         fmt::format("{} layer{}", layers, layers == 1 ? "" : "s"),
                                         model.layer(stage.first_layer).name,
                                         layers > 1 ? "… " + model.layer(stage.last_layer - 1).name
                                                    : std::string(),
                                         human_bytes(stage.parameter_bytes) + " params",
                                         human_flops(stage.flops)};
  // The text may reach into the gap to the next stage.
  for (std::size_t i = 0; i < notes.size(); ++i)
    svg += label(block.x + 2, block.y + block_height + 18 + 15 * static_cast<double>(i),
                 i == 0 ? "device" : "note", fitted(notes[i], block.width + gap - 8));
  return svg;
}

/// The arrow into a stage, from the end of the row before where a new row begins.
std::string cut_arrow(std::uint64_t bytes, double seconds, double from, double to, double y) {
  auto svg = arrow(from, to, y);
  const auto middle = (from + to) / 2;
  svg += label(middle, y - 8, "cut", human_bytes(bytes));
  if (seconds > 0) svg += label(middle, y + 17, "cut", human_seconds(seconds));
  return svg;
}

std::string legend(const execution_plan& plan, double y) {
  auto svg = label(margin, y, "note",
                   "Stage width: its share of the row's time. Bars: layers, width and height by "
                   "their time on the reference device. Arrows: bytes alive over the cut, time "
                   "on the link. Outlined: the slowest stage.");
  std::string idle;
  for (const auto& device : plan.idle)
    idle += fmt::format("{}{} ({})", idle.empty() ? "Idle: " : ", ",
                        shorten_middle(device.device_name, 28), to_string(device.reason));
  return idle.empty() ? svg : svg + label(margin, y + 17, "note", shorten_middle(idle, 200));
}

std::string opening(double height, std::string_view title) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0:.0f} {1:.0f}\" width=\"{0:.0f}\" "
      "height=\"{1:.0f}\" font-family=\"DejaVu Sans, Verdana, sans-serif\" font-size=\"11\">\n"
      "<title>{2}</title>\n<style>.title{{font-size:20px;font-weight:bold;fill:#111}}"
      ".head{{font-size:12px;font-weight:bold;fill:#fff}}.light{{fill:#fff}}"
      ".device{{font-weight:bold;fill:#111}}.note{{fill:#444}}.cut{{fill:#111;text-anchor:middle}}"
      ".layer{{fill:#fff;fill-opacity:.72}}"
      ".arrow{{stroke:#333;stroke-width:1.6;fill:none;marker-end:url(#tip)}}</style>\n"
      "<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" "
      "markerHeight=\"7\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" "
      "fill=\"#333\"/></marker></defs>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      page_width, height, escaped(title));
}

} // namespace

std::string render_svg(const execution_plan& plan, const cost_model& model,
                       std::string_view title) {
  const auto blocks = place(plan);
  const auto height = top + row_height * static_cast<double>(rows_of(plan)) + 40;
  auto svg = opening(height, title);
  svg += label(margin, 42, "title", shorten_middle(title, 100));
  svg += label(margin, 66, "note",
               fmt::format("{} stage{} · bottleneck {} · latency {} · {:.1f} requests/s",
                           plan.stages.size(), plan.stages.size() == 1 ? "" : "s",
                           human_seconds(plan.bottleneck_s), human_seconds(plan.latency_s),
                           plan.throughput()));
  double slowest_layer = 0;
  for (const auto& layer : model.costs().layers)
    slowest_layer = std::max(slowest_layer, layer.seconds);
  double slowest_stage = 0;
  for (const auto& stage : plan.stages)
    slowest_stage = std::max(slowest_stage, stage.expected_seconds);

  for (std::size_t s = 0; s < plan.stages.size(); ++s) {
    const auto& stage = plan.stages[s];
    assert(stage.last_layer <= model.layer_count());
    const auto& block = blocks[s];
    const auto y = block.y + block_height / 2;
    svg += cut_arrow(stage.bytes_in, stage.transfer_seconds, block.x - gap + 2, block.x - 3, y);
    svg += stage_block(s, stage, model, block, slowest_layer,
                       plan.stages.size() > 1 && stage.expected_seconds == slowest_stage);
    const bool row_ends = s + 1 == plan.stages.size() || (s + 1) % stages_per_row(plan) == 0;
    const auto end = block.x + block.width;
    if (s + 1 == plan.stages.size())
      svg += cut_arrow(stage.bytes_out, plan.final_transfer_seconds, end + 3, end + gap - 2, y);
    else if (row_ends)
      svg += arrow(end + 3, end + gap - 2, y);
  }
  svg += legend(plan, height - 34);
  return svg + "</svg>\n";
}

} // namespace shoal
