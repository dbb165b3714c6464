#include "runtime/plan/partitioner.hpp"
#include "runtime/plan/plan_svg.hpp"
#include "runtime/plan/plan_table.hpp"
#include "runtime/plan/units.hpp"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <random>
#include <sstream>

using namespace shoal;

namespace {

struct drawn {
  cost_model model;
  execution_plan plan;
};

drawn example(std::size_t stages, std::size_t layers = 60, std::string prefix = "layer_") {
  std::mt19937_64 random(stages);
  model_costs costs;
  for (std::size_t i = 0; i < layers; ++i)
    costs.layers.push_back({fmt::format("{}{}", prefix, i), "Conv", 1000 + random() % 900'000,
                            random() % 300'000'000, 1e-5 * static_cast<double>(1 + random() % 300),
                            100'000});
  for (std::size_t i = 0; i <= layers; ++i) costs.cut_bytes.push_back(10'000 + random() % 600'000);
  auto model = cost_model::create(std::move(costs));
  REQUIRE(model);
  std::vector<device_profile> devices(stages + 1);
  for (std::size_t d = 0; d < devices.size(); ++d) {
    devices[d].name = fmt::format("node{}/cpu<0>", d);
    devices[d].node = d;
  }
  devices.back().memory_bytes = 10;
  auto plan = partition(*model, devices, link_table({2e-4, 1e8}), {.stages = stages});
  REQUIRE(plan);
  return {std::move(*model), std::move(*plan)};
}

std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) all.push_back(line);
  return all;
}

std::size_t occurrences(const std::string& text, std::string_view what) {
  std::size_t count = 0;
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

/// Every tag is closed in order, and no bare < or & is left in texts.
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  for (std::size_t i = 0; i < xml.size(); ++i) {
    if (xml[i] == '&' && xml.find(';', i) - i > 6) return false;
    if (xml[i] != '<') continue;
    const auto end = xml.find('>', i);
    if (end == std::string::npos) return false;
    const auto tag = xml.substr(i + 1, end - i - 1);
    const auto name = tag.substr(0, tag.find(' '));
    if (tag[0] == '/') {
      if (open.empty() || open.back() != tag.substr(1)) return false;
      open.pop_back();
    } else if (tag.back() != '/') {
      open.push_back(name);
    }
    i = end;
  }
  return open.empty();
}

} // namespace

TEST_CASE("units keep three digits that count") {
  CHECK(human_bytes(0) == "0 B");
  CHECK(human_bytes(1023) == "1023 B");
  CHECK(human_bytes(1536) == "1.50 KiB");
  CHECK(human_bytes(12'900'000) == "12.3 MiB");
  CHECK(human_bytes((1ull << 30) - 1) == "1.00 GiB");
  CHECK(human_flops(820) == "820 FLOP");
  CHECK(human_flops(3'400'000'000) == "3.40 GFLOP");
  CHECK(human_seconds(0) == "0 s");
  CHECK(human_seconds(85e-6) == "85.0 µs");
  CHECK(human_seconds(1.25e-3) == "1.25 ms");
  CHECK(human_seconds(0.9999e-3) == "1.00 ms");
  CHECK(human_seconds(75) == "75.0 s");
}

TEST_CASE("long names lose their middle, never half a character") {
  CHECK(shorten_middle("short", 5) == "short");
  CHECK(shorten_middle("abcdefghij", 5) == "ab…ij");
  CHECK(shorten_middle("äöüäöüäöü", 5) == "äö…öü");
  CHECK(character_count(shorten_middle("äöüäöüäöü", 5)) == 5);
  CHECK(shorten_middle("abcdef", 1) == "…");
  CHECK(shorten_middle("", 0) == "");
}

TEST_CASE("the table aligns its columns and names layers, devices and what is idle") {
  const auto [model, plan] = example(3);
  const auto rows = lines(render_table(plan, model));
  REQUIRE(rows.size() == 9); // header, rule, 3 stages, rule, totals, summary, idle
  const auto device_column = rows[0].find("device");
  for (std::size_t s = 0; s < 3; ++s) {
    const auto at = rows[2 + s].find(plan.stages[s].device_name);
    REQUIRE(at != std::string::npos);
    CHECK(character_count(rows[2 + s].substr(0, at)) == device_column);
    CHECK(rows[2 + s].find(fmt::format("layer_{} … layer_{}", plan.stages[s].first_layer,
                                       plan.stages[s].last_layer - 1)) != std::string::npos);
    CHECK(rows[2 + s].find(human_bytes(plan.stages[s].bytes_out)) != std::string::npos);
  }
  CHECK(rows[6].find("3 of 4 devices") != std::string::npos);
  CHECK(rows[7].find("bottleneck") == 0);
  CHECK(rows[8] == "idle: node3/cpu<0> (memory)");
}

TEST_CASE("the picture is well-formed and complete from 1 to 16 stages") {
  for (std::size_t stages = 1; stages <= 16; ++stages) {
    CAPTURE(stages);
    const auto [model, plan] = example(stages);
    const auto svg = render_svg(plan, model, "a <title> & \"more\"");
    CHECK(well_formed(svg));
    CHECK(occurrences(svg, "class=\"layer\"") == model.layer_count());
    CHECK(occurrences(svg, "class=\"head\"") == stages);
    CHECK(svg.find("a &lt;title&gt; &amp; &quot;more&quot;") != std::string::npos);
    CHECK(svg.find("cpu<0>") == std::string::npos);
    for (const auto& stage : plan.stages)
      CHECK(svg.find(fmt::format(">{}<", human_bytes(stage.bytes_in))) != std::string::npos);
  }
}

TEST_CASE("names of any length and content leave the picture well-formed") {
  const auto [model, plan] = example(2, 5, fmt::format("{:x>500}</svg>\x01&'", ""));
  CHECK(well_formed(render_svg(plan, model, "t")));
  CHECK(render_table(plan, model).size() < 4000);
}
