#pragma once
#include "core/storage.hpp"

#include <map>
#include <string>

namespace dl::engine {

class Inputs;

/// A kernel of a plug-in: runs the operation whose parameters are at `op` on its inputs.
using DeviceKernel = DlArray (*)(const void* op, const Inputs& inputs);

/// Kernels of other devices by operation and device. The CPU's stand beside each operation; a plug-in enters its own when it is
/// opened.
class KernelTable {
 public:
  void add(const std::string& op, Device device, DeviceKernel kernel) { kernels_[{op, device}] = kernel; }
  DeviceKernel find(const std::string& op, Device device) const;

 private:
  std::map<std::pair<std::string, Device>, DeviceKernel> kernels_;
};
KernelTable& kernelTable();

/// Runs an operation with a kernel of the inputs' device; throws when there is none.
DlArray runOnDevice(const char* op, const void* parameters, const Inputs& inputs);

}  // namespace dl::engine
