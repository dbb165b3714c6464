#include "kernels/cpu/onednn/converted_argument.hpp"

#include "kernels/kernel.hpp"

namespace shoal::onednn {

converted_argument::converted_argument(program& reader, int role, const memory::desc& original,
                                       const memory::desc& wanted)
    : original_(original), wanted_(wanted), slot_(reader.add_argument(role, wanted)) {
  if (original == wanted) return;
  auto what = build_reorder(original, wanted);
  if (!what) throw kernel_error("oneDNN cannot reorder these weights");
  conversion_.emplace(std::move(*what));
  conversion_->add_argument(DNNL_ARG_FROM, original);
  conversion_->add_argument(DNNL_ARG_TO, wanted);
}

void converted_argument::use_packed(program& reader, std::shared_ptr<const void> packed) {
  packed_ = std::move(packed);
  conversion_.reset();
  reader.bind(slot_, packed_.get());
}

std::size_t converted_argument::scratch_bytes() const {
  if (!conversion_) return 0;
  return whole_lines(wanted_.get_size()) + whole_lines(conversion_->scratch_bytes());
}

void converted_argument::bind(program& reader, const void* source, std::byte* scratch) {
  if (packed_ != nullptr) return;
  if (!conversion_) return reader.bind(slot_, source);
  conversion_->bind(1, source);
  conversion_->bind(2, scratch);
  conversion_->run(scratch + whole_lines(wanted_.get_size()));
  reader.bind(slot_, scratch);
}

} // namespace shoal::onednn
