#pragma once

namespace shoal::kernels {

/// OpenMP threads that parallel regions started by the calling thread will have from now on. Each
/// thread has its own setting, so executors do not disturb each other.
void set_compute_threads(int count);

/// Ends the OpenMP threads that wait for the calling thread's next parallel region. libgomp lets
/// threads sleep instead of spin for as long as there are more of them than cores, idle ones
/// counted: who only computes now and then must not keep any.
void release_compute_threads();

} // namespace shoal::kernels
