// What the driver needs to know of a PTX module: kernels and variables.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_CUDASIM_PTX_MODULE_H
#define NEEDLE_CUDASIM_PTX_MODULE_H

#include "ptx/type.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ndl::cudasim {

struct Program;

struct Diagnostic {
  int line = 0;
  std::string message;
};

/// A parameter of a kernel, at its place in the parameter buffer.
struct Parameter {
  std::string name;
  uint64_t offset = 0;
  uint64_t size = 0;
  uint64_t align = 1;
};

struct Kernel {
  std::string name;
  std::vector<Parameter> parameters;
  uint64_t totalParameterBytes = 0;
  /// Registers that occur in instructions, by width; device functions included.
  uint32_t registers16 = 0;
  uint32_t registers32 = 0;
  uint32_t registers64 = 0;
  uint32_t predicates = 0;
  uint64_t staticSharedBytes = 0;
  /// By thread.
  uint64_t localBytes = 0;
  /// .reqntid and .maxntid; zeros if absent.
  std::array<uint32_t, 3> requiredThreads = {0, 0, 0};
  std::array<uint32_t, 3> maximumThreads = {0, 0, 0};
  /// .minnctapersm; 0 if absent.
  uint32_t minimumBlocks = 0;
  int line = 0;
  std::shared_ptr<Program> program;
};

/// A module-scope variable in .global or .const memory.
struct GlobalVariable {
  struct Reference {
    uint64_t offset;
    uint32_t global;
    int64_t addend;
  };

  std::string name;
  Space space = Space::Global;
  uint64_t bytes = 0;
  uint64_t align = 1;
  /// The initialized beginning; the rest is zero. See Module::initialBytes.
  std::vector<uint8_t> initial;
  /// Addresses of other globals in the initializer.
  std::vector<Reference> references;
  uint64_t address = 0;
};

class Module {
public:
  /// 10 * major + minor: 63 for .version 6.3.
  int version() const { return isaVersion; }
  /// 80 for .target sm_80.
  int target() const { return architecture; }
  /// 'a' or 'f' as in sm_90a; else 0.
  char targetSuffix() const { return suffix; }
  int addressSize() const { return 64; }

  const std::vector<Kernel> &kernels() const { return kernelList; }
  /// Null if there is none of that name.
  const Kernel *kernel(std::string_view name) const;
  const std::vector<GlobalVariable> &globals() const { return globalList; }

  /// Says where a global is. All must be bound before a launch.
  void bindGlobal(size_t index, uint64_t address);
  /// What to copy to a global once all are bound: `bytes` of it, the rest of
  /// the initializer zero.
  std::vector<uint8_t> initialBytes(size_t index) const;

  // Filled by parse().
  int isaVersion = 0;
  int architecture = 0;
  char suffix = 0;
  std::vector<Kernel> kernelList;
  std::vector<GlobalVariable> globalList;
  /// What the instructions' texts point into.
  std::shared_ptr<const std::string> source;
};

/// Parses and checks PTX; the text ends with its size or the first NUL. False
/// with a diagnostic.
bool parse(std::string_view text, Module &module, Diagnostic &diagnostic);

} // namespace ndl::cudasim

#endif // NEEDLE_CUDASIM_PTX_MODULE_H
