#pragma once

#include "runtime/image/image_source.hpp"
#include "runtime/tensor/image_rows.hpp"

#include <string_view>

namespace shoal {

/// Windows of a picture whose rows come from the top, once. Rows are decoded when a window asks for
/// them and held until `forget_before` drops them. `format` names the file's format in errors.
result<std::unique_ptr<image_source>> open_forward_source(result<std::unique_ptr<image_rows>> rows,
                                                          std::string_view format,
                                                          const image_source_limits& limits);

} // namespace shoal
