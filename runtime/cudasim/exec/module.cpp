// Addresses and initial values of a module's variables.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ptx/module.h"

#include "exec/lanes.h"
#include "exec/program.h"

#include <cstring>

namespace ndl::cudasim {

const Kernel *Module::kernel(std::string_view name) const {
  for (const Kernel &kernel : kernelList)
    if (kernel.name == name)
      return &kernel;
  return nullptr;
}

void Module::bindGlobal(size_t index, uint64_t address) {
  globalList[index].address = address;
  for (Kernel &kernel : kernelList)
    for (const Program::Binding &binding : kernel.program->bindings) {
      if (binding.global != index)
        continue;
      uint8_t *constants = kernel.program->constants.data() + binding.offset;
      for (unsigned i = 0; i < warpSize; ++i)
        setLane<uint64_t>(constants, i,
                          address + static_cast<uint64_t>(binding.addend));
    }
}

std::vector<uint8_t> Module::initialBytes(size_t index) const {
  const GlobalVariable &global = globalList[index];
  std::vector<uint8_t> bytes = global.initial;
  bytes.resize(global.bytes);
  for (const GlobalVariable::Reference &reference : global.references) {
    uint64_t address = globalList[reference.global].address +
                       static_cast<uint64_t>(reference.addend);
    if (reference.offset + sizeof address <= bytes.size())
      std::memcpy(bytes.data() + reference.offset, &address, sizeof address);
  }
  return bytes;
}

} // namespace ndl::cudasim
