// Memory for what kernels arrange anew.
#pragma once

#include <memory>
#include <new>

#include "cpu/types.hpp"

namespace dl::cpu {

/// Whose memory: of kernels that call nobody who uses it, or of those who call such kernels.
enum class Scratch { kernel, caller };

struct ScratchFree {
  void operator()(void* p) const { ::operator delete (p, std::align_val_t{64}); }
};

/// 64-byte aligned memory of the caller's own.
template <class T>
std::unique_ptr<T, ScratchFree> freshMemory(Index elements) {
  return std::unique_ptr<T, ScratchFree>(
      static_cast<T*>(::operator new (static_cast<std::size_t>(elements) * sizeof(T), std::align_val_t{64})));
}

/// 64-byte aligned memory of this thread, the same at every call, kept because fresh pages would cost more than small products.
/// For what a constant bounds to a few MiB; what grows with the data's sizes is a `ScratchArray`.
template <class T, Scratch of = Scratch::kernel>
T* scratchMemory(Index elements) {
  thread_local std::unique_ptr<T, ScratchFree> memory;
  thread_local Index size = 0;
  if (elements > size) {
    memory.reset();
    size = 0;
    memory = freshMemory<T>(elements);
    size = elements;
  }
  return memory.get();
}

/// Such memory of any size: this thread's up to a few MiB, else given back with the array.
template <class T, Scratch of = Scratch::kernel>
class ScratchArray {
 public:
  explicit ScratchArray(Index elements) {
    constexpr Index kept = (Index{4} << 20) / static_cast<Index>(sizeof(T));
    if (elements > kept) own_ = freshMemory<T>(elements);
    data_ = own_ ? own_.get() : scratchMemory<T, of>(elements);
  }
  T* data() const { return data_; }

 private:
  std::unique_ptr<T, ScratchFree> own_;
  T* data_;
};

}  // namespace dl::cpu
