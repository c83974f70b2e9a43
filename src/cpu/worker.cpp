#include "cpu/worker.hpp"

#ifndef DLARRAY_SERIAL
#include <omp.h>
#endif

namespace dl::cpu {

#ifdef DLARRAY_SERIAL
void useOneThread() {}
#else
void useOneThread() { omp_set_num_threads(1); }
#endif

}  // namespace dl::cpu
