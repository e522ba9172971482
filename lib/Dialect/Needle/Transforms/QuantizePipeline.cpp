//===- QuantizePipeline.cpp - Passes from a configuration -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The order of the quantization passes, with the reasons for it.
//
//===----------------------------------------------------------------------===//

#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"
#include "needle/Dialect/Needle/Transforms/Passes.h"
#include "needle/Dialect/Needle/Transforms/Quantize.h"

using namespace needle;
using namespace mlir;

template <typename PassOptions>
static void setSelection(PassOptions &passOptions,
                         const QuantizeOptions &options) {
  passOptions.include.assign(options.include.begin(), options.include.end());
  passOptions.exclude.assign(options.exclude.begin(), options.exclude.end());
}

void needle::addObservePasses(OpPassManager &pm,
                              const QuantizeOptions &options) {
  // A transposed or otherwise computed weight becomes a constant, or a flag of
  // its operation; equal values become one, so that they share an observe.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  InsertObserversPassOptions passOptions;
  setSelection(passOptions, options);
  pm.addPass(createInsertObserversPass(passOptions));
}

void needle::addQuantizePasses(OpPassManager &pm,
                               const QuantizeOptions &options) {
  // As in addObservePasses, for modules that need no calibration.
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
  QuantizePassOptions passOptions;
  passOptions.mode = options.mode;
  passOptions.activationType = options.activationType;
  passOptions.weightType = options.weightType;
  passOptions.weightGranularity = options.weightGranularity;
  setSelection(passOptions, options);
  passOptions.allowUncalibrated = options.allowUncalibrated;
  pm.addPass(createQuantizePass(passOptions));
  // Equal pairs of quantize and dequantize have to become one before fusion: it
  // takes over a quantize only if that is the only user.
  pm.addPass(createCSEPass());
  // Before the integer forms are built, which take bias and activation along.
  pm.addPass(createFuseEpiloguePass());
  pm.addPass(createFuseQuantizedPass());
  pm.addPass(createCanonicalizerPass());
  pm.addPass(createCSEPass());
}
