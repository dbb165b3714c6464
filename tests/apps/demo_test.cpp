#include "runtime/tensor/image.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <thread>

using namespace shoal;
using namespace shoal::test;

TEST_SUITE_BEGIN("apps");

TEST_CASE("the demo shows plan, times and check, writes its picture, and says nothing else") {
  const temporary_folder folder;
  const std::string picture = folder.path() / "picture.png";
  const auto ran = run_shoal({"demo", "--output", picture});
  INFO(ran.out);
  CHECK(ran.exit_code == 0);
  CHECK(ran.err.empty());
  for (const auto* part :
       {"worker-0/cpu0", "worker-1/cpu0", "bytes in", "stage 1 on worker-", "stage 2 on worker-",
        "equals the single-process output, byte for byte"}) {
    CAPTURE(part);
    CHECK(ran.out.find(part) != std::string::npos);
  }
  const auto written = read_image(picture);
  REQUIRE(written);
  CHECK(written->width == 512);
  CHECK(written->height == 512);
}

TEST_CASE("an interrupted demo leaves no files behind") {
  const temporary_folder folder;
  const scoped_variable temporary("TMPDIR", folder.path());
  auto demo = child_process::start(SHOAL_COMMAND, {"demo"}, {}, folder.path() / "demo.err");
  REQUIRE(demo);
  const auto scratch = [&] {
    for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
      if (entry.is_directory()) return true;
    return false;
  };
  for (int tries = 0; tries < 1000 && !scratch(); ++tries)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  REQUIRE(scratch());
  (*demo)->signal(SIGINT);
  REQUIRE((*demo)->wait(std::chrono::seconds(10)));
  CHECK(WIFSIGNALED((*demo)->status()));
  CHECK_FALSE(scratch());
}

TEST_CASE("the demo refuses a picture that it could not write before it starts anything") {
  const auto ran = run_shoal({"demo", "--output", "picture.gif"});
  CHECK(ran.exit_code == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err.find("picture.gif") != std::string::npos);
}

TEST_SUITE_END();
