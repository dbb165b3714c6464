#include "runtime/tensor/npy.hpp"
#include "tests/support/run_command.hpp"
#include "tests/support/trio_folder.hpp"

#include <doctest/doctest.h>

using namespace shoal;
using namespace shoal::test;

namespace {

struct trio_files : trio_folder {
  std::string four = folder.path() / "four.npy", five = folder.path() / "five.npy";
  std::string out = folder.path() / "out.npy";

  trio_files() {
    REQUIRE(write_npy(four, tensor::of<float>({1, 4}, {1, 2, 3, -4})));
    REQUIRE(write_npy(five, tensor::of<float>({1, 5}, {1, 2, 3, 4, 5})));
  }
  tensor answer() const {
    auto read = read_npy(out);
    REQUIRE(read);
    return *read;
  }
};

bool says(const std::string& text, const std::string& words) {
  return text.find(words) != std::string::npos;
}

} // namespace

TEST_SUITE_BEGIN("apps");

TEST_CASE("three members answer as one, in this process and on worker processes alike") {
  const trio_files files;
  const auto expected = tensor::of<float>({1, 4}, {-3, -6, -9, 12});
  const auto here = run_shoal(
      {"ensemble", files.file(), "--input", files.four, "--output", files.out, "--threads", "1"});
  INFO(here.err);
  CHECK(here.exit_code == 0);
  CHECK(here.out.empty());
  CHECK(identical(files.answer(), expected));
  CHECK(says(here.err, "max spread"));
  CHECK(says(here.err, "counts"));
  std::filesystem::remove(files.out);
  const auto local = run_shoal({"ensemble", files.file(), "--input", "x=" + files.four, "--output",
                                "y=" + files.out, "--local-nodes", "2", "--threads", "1"});
  INFO(local.err);
  CHECK(local.exit_code == 0);
  CHECK(identical(files.answer(), expected));
}

TEST_CASE("one member that fails is left out when two are enough, and named") {
  const trio_files files;
  for (const std::vector<std::string>& where :
       {std::vector<std::string>{}, {"--local-nodes", "2"}}) {
    std::vector<std::string> words{"ensemble",  files.file(R"(, "quorum": 2)"),
                                   "--input",   files.five,
                                   "--output",  files.out,
                                   "--threads", "1"};
    words.insert(words.end(), where.begin(), where.end());
    const auto ran = run_shoal(words);
    INFO(ran.err);
    CHECK(ran.exit_code == 0);
    CHECK(identical(files.answer(), tensor::of<float>({1, 5}, {-1.5f, -3, -4.5f, -6, -7.5f})));
    CHECK(says(ran.err, "missing"));
    CHECK(says(ran.err, "c: invalid argument: "));
  }
  const auto all = run_shoal({"ensemble", files.file(), "--input", files.five, "--threads", "1"});
  CHECK(all.exit_code == 1);
  CHECK(says(all.err, "ensemble 'trio': 1 of 3 members failed, 3 are needed: 'c': "));
}

TEST_CASE("votes tell how many members agree, and outputs are described like those of infer") {
  const trio_files files;
  const auto ran = run_shoal(
      {"ensemble", files.file("", R"("way": "majority_vote", "values": "logits", "axis": 1)"),
       "--input", files.four, "--threads", "1"});
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(says(ran.err, "100.0 %"));
  CHECK(says(ran.out, "int64[1]"));
}

TEST_CASE("what is wrong with an ensemble is said before anything runs") {
  const trio_files files;
  const auto message = [&](const std::vector<std::string>& words, int exit_code) {
    const auto ran = run_shoal(words);
    CHECK(ran.exit_code == exit_code);
    CHECK(ran.out.empty());
    return ran.err;
  };
  CHECK(message({"ensemble", files.file(R"(, "quorum": 9)"), "--input", files.four}, 1) ==
        "shoal: invalid argument: trio.json: quorum: expected a whole number in [1, 3], got 9\n");
  CHECK(message({"ensemble", files.file(), "--input", files.four, "--output", "z=a.npy"}, 1) ==
        "shoal: not found: the ensemble has no output 'z'; its outputs are 'y'\n");
  CHECK(says(message({"ensemble", files.file()}, 1), "input 'x' is missing"));
  CHECK(says(message({"ensemble", files.folder.path() / "none.json", "--input", files.four}, 1),
             "not found: "));
  CHECK(says(message({"ensemble"}, 2), "ensemble is required"));
  std::filesystem::remove(files.folder.path() / "b.onnx");
  CHECK(says(message({"ensemble", files.file(), "--input", files.four}, 1),
             "not found: member 'b': "));
}

TEST_SUITE_END();
