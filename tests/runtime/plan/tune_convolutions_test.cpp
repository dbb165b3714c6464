#include "runtime/plan/tune_convolutions.hpp"
#include "tests/support/model_builder.hpp"
#include "tests/support/node_runner.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/stages.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <sstream>

using namespace shoal;
using namespace shoal::test;

namespace {

constexpr int channels = 64;
const tensor_type image{dtype::f32, {1, channels, 40, 40}};

/// Five convolutions, of which the second and the fourth are dense, 3×3 and of stride 1.
std::shared_ptr<const graph> network() {
  model_builder b("five", 13, 1);
  auto x = b.input("x", dtype::f32, {1, channels, "H", "W"});
  const auto conv = [&](std::int64_t size, std::int64_t stride) {
    const auto w = b.random({channels, channels, size, size}, 0.05f);
    x = b.node("Conv", {x, w},
               attrs_of({{"strides", std::vector<std::int64_t>{stride, stride}},
                         {"pads", std::vector<std::int64_t>(4, size / 2)}}));
  };
  conv(1, 1);
  conv(3, 1);
  conv(3, 2);
  conv(3, 1);
  conv(5, 1);
  b.output(x, "y");
  return std::make_shared<const graph>(std::move(b).build());
}

std::vector<std::size_t> chosen_in(const graph& model) {
  std::vector<std::size_t> nodes;
  for (std::size_t n = 0; n < model.nodes().size(); ++n)
    if (!model.nodes()[n].attrs.get_string("shoal_algorithm", "").empty()) nodes.push_back(n);
  return nodes;
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    files.push_back(entry.path());
  return files;
}

std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::vector<std::size_t> tuned(const tune_options& options, const tensor_type& type = image) {
  const auto model = tune_convolutions(network(), {&type, 1}, options);
  REQUIRE_MESSAGE(model, (model ? std::string() : model.error().message()));
  return chosen_in(**model);
}

} // namespace

TEST_CASE("dense 3x3 convolutions of stride 1 can be tuned, and no others") {
  CHECK(tunable_convolutions(*network()) == std::vector<std::size_t>{1, 3});
}

TEST_CASE("what was chosen is written down, and taken from there") {
  const temporary_folder folder;
  const tune_options options{.folder = folder.path() / "tuning"};
  const auto first = tuned(options);
  for (const auto n : first) CHECK((n == 1 || n == 3));
  const auto files = files_in(options.folder);
  REQUIRE(files.size() == 1);
  CHECK(content_of(files[0]).starts_with("shoal tuning 1\nwinograd "));
  CHECK(tuned(options) == first);
  std::ofstream(files[0]) << "shoal tuning 1\nwinograd 3\n";
  CHECK(tuned(options) == std::vector<std::size_t>{3});
  std::ofstream(files[0]) << "shoal tuning 1\nwinograd \n";
  CHECK(tuned(options).empty());
}

TEST_CASE("a node whose first output nobody reads is no obstacle") {
  model_builder b("last state", 13, 1);
  const auto x = b.input("x", dtype::f32, {1, channels, 40, 40});
  const auto w = b.random({channels, channels, 3, 3}, 0.05f);
  b.output(b.node("Conv", {x, w}, attrs_of({{"pads", std::vector<std::int64_t>(4, 1)}})), "y");
  const auto series = b.input("series", dtype::f32, {5, 2, 3});
  const auto states =
      b.node_of(2, "GRU", {series, b.random({1, 12, 3}, 1), b.random({1, 12, 4}, 1)},
                attrs_of({{"hidden_size", std::int64_t{4}}}));
  b.output(states[1], "last");
  graph_builder parts(std::move(b).build());
  parts.nodes.back().outputs[0] = no_value;
  auto model = std::move(parts).build();
  REQUIRE(model);
  const temporary_folder folder;
  const std::vector<tensor_type> types{image, {dtype::f32, {5, 2, 3}}};
  const auto tuned = tune_convolutions(std::make_shared<const graph>(*std::move(model)), types,
                                       {.folder = folder.path()});
  REQUIRE(tuned);
  CHECK(files_in(folder.path()).size() == 1);
}

TEST_CASE("what cannot be measured stays as it is") {
  const temporary_folder folder;
  const tensor_type huge{dtype::f32, {1, channels, 1 << 17, 1 << 17}}; // 4 TiB
  CHECK(tuned({.folder = folder.path()}, huge).empty());
}

TEST_CASE("each type of inputs and number of threads has a choice of its own") {
  const temporary_folder folder;
  tuned({.folder = folder.path()});
  tuned({.folder = folder.path()}, {dtype::f32, {1, channels, 24, 24}});
  tuned({.threads = 2, .folder = folder.path()});
  CHECK(files_in(folder.path()).size() == 3);
}

TEST_CASE("a file that does not fit is measured anew") {
  for (const std::string damaged :
       {"", "rubbish", "shoal tuning 1\nwinograd 2\n", "shoal tuning 1\nwinograd 1 x\n",
        "shoal tuning 1\nwinograd 99999999999999999999999\n"}) {
    CAPTURE(damaged);
    const temporary_folder folder;
    const tune_options options{.folder = folder.path()};
    tuned(options);
    const auto file = files_in(folder.path()).at(0);
    std::ofstream(file) << damaged;
    for (const auto n : tuned(options)) CHECK((n == 1 || n == 3));
    CHECK(content_of(file).starts_with("shoal tuning 1\nwinograd "));
    CHECK(content_of(file) != damaged);
  }
}

TEST_CASE("without a folder to write to, or time, nothing is tuned") {
  const temporary_folder folder;
  CHECK(tuned({}).empty());
  const auto file = folder.path() / "file";
  std::ofstream(file) << "x";
  CHECK(tuned({.folder = file / "below"}).empty());
  CHECK(tuned({.folder = folder.path(), .budget = std::chrono::milliseconds(0)}).empty());
}

TEST_CASE("by Winograd's algorithm a network gives what it gives otherwise, cut or whole") {
  const auto model = network();
  const auto everywhere = with_winograd(*model, tunable_convolutions(*model));
  REQUIRE(everywhere);
  const std::vector<tensor> inputs{random_tensor(image, 7)};
  for (const int threads : {1, 2}) {
    const auto plain = run_whole(model, inputs, threads);
    const auto whole = run_whole(*everywhere, inputs, threads);
    REQUIRE(plain);
    REQUIRE(whole);
    CHECK(mismatch((*whole)[0], (*plain)[0], 1e-3, 1e-4) <= 1);
    for (const auto crossing : {output_layouts::plain, output_layouts::unpadded})
      CHECK(difference(run_in_stages(**everywhere, all_cuts(5), inputs, threads, crossing),
                       whole) == "");
  }
}
