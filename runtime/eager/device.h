// A device other than the CPU: its memory, and its kernels.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NEEDLE_RUNTIME_EAGER_DEVICE_H
#define NEEDLE_RUNTIME_EAGER_DEVICE_H

#include "eager/batch.h"
#include "eager/elementwise.h"
#include "eager/kernel_library.h"
#include "eager/loop_nest.h"
#include "eager/storage.h"

#include "needle-rt/status.h"

namespace ndl::eager {

/// What eager functions need of a device. Operations run in the order of the
/// calls, perhaps after them; an error of one of them is reported by a later
/// call at the latest when results are read. Usable by several threads at once.
class Device {
public:
  Device() = default;
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;
  virtual ~Device() = default;

  /// What its kernels are compiled for, e.g. "sm_80".
  virtual const char *target() const = 0;
  /// "NVIDIA H100", as the driver calls it.
  virtual const char *name() const = 0;
  /// Its number among those of the driver.
  virtual int ordinal() const = 0;
  /// Whether its memory is that of a simulation, which nobody else can read.
  virtual bool simulated() const = 0;

  /// Uninitialized memory, whose data() is an address of the device. Errors:
  /// NDL_OUT_OF_MEMORY, and those of earlier operations.
  virtual Status allocate(size_t bytes, StoragePtr &storage) const = 0;
  /// Bytes that storages hold, and bytes that are kept for storages to come.
  virtual StorageStats memory() const = 0;

  /// Copies to the device; the host's memory may change afterwards.
  virtual Status write(const void *host, void *device, size_t bytes) const = 0;
  /// Copies to the host, after everything that was launched before.
  virtual Status read(const void *device, void *host, size_t bytes) const = 0;
  /// Waits for everything that was launched.
  virtual Status synchronize() const = 0;
  /// Waits, and gives everything back to the driver: before the process ends.
  virtual Status shutdown() const = 0;

  /// A map kernel on a simplified nest with elements. Operands: the result,
  /// then those of the kernel.
  virtual Status map(MapKernel kernel, LoopNest &nest,
                     const Scalar *scalars) const = 0;
  /// A reduction on simplified nests with elements: `kept` with operands output
  /// and input, `reduced` of at most two dimensions with operand input.
  virtual Status reduce(ReduceKernel kernel, LoopNest &kept,
                        const LoopNest &reduced) const = 0;
  /// The products of a batch, folded, with results.
  virtual Status multiply(const Batch &batch) const = 0;
};

} // namespace ndl::eager

#endif // NEEDLE_RUNTIME_EAGER_DEVICE_H
