#include "runtime/base/file.hpp"
#include "runtime/tensor/npy.hpp"
#include "tests/runtime/graph/model_protos.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

// What users see of each kind of bad input: the message, and the exit code 1.

namespace {

struct bad_input {
  temporary_folder folder;

  std::string write(const std::string& name, const std::string& content) {
    const std::string file = folder.path() / name;
    const auto bytes = bytes_of(content);
    REQUIRE(replace_file(file, {&bytes, 1}));
    return file;
  }
  std::string write(const std::string& name, const onnx::ModelProto& model) {
    return write(name, model.SerializeAsString());
  }
  std::string write(const std::string& name, const tensor& values) {
    const std::string file = folder.path() / name;
    REQUIRE(write_npy(file, values));
    return file;
  }
  /// A file that fits the input x of the models in model_protos.hpp.
  std::string good() { return write("x.npy", tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6})); }
};

void check_refused(const std::vector<std::string>& words, const std::vector<std::string>& parts) {
  const auto ran = run_shoal(words);
  INFO(ran.err);
  CHECK(ran.exit_code == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err.starts_with("shoal: "));
  CHECK(ran.err.find('\n') == ran.err.size() - 1); // one line
  for (const auto& part : parts) {
    CAPTURE(part);
    CHECK(ran.err.find(part) != std::string::npos);
  }
}

void check_model_refused(const std::string& model, const std::vector<std::string>& parts) {
  check_refused({"infer", "--model", model, "--input", "x.npy"}, parts);
}

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("bad models are refused with what is wrong") {
  bad_input bad;
  check_model_refused(bad.folder.path() / "missing.onnx", {"not found", "missing.onnx"});
  check_model_refused(bad.folder.path(), {bad.folder.path(), "not a regular file"});
  check_model_refused(bad.write("empty.onnx", std::string()),
                      {"malformed", "empty.onnx", "it has no bytes"});
  check_model_refused(bad.write("text.onnx", std::string("hello, this is no model")),
                      {"malformed", "text.onnx", "this is not an ONNX model"});
  const auto whole = relu_model().SerializeAsString();
  check_model_refused(bad.write("cut.onnx", whole.substr(0, whole.size() / 2)),
                      {"malformed", "cut.onnx", "truncated"});
  auto unknown = relu_model();
  unknown.mutable_graph()->mutable_node(0)->set_op_type("Frobnicate");
  unknown.mutable_graph()->mutable_node(0)->set_name("the_node");
  check_model_refused(bad.write("unknown.onnx", unknown),
                      {"unsupported", "operator Frobnicate", "node 'the_node'"});
  check_model_refused(bad.write("new.onnx", relu_model(99)),
                      {"unsupported", "opset 99 of ai.onnx", "1 to 21"});
  auto huge = relu_model();
  add_initializer(huge, "w", {std::int64_t{1} << 40, std::int64_t{1} << 40}, {});
  check_model_refused(
      bad.write("huge.onnx", huge),
      {"malformed", "tensor \"w\"", "shape [1099511627776,1099511627776] overflows"});
}

TEST_CASE("external data outside of the model's folder is refused") {
  bad_input bad;
  std::filesystem::create_directory(bad.folder.path() / "inner");
  bad.write("secret.bin", std::string(24, 's'));
  auto model = empty_model();
  auto& weight = add_initializer(model, "w", {2, 3}, {});
  weight.clear_raw_data();
  weight.set_data_location(onnx::TensorProto::EXTERNAL);
  add_external(weight, "location", "../secret.bin");
  add_node(model, "Add", {"x", "w"}, {"y"});
  check_model_refused(bad.write("inner/model.onnx", model),
                      {"malformed", "'../secret.bin': '..' is refused"});
}

TEST_CASE("bad inputs are refused with what was expected and what came") {
  bad_input bad;
  const auto model = bad.write("relu.onnx", relu_model());
  const auto refused = [&](const std::string& input, const std::vector<std::string>& parts) {
    check_refused({"infer", "--model", model, "--input", input}, parts);
  };
  check_refused({"infer", "--model", model}, {"input 'x' is missing"});
  refused("nonsense=" + bad.good(), {"'nonsense'", "'x'"});
  check_refused({"infer", "--model", model, "--input", "x=" + bad.good(), "--input", bad.good()},
                {"twice for input 'x'"});
  refused(bad.folder.path() / "missing.npy", {"not found", "missing.npy"});
  refused(bad.write("type.npy", tensor::of<std::int64_t>({2, 3}, {1, 2, 3, 4, 5, 6})),
          {"input 'x'", "expected float32, got int64"});
  refused(bad.write("rank.npy", tensor::of<float>({6}, {1, 2, 3, 4, 5, 6})),
          {"input 'x'", "expected float32[2,3], got float32[6]", "1 dimensions instead of 2"});
  refused(bad.write("shape.npy", tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6})),
          {"input 'x'", "expected float32[2,3], got float32[3,2]", "dimension 0 differs"});
  refused(bad.write("notes.txt", std::string("hello")), {"notes.txt", "neither a .npy"});
  refused(bad.write("cut.npy", std::string("\x93NUMPY")), {"input 'x'", "malformed"});
}

TEST_CASE("a shape whose product overflows is refused before memory is taken") {
  bad_input bad;
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, "
                       "4294967296, 4294967296), }";
  header.resize(117, ' ');
  header += '\n';
  const auto model = bad.write("relu.onnx", relu_model());
  const auto file =
      bad.write("huge.npy", std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "abcd");
  check_refused({"infer", "--model", model, "--input", file},
                {"input 'x'", "huge.npy", "shape [4294967296,4294967296,4294967296] overflows"});
}

TEST_CASE("outputs that the model has not are refused before it runs") {
  bad_input bad;
  const auto model = bad.write("relu.onnx", relu_model());
  const auto with_output = [&](const std::string& output) {
    return std::vector<std::string>{"infer",    "--model",  model, "--input",
                                    bad.good(), "--output", output};
  };
  check_refused(with_output("z=a.npy"), {"no output 'z'", "'y'"});
  check_refused(with_output("a.txt"), {"a.txt", ".npy, .pb, .png or .jpg"});
  check_refused(with_output(bad.folder.path() / "no" / "such" / "a.npy"), {"No such file"});
}

TEST_CASE("a batch that the model mixes is not cut") {
  bad_input bad;
  auto mixing = empty_model();
  add_node(mixing, "Softmax", {"x"}, {"y"}).add_attribute();
  auto& axis = *mixing.mutable_graph()->mutable_node(0)->mutable_attribute(0);
  axis.set_name("axis");
  axis.set_type(onnx::AttributeProto::INT);
  axis.set_i(0);
  const auto model = bad.write("mixing.onnx", mixing);
  check_refused({"infer", "--model", model, "--input", bad.good(), "--parts", "2"},
                {"mixes the entries of a batch", "2 parts"});
}

TEST_SUITE_END();
