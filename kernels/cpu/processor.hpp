#pragma once

#include <string>

namespace shoal::kernels {

/// What the speed of kernels depends on: the processor's name, the instructions that oneDNN uses,
/// and oneDNN's version.
std::string processor();

} // namespace shoal::kernels
