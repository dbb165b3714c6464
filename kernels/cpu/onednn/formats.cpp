#include "kernels/cpu/onednn/formats.hpp"

#include <algorithm>

namespace shoal::onednn {
namespace {

using tag = dnnl::memory::format_tag;

/// oneDNN's name of a layout for tensors of rank 3, 4 and 5.
tag tag_of(layout format, int rank) {
  constexpr tag channels_last[] = {tag::acb, tag::acdb, tag::acdeb};
  constexpr tag blocked_8[] = {tag::aBc8b, tag::aBcd8b, tag::aBcde8b};
  constexpr tag blocked_16[] = {tag::aBc16b, tag::aBcd16b, tag::aBcde16b};
  assert(rank >= 3 && rank <= 5);
  if (format == layout::channels_last) return channels_last[rank - 3];
  return format == layout::blocked_8 ? blocked_8[rank - 3] : blocked_16[rank - 3];
}

} // namespace

dnnl::memory::dims to_dims(const shape& extents) {
  return {extents.begin(), extents.end()};
}

bool representable(const shape& dims) {
  return dims.rank() >= 1 && dims.rank() <= 6 &&
         std::all_of(dims.begin(), dims.end(), [](std::int64_t extent) { return extent > 0; });
}

element_type element_type_of(dtype type) {
  switch (type) {
  case dtype::u8:
    return element_type::u8;
  case dtype::i8:
    return element_type::s8;
  case dtype::i32:
    return element_type::s32;
  default:
    assert(type == dtype::f32);
    return element_type::f32;
  }
}

dnnl::memory::desc described(const shape& dims, layout format, element_type type) {
  if (format == layout::plain) return strided(dims, dims.dense_strides(), type);
  return {to_dims(dims), type, tag_of(format, dims.rank())};
}

dnnl::memory::desc strided(const shape& dims, const shape& strides, element_type type) {
  return {to_dims(dims), type, to_dims(strides)};
}

dnnl::memory::desc any_format(const shape& dims, element_type type) {
  return {to_dims(dims), type, tag::any};
}

std::optional<layout> layout_of(const dnnl::memory::desc& desc, const shape& dims) {
  if (desc == described(dims, layout::plain)) return layout::plain;
  if (dims.rank() < 3 || dims.rank() > 5) return std::nullopt;
  for (const auto format : {layout::channels_last, layout::blocked_8, layout::blocked_16})
    if (desc == described(dims, format)) return format;
  return std::nullopt;
}

layout preferred_layout() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  constexpr auto avx512 = static_cast<unsigned>(dnnl::cpu_isa::avx512_core);
  return (isa & avx512) == avx512 ? layout::channels_last : layout::blocked_8;
}

bool multiplies_bytes_exactly() {
  const auto isa = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  constexpr auto narrow = static_cast<unsigned>(dnnl::cpu_isa::avx2_vnni);
  constexpr auto wide = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_vnni);
  return (isa & narrow) == narrow || (isa & wide) == wide;
}

} // namespace shoal::onednn
