//===- Quantization.cpp - C API: calibration and quantization -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-c/Quantization.h"

#include "Module.h"
#include "mlir/Pass/PassManager.h"
#include "needle/Dialect/Needle/Transforms/Passes.h"
#include "needle/Dialect/Needle/Transforms/QuantizationAttributes.h"
#include "needle/Quantization/Blockwise.h"
#include "needle/Quantization/NumericRules.h"
#include "needle/Quantization/Observer.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace needle;
using namespace needle::capi;

namespace {
/// A value whose range is learned: output `output` of the exposed module.
struct ObservedOutput {
  int64_t id;
  size_t output;
  MinMaxObserver observer;
};
} // namespace

struct NeedleCalibration {
  std::shared_ptr<Session> session;
  QuantizeOptions options;
  /// The observed copy of the user's module; null once it is quantized.
  std::unique_ptr<NeedleModule> observed;
  std::unique_ptr<NeedleModule> exposed;
  std::vector<ObservedOutput> outputs;
};

/// Sets `result` to the value of that name, or names the choices.
template <typename Enum>
static NeedleStatus
choose(const char *option, const char *name,
       std::initializer_list<std::pair<const char *, Enum>> choices,
       Enum &result) {
  std::string names;
  for (auto [choice, value] : choices) {
    if (name && StringRef(name) == choice) {
      result = value;
      return NEEDLE_OK;
    }
    names += (names.empty() ? "" : ", ") + ("'" + std::string(choice) + "'");
  }
  return fail(NEEDLE_INVALID_ARGUMENT, llvm::Twine("option ") + option + ": '" +
                                           (name ? name : "") +
                                           "' is none of " + names);
}

static NeedleStatus readOptions(const NeedleQuantizeOptions &options,
                                QuantizeOptions &result) {
  if (NeedleStatus status =
          choose<QuantizationMode>("mode", options.mode,
                                   {{"static", QuantizationMode::Static},
                                    {"dynamic", QuantizationMode::Dynamic}},
                                   result.mode))
    return status;
  if (NeedleStatus status = choose<ActivationType>(
          "activations", options.activations,
          {{"uint8", ActivationType::UInt8}, {"none", ActivationType::None}},
          result.activationType))
    return status;
  if (NeedleStatus status = choose<WeightType>("weights", options.weights,
                                               {{"int8", WeightType::Int8},
                                                {"uint8", WeightType::UInt8},
                                                {"none", WeightType::None}},
                                               result.weightType))
    return status;
  if (NeedleStatus status = choose<WeightGranularity>(
          "granularity", options.granularity,
          {{"per-axis", WeightGranularity::PerAxis},
           {"per-tensor", WeightGranularity::PerTensor}},
          result.weightGranularity))
    return status;
  result.include.assign(options.include, options.include + options.numInclude);
  result.exclude.assign(options.exclude, options.exclude + options.numExclude);
  return NEEDLE_OK;
}

static LogicalResult runPasses(ModuleOp module,
                               llvm::function_ref<void(OpPassManager &)> add) {
  PassManager passes(module.getContext(), ModuleOp::getOperationName());
  add(passes);
  return passes.run(module);
}

/// Makes the module that calibration runs, and an observer for each output that
/// it has in addition.
static LogicalResult expose(NeedleCalibration &calibration) {
  OwningOpRef<ModuleOp> exposed = calibration.observed->module->clone();
  if (failed(runPasses(*exposed, [](OpPassManager &passes) {
        passes.addPass(createExposeObservedPass());
      })))
    return failure();
  for (func::FuncOp function : getEntryPoints(*exposed))
    for (size_t i = 0; i < function.getNumResults(); ++i)
      if (auto id = function.getResultAttrOfType<IntegerAttr>(i, kObservedAttr))
        calibration.outputs.push_back({id.getInt(), i, {}});
  calibration.exposed =
      std::make_unique<NeedleModule>(calibration.session, std::move(exposed));
  return success();
}

NeedleStatus needle_calibration_create(NeedleModule *module,
                                       const NeedleQuantizeOptions *options,
                                       NeedleCalibration **calibration) {
  if (!module)
    return failNull("module");
  if (!calibration)
    return failNull("calibration");
  if (module->entries.size() != 1)
    return fail(NEEDLE_INVALID_ARGUMENT,
                "quantization takes a module with one entry point, this has " +
                    llvm::Twine(module->entries.size()));
  auto made = std::make_unique<NeedleCalibration>();
  made->session = module->session;
  if (options)
    if (NeedleStatus status = readOptions(*options, made->options))
      return status;
  NeedleStatus status = module->session->run([&] {
    OwningOpRef<ModuleOp> observed = module->module->clone();
    bool needsRanges = made->options.mode == QuantizationMode::Static &&
                       made->options.activationType != ActivationType::None;
    if (needsRanges && failed(runPasses(*observed, [&](OpPassManager &passes) {
          addObservePasses(passes, made->options);
        })))
      return failure();
    made->observed =
        std::make_unique<NeedleModule>(made->session, std::move(observed));
    return success(!needsRanges || succeeded(expose(*made)));
  });
  if (status == NEEDLE_OK)
    *calibration = made.release();
  return status;
}

void needle_calibration_destroy(NeedleCalibration *calibration) {
  delete calibration;
}

NeedleModule *needle_calibration_module(NeedleCalibration *calibration) {
  return calibration && !calibration->outputs.empty()
             ? calibration->exposed.get()
             : nullptr;
}

NeedleStatus needle_calibration_observe(NeedleCalibration *calibration,
                                        const NdlTensor *outputs,
                                        size_t numOutputs) {
  if (!calibration)
    return failNull("calibration");
  for (const ObservedOutput &observed : calibration->outputs)
    if (observed.output >= numOutputs || !outputs ||
        outputs[observed.output].dtype != NDL_DTYPE_F32 ||
        outputs[observed.output].strides)
      return fail(NEEDLE_INVALID_ARGUMENT,
                  "these are not the outputs of the calibration module");
  for (ObservedOutput &observed : calibration->outputs) {
    const NdlTensor &tensor = outputs[observed.output];
    size_t size = 1;
    for (int64_t dim : ArrayRef(tensor.shape, tensor.rank))
      size *= dim;
    observed.observer.observe(
        ArrayRef(static_cast<const float *>(tensor.data), size));
  }
  return NEEDLE_OK;
}

NeedleStatus needle_calibration_finish(NeedleCalibration *calibration,
                                       NeedleModule **quantized) {
  if (!calibration)
    return failNull("calibration");
  if (!quantized)
    return failNull("quantized");
  if (!calibration->observed)
    return fail(NEEDLE_INVALID_ARGUMENT, "the calibration is already finished");
  NeedleModule &observed = *calibration->observed;
  NeedleStatus status = calibration->session->run([&]() -> LogicalResult {
    llvm::SmallVector<ObservedRange> ranges;
    for (const ObservedOutput &output : calibration->outputs)
      if (auto range = output.observer.getRange())
        ranges.push_back({output.id, range->min, range->max});
    return success(
        succeeded(setObservedRanges(*observed.module, ranges)) &&
        succeeded(runPasses(*observed.module, [&](OpPassManager &passes) {
          addQuantizePasses(passes, calibration->options);
        })));
  });
  if (status == NEEDLE_OK)
    *quantized = calibration->observed.release();
  return status;
}

NeedleStatus needle_choose_quantization_params(double min, double max,
                                               const char *format, float *scale,
                                               int64_t *zeroPoint) {
  if (!scale)
    return failNull("scale");
  if (!zeroPoint)
    return failNull("zeroPoint");
  const QuantFormat *chosen = nullptr;
  if (NeedleStatus status = choose<const QuantFormat *>(
          "format", format,
          {{"uint8", &kUInt8Asymmetric}, {"int8", &kInt8Symmetric}}, chosen))
    return status;
  QuantParams params = chooseParams(widenRange(min, max), *chosen);
  *scale = params.scale;
  *zeroPoint = params.zeroPoint;
  return NEEDLE_OK;
}

NeedleStatus needle_quantize_blockwise(const float *weight, int64_t depth,
                                       int64_t columns, int64_t blockSize,
                                       int8_t *stored, float *scales,
                                       uint8_t *zeroPoints) {
  if (depth < 0 || columns < 0)
    return fail(NEEDLE_INVALID_ARGUMENT, "a dimension cannot be negative");
  if (!isValidBlockSize(blockSize))
    return fail(NEEDLE_INVALID_ARGUMENT,
                "the size of blocks must be a power of two from " +
                    llvm::Twine(kMinBlockSize) + " to " +
                    llvm::Twine(kMaxBlockSize) + ", not " +
                    llvm::Twine(blockSize));
  size_t size = depth * columns;
  if (size > 0 && (!weight || !stored || !scales))
    return failNull(!weight ? "weight" : !stored ? "stored" : "scales");
  BlockwiseShape shape{depth, columns, blockSize};
  size_t parameters = shape.blocks() * columns;
  quantizeBlockwise(ArrayRef(weight, size), shape,
                    MutableArrayRef(stored, size),
                    MutableArrayRef(scales, parameters),
                    MutableArrayRef(zeroPoints, zeroPoints ? parameters : 0));
  return NEEDLE_OK;
}
