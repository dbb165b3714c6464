#include "runtime/graph/onnx_export.hpp"
#include "tests/support/zoo.hpp"

#include <cstdio>

/// Writes a model of the zoo as a file: make_zoo resnet50 /tmp/resnet50.onnx size=160
int main(int count, char** arguments) {
  if (count < 3) {
    std::fprintf(stderr, "usage: make_zoo NAME OUT.onnx [key=number ...]\n"
                         "names: resnet50, mobilenet_v2, squeezenet, esrgan_slim, bert_base, "
                         "random\n");
    return 2;
  }
  const auto model = shoal::test::make_model(arguments[1], {arguments + 3, arguments + count});
  if (!model) {
    std::fprintf(stderr, "make_zoo: %s\n", model.error().message().c_str());
    return 1;
  }
  if (const auto written = shoal::export_onnx_file(*model, arguments[2]); !written) {
    std::fprintf(stderr, "make_zoo: %s\n", written.error().message().c_str());
    return 1;
  }
  return 0;
}
