#pragma once

namespace shoal::kernels {

/// OpenMP threads that parallel regions started by the calling thread will have from now on. Each
/// thread has its own setting, so executors do not disturb each other.
void set_compute_threads(int count);

} // namespace shoal::kernels
