#include "runtime/tensor/image.hpp"
#include "tests/support/paths.hpp"
#include "tests/support/run_command.hpp"

#include <doctest/doctest.h>

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

TEST_CASE("the demo refuses a picture that it could not write before it starts anything") {
  const auto ran = run_shoal({"demo", "--output", "picture.gif"});
  CHECK(ran.exit_code == 1);
  CHECK(ran.out.empty());
  CHECK(ran.err.find("picture.gif") != std::string::npos);
}

TEST_SUITE_END();
