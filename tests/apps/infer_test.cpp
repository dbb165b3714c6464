#include "runtime/base/file.hpp"
#include "runtime/tensor/image.hpp"
#include "runtime/tensor/npy.hpp"
#include "runtime/tensor/tensor_proto.hpp"
#include "tests/runtime/graph/model_protos.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>

#include <algorithm>

using namespace shoal;
using namespace shoal::test;

namespace {

const std::string upscale = source_file("apps/builtin/upscale_x2.onnx");
const std::string photo = source_file("apps/builtin/photo.png");

void write(const std::filesystem::path& file, const std::string& content) {
  const auto bytes = bytes_of(content);
  REQUIRE(replace_file(file, {&bytes, 1}));
}

/// difference = a - b.
onnx::ModelProto difference_model() {
  auto model = empty_model();
  auto& graph = *model.mutable_graph();
  graph.clear_input();
  graph.clear_output();
  declare(*graph.add_input(), "a", {4});
  declare(*graph.add_input(), "b", {4});
  declare(*graph.add_output(), "difference", {4});
  declare(*graph.add_output(), "negated", {4});
  add_node(model, "Sub", {"a", "b"}, {"difference"});
  add_node(model, "Neg", {"difference"}, {"negated"});
  return model;
}

/// A folder with the model above and files for its inputs.
struct difference_files {
  temporary_folder folder;
  std::string model = folder.path() / "difference.onnx";
  std::string a = folder.path() / "a.npy";
  std::string b = folder.path() / "b.pb";

  difference_files() {
    write(model, difference_model().SerializeAsString());
    REQUIRE(write_npy(a, tensor::of<double>({4}, {1, 5, 3, 4})));
    REQUIRE(write_tensor_proto_file(b, tensor::of<float>({4}, {1, 1, 1, 1}), "b"));
  }
  std::string file(const std::string& name) const { return folder.path() / name; }
};

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("in one process and on worker processes the output is the same, byte for byte") {
  const temporary_folder folder;
  const std::string alone = folder.path() / "alone.npy", sharded = folder.path() / "sharded.npy";
  const std::string picture = folder.path() / "picture.png";
  const auto embedded = run_shoal({"infer", "--model", upscale, "--input", photo, "--output", alone,
                                   "--output", picture, "--threads", "1"});
  INFO(embedded.err);
  CHECK(embedded.exit_code == 0);
  CHECK(embedded.out.empty());
  CHECK(embedded.err.empty());
  const auto local =
      run_shoal({"infer", "--model", upscale, "--input", "image=" + photo, "--output",
                 "upscaled=" + sharded, "--local-nodes", "2", "--threads", "1", "--stages", "2"});
  INFO(local.err);
  CHECK(local.exit_code == 0);
  CHECK(local.out.empty());
  const auto first = read_file(alone, 1 << 28), second = read_file(sharded, 1 << 28);
  REQUIRE(first);
  REQUIRE(second);
  CHECK((*first == *second));
  const auto small = read_image(photo), large = read_image(picture);
  REQUIRE(small);
  REQUIRE(large);
  CHECK(large->width == 2 * small->width);
  CHECK(large->height == 2 * small->height);
}

TEST_CASE("inputs and outputs go by their names") {
  const difference_files files;
  const auto ran = run_shoal({"infer", "--model", files.model, "--input", "b=" + files.b, "--input",
                              "a=" + files.a, "--output", files.file("first.npy"), "--output",
                              "negated=" + files.file("second.pb")});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto first = read_npy(files.file("first.npy"));
  REQUIRE(first);
  CHECK(identical(*first, tensor::of<float>({4}, {0, 4, 2, 3})));
  const auto second = read_tensor_proto_file(files.file("second.pb"));
  REQUIRE(second);
  CHECK(identical(*second, tensor::of<float>({4}, {-0.0f, -4, -2, -3})));
}

TEST_CASE("the best classes are printed with their labels") {
  const difference_files files;
  write(files.file("labels.txt"), "cat\ndog\nfox\nowl\n");
  const auto ran = run_shoal({"infer", "--model", files.model, "--input", "a=" + files.a, "--input",
                              "b=" + files.b, "--top", "2", "--labels", files.file("labels.txt")});
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(ran.err.empty());
  CHECK(ran.out == "rank  class  score  label\n"
                   "   1      1      4  dog\n"
                   "   2      3      3  owl\n");
  const auto likely = run_shoal({"infer", "--model", files.model, "--input", "a=" + files.a,
                                 "--input", "b=" + files.b, "--top", "1", "--softmax"});
  CHECK(likely.out.find("0.657") != std::string::npos); // e^4 / (e^0 + e^4 + e^2 + e^3)
}

TEST_CASE("without a place for the outputs they are described") {
  const difference_files files;
  const auto ran = run_shoal(
      {"infer", "--model", files.model, "--input", "a=" + files.a, "--input", "b=" + files.b});
  CHECK(ran.exit_code == 0);
  CHECK(ran.err.empty());
  CHECK(ran.out == "output      type        min  max   mean  not finite\n"
                   "difference  float32[4]    0    4   2.25           0\n"
                   "negated     float32[4]   -4    0  -2.25           0\n");
}

TEST_CASE("standard output holds data only, whatever is said besides") {
  const difference_files files;
  const auto ran =
      run_shoal({"infer", "--model", files.model, "--input", "a=" + files.a, "--input",
                 "b=" + files.b, "--output", "-", "--show-plan", "--trace", "--repeat", "3"});
  INFO(ran.err);
  REQUIRE(ran.exit_code == 0);
  const auto data = decode_npy(bytes_of(ran.out));
  REQUIRE(data);
  CHECK(identical(*data, tensor::of<float>({4}, {0, 4, 2, 3})));
  for (const auto* part : {"parameters", "3 runs: fastest", "compute"}) {
    CAPTURE(part);
    CHECK(ran.err.find(part) != std::string::npos);
  }
  const auto proto = run_shoal({"infer", "--model", files.model, "--input", "a=" + files.a,
                                "--input", "b=" + files.b, "--output", "-", "--format", "pb"});
  const auto decoded = decode_tensor_proto(bytes_of(proto.out));
  REQUIRE(decoded);
  CHECK(identical(*decoded, *data));
}

TEST_CASE("a link is written through, not replaced") {
  const difference_files files;
  const auto link = files.folder.path() / "link.npy";
  std::filesystem::create_symlink("target.npy", link);
  const auto ran = run_shoal({"infer", "--model", files.model, "--input", "a=" + files.a, "--input",
                              "b=" + files.b, "--output", link});
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(std::filesystem::is_symlink(link));
  CHECK(read_npy(files.file("target.npy")));
}

TEST_CASE("wrong usage ends with 2 and says what is wrong") {
  struct wrong_usage {
    std::vector<std::string> words;
    std::string complaint;
  };
  for (const auto& [words, complaint] : std::vector<wrong_usage>{
           {{"infer"}, "--model is required"},
           {{"infer", "--model", "m.onnx", "--no-such-flag"}, "--no-such-flag"},
           {{"infer", "--model", "m.onnx", "--resize", "7"}, "expected WIDTHxHEIGHT"},
           {{"infer", "--model", "m.onnx", "--filter", "lanczos"},
            "--filter: expected nearest, bilinear, bicubic or area, got 'lanczos'"},
           {{"infer", "--model", "m.onnx", "--output", "-", "--output", "b=-"},
            "standard output takes one"},
           {{"infer", "--model", "m.onnx", "--connect", "nowhere"}, "expected HOST:PORT"},
           {{"infer", "--model", "m.onnx", "--connect", "a:1", "--local-nodes", "2"}, "excludes"},
           {{"infer", "--model", "m.onnx", "--top", "3", "--output", "-"}, "both classes"},
           {{"infer", "--model", "m.onnx", "--timeout", "3601"}, "3600"},
           {{"infer", "--model", "m.onnx", "--labels", "l.txt"}, "--top"},
           {{"status"}, "--connect is required"},
           {{"bench", "--model", "m.onnx", "--arrivals", "constant"}, "--rate"},
           {{"frobnicate"}, "frobnicate"}}) {
    const auto ran = run_shoal(words);
    CAPTURE(complaint);
    INFO(ran.err);
    CHECK(ran.exit_code == 2);
    CHECK(ran.out.empty());
    CHECK(ran.err.find(complaint) != std::string::npos);
  }
}

TEST_CASE("help is for people") {
  for (const std::string command : {"bench", "demo", "head", "infer", "node", "plan", "status"}) {
    CAPTURE(command);
    const auto ran = run_shoal({command, "--help"});
    CHECK(ran.exit_code == 0);
    CHECK(ran.err.empty());
    CHECK(ran.out.find("Usage: shoal " + command) != std::string::npos);
    for (const auto* noise : {"->", " OR ", "INT", "[b, kb", "TEXT:", ":POSITIVE"}) {
      CAPTURE(noise);
      CHECK(ran.out.find(noise) == std::string::npos);
    }
  }
}

TEST_SUITE_END();
