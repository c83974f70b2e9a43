// Threads of our own beside the one that computes.
#pragma once

namespace dl::cpu {

/// From now on parallel loops that the calling thread starts run on it alone, so that they do not fight for processors.
void useOneThread();

}  // namespace dl::cpu
