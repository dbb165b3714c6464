#include "runtime/base/file.hpp"
#include "runtime/image/pillow_resize.hpp"
#include "tests/runtime/graph/model_protos.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/pictures.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>

#include <array>

using namespace shoal;
using namespace shoal::test;

namespace {

void write(const std::filesystem::path& file, const std::string& content) {
  REQUIRE(replace_file(file, std::array{bytes_of(content)}));
}

/// A folder with a photo of 8 x 6 pixels, mostly green, and a model of pictures of 4 x 3: `op` on
/// its input.
struct recipe_files {
  temporary_folder folder;
  std::string model = folder.path() / "model.onnx";
  std::string recipe = folder.path() / "model.recipe.json";
  std::string photo = folder.path() / "photo.png";
  image picture = smooth_picture(8, 6, 3);

  explicit recipe_files(const std::string& op) {
    auto proto = empty_model();
    auto& graph = *proto.mutable_graph();
    graph.clear_input();
    graph.clear_output();
    declare(*graph.add_input(), "image", {1, 3, 3, 4});
    if (op == "Identity")
      declare(*graph.add_output(), "answer", {1, 3, 3, 4});
    else
      declare(*graph.add_output(), "answer", {1, 3, 1, 1});
    add_node(proto, op, {"image"}, {"answer"});
    write(model, proto.SerializeAsString());
    for (std::size_t i = 1; i < picture.pixels.size(); i += 3) picture.pixels[i] = 250;
    REQUIRE(write_image(photo, picture));
  }

  auto infer(std::vector<std::string> more = {}) const {
    std::vector<std::string> words{"infer", "--model", model, "--input", photo};
    words.insert(words.end(), more.begin(), more.end());
    return run_shoal(words);
  }
};

const std::string classify = R"({"version": 1,
    "input": {"steps": [{"resize": {"width": 4, "height": 3}}]},
    "output": [{"softmax": {"axis": 1}}, {"top_k": {"count": 1, "labels": "names.txt"}}]})";

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("infer follows the recipe beside the model unless told otherwise") {
  const recipe_files files("GlobalAveragePool");
  write(files.folder.path() / "names.txt", "red\ngreen\nblue\n");
  const auto wrong_size = files.infer();
  CHECK(wrong_size.exit_code != 0);

  write(files.recipe, classify);
  const auto followed = files.infer();
  INFO(followed.err);
  CHECK(followed.exit_code == 0);
  CHECK(followed.out.starts_with("rank  class  probability  label\n   1      1"));
  CHECK(followed.out.ends_with("  green\n"));
  CHECK(followed.err == "following the recipe " + files.recipe + "\n");

  CHECK(files.infer({"--no-recipe"}).exit_code != 0);
  const auto own_output = files.infer({"--top", "2"});
  CHECK(own_output.out.starts_with("rank  class     score  label\n   1      1"));
  // Flags for the input replace what the recipe says of it, here to the wrong size.
  CHECK(files.infer({"--resize", "5x5"}).exit_code != 0);
  CHECK(files.infer({"--resize", "4x3"}).out.ends_with("  green\n"));

  std::filesystem::rename(files.recipe, files.folder.path() / "other.json");
  const auto named = files.infer({"--recipe", files.folder.path() / "other.json"});
  CHECK(named.out == followed.out);
  CHECK(named.err.empty());
}

TEST_CASE("a recipe says how the output becomes a picture") {
  const recipe_files files("Identity");
  write(files.recipe, R"({"version": 1,
      "input": {"scale": 1, "steps": [{"resize": {"width": 4, "height": 3, "filter": "lanczos"}}]},
      "output": [{"image": {"white": 255}}]})");
  const auto out = files.folder.path() / "out.png";
  const auto ran = files.infer({"--output", out});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  CHECK(*read_image(out) == *pillow_resize(files.picture, 4, 3, pillow_filter::lanczos));
}

TEST_CASE("a recipe that is wrong, or not there, is said to be") {
  const recipe_files files("Identity");
  write(files.recipe, R"({"version": 1, "inptu": {}})");
  const auto broken = files.infer();
  CHECK(broken.exit_code != 0);
  CHECK(broken.err.find("$: unknown key \"inptu\"; known are input, output, version") !=
        std::string::npos);
  const auto missing = files.infer({"--recipe", files.folder.path() / "none.json"});
  CHECK(missing.exit_code != 0);
  CHECK(missing.err.find("none.json") != std::string::npos);
  const auto both = files.infer({"--recipe", "a.json", "--no-recipe"});
  CHECK(both.exit_code == 2);
}

TEST_SUITE_END();
