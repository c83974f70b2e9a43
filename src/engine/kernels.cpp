#include "engine/apply.hpp"

namespace dl::engine {

DeviceKernel KernelTable::find(const std::string& op, Device device) const {
  const auto found = kernels_.find({op, device});
  return found == kernels_.end() ? nullptr : found->second;
}

KernelTable& kernelTable() {
  static KernelTable table;
  return table;
}

DlArray runOnDevice(const char* op, const void* parameters, const Inputs& inputs) {
  for (int i = 0; i < inputs.count(); ++i)
    if (DeviceKernel kernel = kernelTable().find(op, Storage::of(inputs[i]).device)) return kernel(parameters, inputs);
  fail(inputs.where(), "device:noKernel", "{}: not available for arrays on this device; gather them first", op);
}

}  // namespace dl::engine
