// Memory for what kernels arrange anew.
#pragma once

#include <memory>
#include <new>

#include "cpu/types.hpp"

namespace dl::cpu {

/// Whose memory: of kernels that call nobody who uses it, or of those who call such kernels.
enum class Scratch { kernel, caller };

/// 64-byte aligned memory of this thread, the same at every call: a few MiB at most, kept because fresh pages would cost more than
/// small products.
template <class T, Scratch of = Scratch::kernel>
T* scratchMemory(Index elements) {
  struct Free {
    void operator()(T* p) const { ::operator delete (p, std::align_val_t{64}); }
  };
  thread_local std::unique_ptr<T, Free> memory;
  thread_local Index size = 0;
  if (elements > size) {
    memory.reset();
    size = 0;
    memory.reset(static_cast<T*>(::operator new (static_cast<std::size_t>(elements) * sizeof(T), std::align_val_t{64})));
    size = elements;
  }
  return memory.get();
}

}  // namespace dl::cpu
