// Elementwise operations: launching map kernels.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "eager/elementwise.h"

#include "eager/copy.h"
#include "eager/device.h"
#include "eager/kernel_words.h"
#include "eager/loop_nest.h"
#include "eager/split.h"

#include "code_image.h"
#include "dtype.h"
#include "float_environment.h"

#include <algorithm>

namespace ndl::eager {
namespace {

/// One operation on the elements of a nest.
struct Launch {
  NdlTask task;
  const Scalar *scalars;
  int32_t numScalars;
};

/// Runs the kernel on a simplified nest on this thread. The nest's pointers
/// move and return.
NEEDLE_CALLS_GENERATED_CODE
void runSerially(const Launch &launch, LoopNest &nest) {
  MapWords words(nest, launch.scalars, launch.numScalars);
  Odometer odometer(nest, words.outerDims());
  do {
    launch.task(words.at(nest), 0, words.planes(), 0);
  } while (odometer.next());
}

/// Runs the kernel on a simplified nest, by several threads if it is large.
Status run(const KernelLibrary &library, const Launch &launch, LoopNest &nest) {
  int64_t threads = library.threads();
  if (threads == 1 || nest.size() < parallelElements) {
    DefaultFloatEnvironment environment;
    runSerially(launch, nest);
    return {};
  }
  return forEachPiece(library, nest, chooseSplit(nest, 1, threads),
                      [&](LoopNest &piece) { runSerially(launch, piece); });
}

/// Adds an operand of the nest's shape, or broadcasts it.
Status addOperand(MapKernel kernel, const View &x, LoopNest &nest) {
  const MapSignature &signature = signatureOf(kernel);
  if (x.dtype != signature.operand)
    return {NDL_INVALID_ARGUMENT, std::string(signature.name) + " takes " +
                                      dtypeName(signature.operand) +
                                      " arrays, not " + dtypeName(x.dtype)};
  nest.addBroadcast(x);
  return {};
}

/// Computes a result that shares no memory with operands that matters.
Status launchMap(const KernelLibrary &library, MapKernel kernel,
                 const View &result, const View *const *operands,
                 const Scalar *scalars) {
  const KernelSlot &slot = library[kernel];
  const MapSignature &signature = signatureOf(kernel);
  if (!slot.task && !library.device())
    return missingKernel(signature.name);
  LoopNest nest;
  nest.add(result);
  for (int32_t i = 0; i < signature.numOperands; ++i)
    if (Status status = addOperand(kernel, *operands[i], nest); !status.ok())
      return status;
  slot.launches.fetch_add(1, std::memory_order_relaxed);
  if (nest.size() == 0)
    return {};
  nest.simplify();
  if (library.device())
    return library.device()->map(kernel, nest, scalars);
  return run(library, {slot.task, scalars, signature.numScalars}, nest);
}

Status checkResult(MapKernel kernel, const View &result) {
  const MapSignature &signature = signatureOf(kernel);
  const char *problem = nullptr;
  if (result.dtype != signature.result)
    return {NDL_INVALID_ARGUMENT, std::string(signature.name) + " gives " +
                                      dtypeName(signature.result) +
                                      ", not an array of type " +
                                      dtypeName(result.dtype)};
  if (!result.storage->writable())
    problem = "the memory of the array is read-only";
  bool empty = result.size() == 0;
  for (int32_t d = 0; d < result.rank && !empty; ++d)
    if (result.strides[d] == 0 && result.shape[d] > 1)
      problem = "several elements of the array are the same memory (it is "
                "broadcast)";
  if (problem)
    return {NDL_INVALID_ARGUMENT,
            std::string("cannot write: ") + problem + "; write to a copy"};
  return {};
}

Status checkShapes(MapKernel kernel, const View &result,
                   const View *const *operands) {
  for (int32_t i = 0; i < signatureOf(kernel).numOperands; ++i) {
    const View &x = *operands[i];
    if (x.rank != result.rank ||
        !std::equal(x.shape, x.shape + x.rank, result.shape))
      return {NDL_INVALID_ARGUMENT, std::string(nameOf(kernel)) +
                                        ": an operand of shape " +
                                        formatShape(x.rank, x.shape) +
                                        " does not fit the result of shape " +
                                        formatShape(result.rank, result.shape)};
  }
  return {};
}

} // namespace

Status mapInto(const KernelLibrary &library, MapKernel kernel,
               const View &result, const View *const *operands,
               const Scalar *scalars) {
  Status status = checkResult(kernel, result);
  if (status.ok())
    status = checkShapes(kernel, result, operands);
  if (!status.ok())
    return status;
  bool overlaps = false;
  for (int32_t i = 0; i < signatureOf(kernel).numOperands; ++i)
    overlaps |=
        mayOverlap(result, *operands[i]) && !sameElements(result, *operands[i]);
  if (!overlaps)
    return launchMap(library, kernel, result, operands, scalars);
  View copy;
  status = allocate(library, result.dtype, result.rank, result.shape, copy);
  if (status.ok())
    status = launchMap(library, kernel, copy, operands, scalars);
  return status.ok() ? copyInto(library, result, copy) : status;
}

Status unary(const KernelLibrary &library, MapKernel kernel, const View &x,
             View &result, const Scalar *scalars) {
  View made;
  Status status =
      allocate(library, signatureOf(kernel).result, x.rank, x.shape, made);
  const View *operands[] = {&x};
  if (status.ok())
    status = launchMap(library, kernel, made, operands, scalars);
  if (status.ok())
    result = std::move(made);
  return status;
}

Status binary(const KernelLibrary &library, MapKernel kernel, const View &a,
              const View &b, View &result) {
  int32_t rank;
  int64_t shape[maxRank];
  Status status =
      broadcastShapes(a.rank, a.shape, b.rank, b.shape, rank, shape);
  if (!status.ok())
    return status.in(nameOf(kernel));
  View made;
  status = allocate(library, signatureOf(kernel).result, rank, shape, made);
  const View *operands[] = {&a, &b};
  if (status.ok())
    status = launchMap(library, kernel, made, operands, nullptr);
  if (status.ok())
    result = std::move(made);
  return status;
}

} // namespace ndl::eager
