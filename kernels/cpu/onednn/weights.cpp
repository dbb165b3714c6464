#include "kernels/cpu/onednn/weights.hpp"

#include "kernels/kernel.hpp"

namespace shoal::onednn {

weights_argument::weights_argument(const memory::desc& original, const memory::desc& wanted,
                                   std::size_t slot)
    : original_(original), wanted_(wanted), slot_(slot) {
  if (original == wanted) return;
  auto what = build_reorder(original, wanted);
  if (!what) throw kernel_error("oneDNN cannot reorder these weights");
  reorder_.emplace(std::move(*what));
  reorder_->add_argument(DNNL_ARG_FROM, original);
  reorder_->add_argument(DNNL_ARG_TO, wanted);
}

void weights_argument::use_packed(program& reader, std::shared_ptr<const void> packed) {
  packed_ = std::move(packed);
  reorder_.reset();
  reader.bind(slot_, packed_.get());
}

std::size_t weights_argument::scratch_bytes() const {
  return reorder_ ? whole_lines(wanted_.get_size()) + whole_lines(reorder_->scratch_bytes()) : 0;
}

void weights_argument::bind(program& reader, const void* source, std::byte* scratch) {
  if (packed_ != nullptr) return;
  if (!reorder_) return reader.bind(slot_, source);
  reorder_->bind(1, source);
  reorder_->bind(2, scratch);
  reorder_->run(scratch + whole_lines(wanted_.get_size()));
  reader.bind(slot_, scratch);
}

} // namespace shoal::onednn
