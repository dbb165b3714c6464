#include "kernels/cpu/onednn/program.hpp"

#include "kernels/kernel.hpp"

#include <omp.h>

#include <memory>
#include <string_view>
#include <utility>

namespace shoal::onednn {

program::program(built what) : what_(std::move(what)), stream_(cpu()) {
  add_argument(DNNL_ARG_SCRATCHPAD, what_.description.scratchpad_desc());
}

std::size_t program::add_argument(int role, const memory::desc& format) {
  memories_.emplace_back(format, cpu(), nullptr);
  arguments_.push_back({role, memories_.back().get()});
  return memories_.size() - 1;
}

void program::bind(std::size_t slot, const void* data) {
  memories_[slot].set_data_handle(const_cast<void*>(data)); // sources are only read
}

void program::run(std::byte* scratch) {
  bind(0, scratch);
  // The C interface: the C++ one builds a map and a vector per call.
  const auto status = dnnl_primitive_execute(
      what_.primitive.get(), stream_.get(), static_cast<int>(arguments_.size()), arguments_.data());
  if (status != dnnl_success) throw kernel_error("oneDNN could not run a prepared primitive");
}

std::size_t program::scratch_bytes() const {
  return what_.description.scratchpad_desc().get_size();
}

bool program::is_gemm() const {
  const std::string_view name = what_.description.impl_info_str();
  return name.find("gemm") != name.npos && !name.starts_with("brg");
}

void reorder_once(const memory::desc& from, const void* source, const memory::desc& to,
                  void* target) {
  auto what = build_reorder(from, to);
  if (!what) throw kernel_error("oneDNN cannot reorder these weights");
  program reorder(std::move(*what));
  reorder.bind(reorder.add_argument(DNNL_ARG_FROM, from), source);
  reorder.bind(reorder.add_argument(DNNL_ARG_TO, to), target);
  std::vector<std::byte> scratch(reorder.scratch_bytes() + 64);
  void* aligned = scratch.data();
  std::size_t space = scratch.size();
  reorder.run(static_cast<std::byte*>(std::align(64, reorder.scratch_bytes(), aligned, space)));
}

thread_count_scope::thread_count_scope(int threads) : before_(omp_get_max_threads()) {
  omp_set_num_threads(threads);
}

thread_count_scope::~thread_count_scope() {
  omp_set_num_threads(before_);
}

} // namespace shoal::onednn
