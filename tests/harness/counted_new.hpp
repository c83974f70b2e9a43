#pragma once
// Counts what is made by `new`. Replaces the operators, so it belongs into one source of a program; sanitizers have operators of their
// own, under which nothing is counted.
#include <malloc.h>

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace dl::test {

inline std::atomic<std::size_t> bytesMade{0}, mostMade{0};

/// The most bytes at a time that `run` makes beside those that were there before.
template <class Run>
std::size_t mostMadeBy(Run&& run) {
  const std::size_t before = bytesMade;
  mostMade = before;
  run();
  return mostMade - before;
}

inline void* counted(void* block) {
  if (!block) throw std::bad_alloc();
  const std::size_t now = bytesMade += malloc_usable_size(block);
  for (std::size_t before = mostMade; before < now && !mostMade.compare_exchange_weak(before, now);) {
  }
  return block;
}
inline void giveBack(void* block) noexcept {
  if (block) bytesMade -= malloc_usable_size(block);
  std::free(block);
}

}  // namespace dl::test

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
void* operator new(std::size_t bytes) { return dl::test::counted(std::malloc(bytes > 0 ? bytes : 1)); }
void* operator new(std::size_t bytes, std::align_val_t align) {
  const auto unit = static_cast<std::size_t>(align);
  return dl::test::counted(std::aligned_alloc(unit, (bytes + unit) / unit * unit));
}
void operator delete(void* block) noexcept { dl::test::giveBack(block); }
void operator delete(void* block, std::size_t) noexcept { dl::test::giveBack(block); }
void operator delete(void* block, std::align_val_t) noexcept { dl::test::giveBack(block); }
void operator delete(void* block, std::size_t, std::align_val_t) noexcept { dl::test::giveBack(block); }
#endif
