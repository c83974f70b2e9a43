#pragma once
#include <dlarray/array.hpp>

namespace dl {

/// True when arrays can be moved to a GPU. This version has no GPU plug-in: false. (MATLAB: canUseGPU)
bool canUseGPU() noexcept;
/// The array's device.
Device device(const DlArray& x) noexcept;
/// The array in the memory of the GPU; throws when `canUseGPU()` is false. (MATLAB: gpuArray)
DlArray gpuArray(Operand x);
/// The array in the memory of the CPU. (MATLAB: gather)
DlArray gather(Operand x);

}  // namespace dl
