#include "kernels/cpu/threads.hpp"

#include <omp.h>

namespace shoal::kernels {

void set_compute_threads(int count) {
  omp_set_num_threads(count);
}

} // namespace shoal::kernels
