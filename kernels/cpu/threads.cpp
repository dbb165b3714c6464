#include "kernels/cpu/threads.hpp"

#include <omp.h>

namespace shoal::kernels {

void set_compute_threads(int count) {
  omp_set_num_threads(count);
}

void release_compute_threads() {
  omp_pause_resource_all(omp_pause_soft);
}

} // namespace shoal::kernels
