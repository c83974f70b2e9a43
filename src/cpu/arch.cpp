#include "cpu/arch.hpp"

namespace dl::cpu {
namespace {

Arch detect() {
#if DLARRAY_X86
  __builtin_cpu_init();
  const bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi") &&
                  __builtin_cpu_supports("bmi2");
  const bool v4 = v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  return v4 ? Arch::v4 : v3 ? Arch::v3 : Arch::v2;
#else
  return Arch::v2;
#endif
}

}  // namespace

Arch arch() {
  static const Arch detected = detect();
  return detected;
}

}  // namespace dl::cpu
