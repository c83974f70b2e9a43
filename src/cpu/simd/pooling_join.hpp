#pragma once
// How elements of a window become one. To be included by the sources in simd/ alone: everything is local to them.

namespace dl::cpu::DLARRAY_ARCH {
namespace {

struct Add {
  template <class U>
  [[gnu::always_inline]] static U join(U a, U b) {
    return a + b;
  }
};
struct Largest {
  template <class U>
  [[gnu::always_inline]] static U join(U a, U b) {
    return b > a ? b : a;
  }
};

}  // namespace
}  // namespace dl::cpu::DLARRAY_ARCH
