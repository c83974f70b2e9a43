// Which of the compiled variants of a kernel this machine can run.
#pragma once

namespace dl::cpu {

/// The x86-64 levels the kernels in simd/ are compiled for: SSE4.2, AVX2 with FMA, AVX-512.
enum class Arch { v2, v3, v4 };

/// The highest level this machine supports, asked once; v2 on other processors, the only variant there.
Arch arch();

/// The variant of a function that belongs to `arch()`.
template <class F>
F forArch(F v2, F v3, F v4) {
  switch (arch()) {
    case Arch::v4:
      return v4;
    case Arch::v3:
      return v3;
    default:
      return v2;
  }
}

}  // namespace dl::cpu

// A pointer to the variant of the function (named as inside its namespace v2) that this machine should run.
#if DLARRAY_X86
#define DLARRAY_FOR_ARCH(...) ::dl::cpu::forArch(&v2::__VA_ARGS__, &v3::__VA_ARGS__, &v4::__VA_ARGS__)
#else
#define DLARRAY_FOR_ARCH(...) (&v2::__VA_ARGS__)
#endif
