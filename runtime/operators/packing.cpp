#include "runtime/operators/packing.hpp"

#include <memory>

namespace shoal {
namespace {

result<tensor> packed(const kernels::packing_kernel& k, const tensor& constant) {
  SHOAL_TRY(auto bytes,
            tensor::allocate({dtype::u8, {static_cast<std::int64_t>(k.packed_bytes())}}));
  k.pack(constant.data(), bytes.mutable_data());
  return bytes;
}

} // namespace

result<void> pack_constant(kernels::packing_kernel& k, const prepare_context& c) {
  const auto i = k.packed_input();
  const tensor* constant = i < c.inputs.size() ? c.inputs[i].constant : nullptr;
  if (constant == nullptr || !k.can_pack()) return {};
  const auto form = k.form();
  tensor bytes = *constant;
  if (!form.empty()) {
    SHOAL_TRY(bytes, c.weights.get(*constant, form,
                                   [&](const tensor& original) { return packed(k, original); }));
  }
  const auto* data = bytes.data();
  k.use_packed({std::make_shared<tensor>(std::move(bytes)), data});
  return {};
}

} // namespace shoal
