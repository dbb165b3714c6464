#include "tests/runtime/graph/model_protos.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>

using namespace shoal;
using namespace shoal::test;
namespace fs = std::filesystem;

namespace {

/// A folder with a file of eight floats, 0 to 7, and a model whose constant w lies in some file.
struct external_case {
  external_case() {
    fs::create_directories(root.path() / "model" / "data");
    std::ofstream out(root.path() / "model" / "data" / "w.bin", std::ios::binary);
    for (int i = 0; i < 8; ++i) {
      const auto value = static_cast<float>(i);
      out.write(reinterpret_cast<const char*>(&value), sizeof value);
    }
  }

  result<imported_model> import(const std::string& location, const std::string& offset = "",
                                const std::string& length = "") const {
    auto model = empty_model();
    auto& w = add_initializer(model, "w", {4}, {});
    w.clear_raw_data();
    w.set_data_location(onnx::TensorProto::EXTERNAL);
    add_external(w, "location", location);
    if (!offset.empty()) add_external(w, "offset", offset);
    if (!length.empty()) add_external(w, "length", length);
    add_node(model, "Relu", {"w"}, {"y"});
    const auto path = root.path() / "model" / "model.onnx";
    std::ofstream(path, std::ios::binary) << model.SerializeAsString();
    return import_onnx_file(path);
  }

  std::string error_of(const std::string& location, const std::string& offset = "",
                       const std::string& length = "") const {
    const auto imported = import(location, offset, length);
    return imported ? std::string("imported") : imported.error().message();
  }

  fs::path folder() const { return root.path() / "model"; }

  temporary_folder root;
};

const tensor& weight(const imported_model& m) {
  return m.model->value(m.model->nodes()[0].inputs[0]).constant;
}

bool holds(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

} // namespace

TEST_CASE("external data is mapped from its file, and copied where it is not aligned") {
  external_case c;
  const auto whole = c.import("data/w.bin");
  REQUIRE(whole);
  CHECK(identical(weight(*whole), tensor::of<float>({4}, {0, 1, 2, 3})));
  const auto part = c.import("./data/w.bin", "16", "16");
  REQUIRE(part);
  CHECK(identical(weight(*part), tensor::of<float>({4}, {4, 5, 6, 7})));
  const auto odd = c.import("data/w.bin", "3");
  REQUIRE(odd);
  CHECK(reinterpret_cast<std::uintptr_t>(weight(*odd).data()) % alignof(float) == 0);
  CHECK(odd->parameter_bytes == 16);
}

TEST_CASE("external data outlives its file and the import") {
  external_case c;
  tensor w;
  {
    const auto imported = c.import("data/w.bin");
    REQUIRE(imported);
    w = weight(*imported);
  }
  fs::remove_all(c.folder());
  CHECK(w.values<float>()[3] == 3);
}

TEST_CASE("a location that leaves the model's folder is refused") {
  external_case c;
  std::ofstream(c.root.path() / "secret") << std::string(32, 's');
  CHECK(holds(c.error_of("../secret"), "external data '../secret': '..' is refused"));
  CHECK(holds(c.error_of("data/../../secret"), "'..' is refused"));
  CHECK(holds(c.error_of((c.root.path() / "secret").string()), "absolute paths are refused"));
  CHECK(holds(c.error_of(""), "external data without a location"));
  CHECK(holds(c.error_of(std::string("data/w.bin\0x", 12)), "holds a zero byte"));
  CHECK(holds(c.error_of("data//w.bin"), "it names no file"));
  CHECK(holds(c.error_of("."), "it names no file"));
}

TEST_CASE("links and what is not a file are refused") {
  external_case c;
  std::ofstream(c.root.path() / "secret") << std::string(32, 's');
  fs::create_symlink(c.root.path() / "secret", c.folder() / "link");
  CHECK(holds(c.error_of("link"), "'link' is a symbolic link, which is refused"));
  fs::create_directory_symlink(c.root.path(), c.folder() / "up");
  CHECK(holds(c.error_of("up/secret"), "'up' is a symbolic link, which is refused"));
  fs::create_hard_link(c.root.path() / "secret", c.folder() / "hard");
  CHECK(holds(c.error_of("hard"), "files with several hard links are refused"));
  CHECK(holds(c.error_of("data"), "not a regular file"));
  REQUIRE(::mkfifo((c.folder() / "pipe").c_str(), 0600) == 0);
  CHECK(holds(c.error_of("pipe"), "not a regular file"));
  CHECK(holds(c.error_of("none.bin"), "No such file"));
}

TEST_CASE("ranges beyond the file or against the shape are refused") {
  external_case c;
  CHECK(
      holds(c.error_of("data/w.bin", "17"), "16 bytes from offset 17 are wanted of a file of 32"));
  CHECK(holds(c.error_of("data/w.bin", "18446744073709551615"), "are wanted of a file of 32"));
  CHECK(holds(c.error_of("data/w.bin", "0", "15"), "takes 16 bytes, the model states 15"));
  CHECK(holds(c.error_of("data/w.bin", "-1"), "offset is '-1', not a number"));
  CHECK(holds(c.error_of("data/w.bin", "99999999999999999999"), "not a number"));
  CHECK(holds(c.error_of("data/w.bin", "0", "x"), "length is 'x', not a number"));
  std::ofstream(c.folder() / "empty");
  CHECK(holds(c.error_of("empty"), "are wanted of a file of 0"));
}
