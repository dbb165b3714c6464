#pragma once

#include "kernels/view.hpp"
#include "kernels/window.hpp"

#include <oneapi/dnnl/dnnl.hpp>

#include <optional>

/// Between our extents and layouts and oneDNN's memory descriptors. Elements are float32 unless
/// another type is named.
namespace shoal::onednn {

dnnl::memory::dims to_dims(const shape& extents);

/// Whether oneDNN addresses tensors of this shape: rank 1 to 6 and no extent of 0.
bool representable(const shape& dims);

using element_type = dnnl::memory::data_type;
/// oneDNN's name of float32, int32, int8 or uint8.
element_type element_type_of(dtype type);

/// `dims` in `format`; layouts other than plain need rank 3 to 5.
dnnl::memory::desc described(const shape& dims, layout format,
                             element_type type = element_type::f32);
/// `dims` with these distances between neighbours along each axis.
dnnl::memory::desc strided(const shape& dims, const shape& strides,
                           element_type type = element_type::f32);
/// `dims` in whatever format the primitive likes best.
dnnl::memory::desc any_format(const shape& dims, element_type type = element_type::f32);

/// The layout that `desc`, a tensor of extents `dims`, is in; nullopt when it is none of ours.
std::optional<layout> layout_of(const dnnl::memory::desc& desc, const shape& dims);

/// The layout that convolutions like best on this processor. Kernels that could work in any layout,
/// but round differently in each, all work in this one.
layout preferred_layout();

/// Whether this processor multiplies 8-bit integers without intermediate sums of 16 bits, which
/// overflow.
bool multiplies_bytes_exactly();

} // namespace shoal::onednn
