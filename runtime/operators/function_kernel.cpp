#include "runtime/operators/function_kernel.hpp"

#include <utility>

namespace shoal {
namespace {

class wrapped_function final : public kernel {
 public:
  wrapped_function(std::function<void(const kernel_io&)> run, kernel_traits traits)
      : run_(std::move(run)), traits_(std::move(traits)) {}

  void run(const kernel_io& io) override { run_(io); }
  layout input_layout(std::size_t index) const override {
    return index < traits_.inputs.size() ? traits_.inputs[index] : layout::plain;
  }
  layout output_layout(std::size_t) const override { return traits_.output; }
  std::size_t scratch_bytes() const override { return traits_.scratch_bytes; }
  std::optional<std::size_t> overwritable_input() const override { return traits_.overwritable; }
  std::optional<std::size_t> place_in_output(std::size_t index) const override {
    return index < traits_.places.size() ? traits_.places[index] : std::nullopt;
  }

 private:
  std::function<void(const kernel_io&)> run_;
  kernel_traits traits_;
};

} // namespace

std::unique_ptr<kernel> function_kernel(std::function<void(const kernel_io&)> run,
                                        kernel_traits traits) {
  return std::make_unique<wrapped_function>(std::move(run), std::move(traits));
}

} // namespace shoal
