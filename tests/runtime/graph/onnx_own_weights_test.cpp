#include "runtime/base/fail.hpp"
#include "runtime/session/cpu_rewrite.hpp"
#include "runtime/session/session_cache.hpp"
#include "runtime/tensor/deferred_storage.hpp"
#include "tests/runtime/graph/model_protos.hpp"
#include "tests/support/paths.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

using namespace shoal;
using namespace shoal::test;
namespace fs = std::filesystem;

namespace {

constexpr std::int64_t side = 160; // 160 x 160 floats are large enough to stay in the file

std::vector<float> noise(std::int64_t count, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (auto& value : values) value = uniform(random);
  return values;
}

/// y = Relu(x w) c + b: w an initializer, c the value of a Constant node, b too small to defer.
/// `name` shifts what comes behind it in the file.
onnx::ModelProto large_model(const std::string& name) {
  auto model = empty_model();
  model.mutable_graph()->set_name(name);
  model.mutable_graph()->clear_input();
  model.mutable_graph()->clear_output();
  declare(*model.mutable_graph()->add_input(), "x", {3, side});
  declare(*model.mutable_graph()->add_output(), "y", {3, side});
  add_initializer(model, "w", {side, side}, noise(side * side, 1));
  add_initializer(model, "b", {side}, noise(side, 2));
  auto& constant = add_node(model, "Constant", {}, {"c"});
  auto& value = *constant.add_attribute();
  value.set_name("value");
  value.set_type(onnx::AttributeProto::TENSOR);
  auto moved = add_initializer(model, "c", {side, side}, noise(side * side, 3));
  *value.mutable_t() = moved;
  model.mutable_graph()->mutable_initializer()->RemoveLast();
  add_node(model, "MatMul", {"x", "w"}, {"xw"});
  add_node(model, "Relu", {"xw"}, {"r"});
  add_node(model, "MatMul", {"r", "c"}, {"rc"});
  add_node(model, "Add", {"rc", "b"}, {"y"});
  return model;
}

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

/// Constants that are still in their file.
int deferred_count(const graph& model) {
  int count = 0;
  for (const auto& value : model.values())
    count += value.is_constant() && value.constant.bytes_owner()->deferred();
  return count;
}

struct saved_model {
  explicit saved_model(const onnx::ModelProto& model) : path(folder.path() / "m.onnx") {
    write(path, model.SerializeAsString());
  }
  result<imported_model> import(bool defer = true) const {
    import_options options;
    options.defer_weights = defer;
    return import_onnx_file(path, options);
  }

  temporary_folder folder;
  fs::path path;
};

tensor input() {
  return tensor::of<float>({3, side}, std::span<const float>(noise(3 * side, 4)));
}

} // namespace

TEST_CASE("deferred weights are those of the file, wherever in it they lie") {
  for (const auto* name : {"g", "go", "got", "goth"}) {
    const saved_model saved(large_model(name));
    const auto later = saved.import();
    const auto now = saved.import(false);
    REQUIRE(later);
    REQUIRE(now);
    CHECK(deferred_count(*later->model) == 2);
    CHECK(deferred_count(*now->model) == 0);
    CHECK(later->parameter_bytes == now->parameter_bytes);
    REQUIRE(later->model->values().size() == now->model->values().size());
    for (value_id id = 0; id < now->model->values().size(); ++id) {
      const auto &a = later->model->value(id), &b = now->model->value(id);
      REQUIRE(a.is_constant() == b.is_constant());
      if (a.is_constant()) CHECK(identical(a.constant, b.constant));
    }
    CHECK(deferred_count(*later->model) == 0); // looked at, they are in memory
  }
}

TEST_CASE("a session packs weights without taking them into memory") {
  const saved_model saved(large_model("g"));
  std::vector<tensor> answers;
  for (const bool defer : {false, true}) {
    const auto imported = saved.import(defer);
    REQUIRE(imported);
    const auto model = rewrite_for_cpu(imported->model);
    REQUIRE(model);
    session_cache sessions(*model, {.threads = 1});
    workspace arena;
    const auto x = input();
    const auto outputs = sessions.run({&x, 1}, arena);
    REQUIRE(outputs);
    answers.push_back((*outputs)[0]);
    CHECK(deferred_count(**model) == (defer ? 2 : 0));
  }
  CHECK(identical(answers[0], answers[1]));
}

TEST_CASE("a model whose file was written to fails, one whose file was replaced does not") {
  const auto compile = [](const saved_model& saved, auto&& change) -> result<void> {
    SHOAL_TRY(const auto imported, saved.import());
    SHOAL_TRY(auto model, rewrite_for_cpu(imported.model));
    change();
    session_cache sessions(std::move(model), {.threads = 1});
    const auto x = input();
    SHOAL_TRY(const auto* compiled, sessions.get({&x, 1}));
    CHECK(compiled != nullptr);
    return {};
  };
  const saved_model saved(large_model("g"));
  CHECK(compile(saved, [&] {
    const auto other = saved.folder.path() / "other.onnx";
    write(other, "something else");
    fs::rename(other, saved.path);
  }));
  const saved_model written(large_model("g"));
  const auto cut = compile(written, [&] { fs::resize_file(written.path, 1000); });
  REQUIRE(!cut);
  CHECK(cut.error().message().find(written.path.string()) != std::string::npos);
  const saved_model touched(large_model("g"));
  const auto changed = compile(
      touched, [&] { fs::last_write_time(touched.path, fs::file_time_type::clock::now()); });
  REQUIRE(!changed);
  CHECK(changed.error().code() == errc::io);
  CHECK(changed.error().message().find("was changed") != std::string::npos);
}

TEST_CASE("a session that runs in steps fails when its weights are gone from the file") {
  auto model = empty_model();
  model.mutable_graph()->clear_input();
  model.mutable_graph()->clear_output();
  declare(*model.mutable_graph()->add_input(), "x", {3, side});
  declare(*model.mutable_graph()->add_input(), "rows", {3}, onnx::TensorProto::BOOL);
  declare(*model.mutable_graph()->add_output(), "y", {});
  add_initializer(model, "w", {side, side}, noise(side * side, 1));
  auto& some = add_node(model, "Compress", {"x", "rows"}, {"some"}); // as many as are wanted
  auto& axis = *some.add_attribute();
  axis.set_name("axis");
  axis.set_type(onnx::AttributeProto::INT);
  axis.set_i(0);
  add_node(model, "MatMul", {"some", "w"}, {"y"});
  const auto rows = tensor::of<bool>({3}, {true, false, true});
  for (const bool gone : {false, true}) {
    CAPTURE(gone);
    const saved_model saved(model);
    const auto imported = saved.import();
    REQUIRE_MESSAGE(imported, (imported ? "" : imported.error().message()));
    session_cache sessions(imported->model, {.threads = 1});
    const std::vector<tensor> inputs{input(), rows};
    REQUIRE(sessions.get(inputs));
    if (gone) fs::resize_file(saved.path, 1000);
    workspace arena;
    const auto outputs = sessions.run(inputs, arena);
    REQUIRE(outputs.has_value() != gone);
    if (gone) CHECK(outputs.error().message().find(saved.path.string()) != std::string::npos);
  }
}

TEST_CASE("raw data of a wrong size are refused whether deferred or not") {
  auto model = large_model("g");
  model.mutable_graph()->mutable_initializer(0)->mutable_raw_data()->append(4, '\0');
  const saved_model saved(model);
  for (const bool defer : {false, true}) {
    const auto refused = saved.import(defer);
    REQUIRE(!refused);
    CHECK(refused.error().code() == errc::malformed);
    CHECK(refused.error().message().find("float32[160,160] takes 102400 bytes, raw_data has "
                                         "102404") != std::string::npos);
  }
}

TEST_CASE("external data that give something twice are refused") {
  auto model = large_model("g");
  auto& w = *model.mutable_graph()->mutable_initializer(0);
  w.set_data_location(onnx::TensorProto::EXTERNAL);
  add_external(w, "location", "w.bin");
  for (const bool defer : {false, true}) CHECK(!saved_model(model).import(defer));
}

TEST_CASE("threads that ask for deferred bytes at once get the same ones") {
  const temporary_folder folder;
  const auto path = folder.path() / "bytes";
  write(path, std::string(100'000, 'x') + std::string(100'000, 'y'));
  auto file = input_file::open(path);
  REQUIRE(file);
  const auto bytes =
      defer_storage(std::make_shared<const input_file>(*std::move(file)), 50'000, 100'000);
  const auto copy = bytes->read_copy(40'000, 20'000);
  REQUIRE(copy);
  CHECK(bytes->deferred());
  std::vector<const std::byte*> seen(4);
  {
    std::vector<std::jthread> threads;
    for (auto& at : seen) threads.emplace_back([&at, &bytes] { at = bytes->data(); });
  }
  for (const auto* at : seen) CHECK(at == bytes->data());
  CHECK(!bytes->deferred());
  CHECK(std::memcmp(bytes->data() + 40'000, (*copy)->data(), 20'000) == 0);
  CHECK(bytes->data()[49'999] == std::byte{'x'});
  CHECK(bytes->data()[50'000] == std::byte{'y'});
}
