//===- Artifact.cpp - From modules to the model of an artifact ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Artifact.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "needle-rt/cpu_features.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "needle/Dialect/NeedleCPU/IR/NeedleCPU.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace needle;
using namespace needle::cpu;

/// The entry points of a module, functions of whichever dialect.
static SmallVector<Operation *> getEntries(ModuleOp module) {
  SmallVector<Operation *> entries;
  for (Operation &op : *module.getBody())
    if (isEntryPoint(&op))
      entries.push_back(&op);
  return entries;
}

static StringRef getName(Operation *entry) {
  return SymbolTable::getSymbolName(entry).getValue();
}

std::vector<std::string> needle::getEntryNames(ModuleOp module) {
  std::vector<std::string> names;
  for (Operation *entry : getEntries(module))
    names.push_back(getName(entry).str());
  return names;
}

static NdlDType getDType(Type element) {
  if (auto quantized = dyn_cast<quant::QuantizedType>(element))
    return quantized.getStorageTypeIntegralWidth() != 8 ? NDL_DTYPE_INVALID
           : quantized.isSigned()                       ? NDL_DTYPE_I8
                                                        : NDL_DTYPE_U8;
  if (element.isF32())
    return NDL_DTYPE_F32;
  if (element.isUnsignedInteger(8))
    return NDL_DTYPE_U8;
  if (element.isSignedInteger(8))
    return NDL_DTYPE_I8;
  if (element.isSignlessInteger(32))
    return NDL_DTYPE_I32;
  return NDL_DTYPE_INVALID;
}

static ndl::QuantizationModel getQuantization(Type element) {
  ndl::QuantizationModel model;
  auto addParameter = [&](double scale, int64_t zeroPoint) {
    model.scales.push_back(float(scale));
    model.zeroPoints.push_back(int32_t(zeroPoint));
  };
  if (auto perTensor = dyn_cast<quant::UniformQuantizedType>(element)) {
    model.kind = NDL_QUANTIZATION_PER_TENSOR;
    addParameter(perTensor.getScale(), perTensor.getZeroPoint());
  } else if (auto perAxis =
                 dyn_cast<quant::UniformQuantizedPerAxisType>(element)) {
    model.kind = NDL_QUANTIZATION_PER_AXIS;
    model.axis = perAxis.getQuantizedDimension();
    for (auto [scale, zeroPoint] :
         llvm::zip_equal(perAxis.getScales(), perAxis.getZeroPoints()))
      addParameter(scale, zeroPoint);
  } else {
    return model;
  }
  auto quantized = cast<quant::QuantizedType>(element);
  model.storageMin = quantized.getStorageTypeMin();
  model.storageMax = quantized.getStorageTypeMax();
  return model;
}

static FailureOr<std::vector<ndl::TensorModel>>
getTensors(Operation *entry, StringRef kind, ArrayRef<EntryTensor> tensors) {
  std::vector<ndl::TensorModel> models;
  for (const EntryTensor &tensor : tensors) {
    ndl::TensorModel model;
    model.name = tensor.name;
    model.dtype = getDType(tensor.type.getElementType());
    if (model.dtype == NDL_DTYPE_INVALID)
      return entry->emitOpError()
             << kind << " '" << tensor.name << "' has the element type "
             << tensor.type.getElementType()
             << ", which an artifact cannot describe";
    if (tensor.type.getRank() > NDL_MAX_RANK)
      return entry->emitOpError()
             << kind << " '" << tensor.name << "' has rank "
             << tensor.type.getRank() << "; an artifact holds at most "
             << NDL_MAX_RANK;
    for (int64_t extent : tensor.type.getShape())
      model.dims.push_back(ShapedType::isDynamic(extent) ? NDL_DYNAMIC
                                                         : extent);
    model.quantization = getQuantization(tensor.type.getElementType());
    models.push_back(std::move(model));
  }
  return models;
}

/// Whether the module declares kernels of a library.
static bool hasKernels(ModuleOp module) {
  return llvm::any_of(*module.getBody(), [](Operation &op) {
    return isa<MapKernelOp, ReduceKernelOp, ContractionKernelOp>(op);
  });
}

LogicalResult needle::setInterface(ndl::ArtifactModel &model, ModuleOp module) {
  for (Operation *entry : getEntries(module)) {
    EntrySignature signature = getSignature(entry);
    auto inputs = getTensors(entry, "input", signature.inputs);
    auto outputs = getTensors(entry, "output", signature.outputs);
    if (failed(inputs) || failed(outputs))
      return failure();
    model.entries.push_back(
        {getName(entry).str(), std::move(*inputs), std::move(*outputs)});
  }
  if (model.entries.empty() && !hasKernels(module))
    return module.emitError("there is no public function to compile");
  if (auto messages = module->getAttrOfType<ArrayAttr>(messagesAttr))
    for (auto message : messages.getAsRange<DictionaryAttr>())
      model.messages.push_back({message.getAs<StringAttr>("text").str(),
                                message.getAs<StringAttr>("location").str()});
  return success();
}

static std::vector<ndl::StepModel> getSteps(Operation *entry) {
  std::vector<ndl::StepModel> steps;
  auto array = entry->getAttrOfType<ArrayAttr>(stepsAttr);
  if (!array)
    return steps;
  for (auto step : array.getAsRange<DictionaryAttr>()) {
    auto text = [&](StringRef key) {
      return step.getAs<StringAttr>(key).str();
    };
    steps.push_back({text("kernel"), text("op"), text("location"), text("note"),
                     step.getAs<IntegerAttr>("macs").getInt()});
  }
  return steps;
}

ArrayRef<char> needle::getWeights(ModuleOp module) {
  auto attribute =
      module->getAttrOfType<DenseResourceElementsAttr>(weightsAttr);
  return attribute ? attribute.getRawHandle().getBlob()->getData()
                   : ArrayRef<char>();
}

/// The index of the module's weights in the model.
static uint32_t addWeights(ndl::ArtifactModel &model, ModuleOp module) {
  ArrayRef<char> weights = getWeights(module);
  if (weights.empty())
    return ndl::BodyModel::noWeights;
  auto bytes = reinterpret_cast<const uint8_t *>(weights.data());
  for (auto [i, known] : llvm::enumerate(model.weights))
    if (ArrayRef<uint8_t>(known) == ArrayRef(bytes, weights.size()))
      return i;
  model.weights.emplace_back(bytes, bytes + weights.size());
  return model.weights.size() - 1;
}

static NdlArchitecture getArchitecture(const CPUTarget &target) {
  switch (target.architecture()) {
  case llvm::Triple::x86_64:
    return NDL_ARCH_X86_64;
  case llvm::Triple::aarch64:
    return NDL_ARCH_AARCH64;
  default:
    return NDL_ARCH_INVALID;
  }
}

FailureOr<uint64_t> needle::getRequiredFeatures(Location location,
                                                const CPUTarget &target) {
  uint64_t features = 0;
  SmallVector<StringRef> names;
  StringRef(target.requiredFeatures).split(names, ',', -1, /*KeepEmpty=*/false);
  for (StringRef name : names) {
    std::optional<uint64_t> bit = ndl::featureBit(
        getArchitecture(target), std::string_view(name.data(), name.size()));
    if (!bit)
      return emitError(location)
             << "target '" << target.name << "' requires the feature '" << name
             << "', which the runtime does not know";
    features |= *bit;
  }
  return features;
}

/// Where a function starts in the image.
static FailureOr<uint64_t> getOffset(Operation *entry, const FlatImage &image,
                                     StringRef suffix) {
  std::string name = (getName(entry) + suffix).str();
  auto found = image.functions.find(name);
  if (found == image.functions.end())
    return entry->emitOpError("the generated code has no function '")
           << name << "'";
  return found->second;
}

/// Names and offsets of the kernels that a body exports.
static LogicalResult addKernels(ndl::ArtifactModel &model, ndl::BodyModel &body,
                                ModuleOp module, const FlatImage &image) {
  std::vector<std::string> names;
  for (auto function : module.getOps<LLVM::LLVMFuncOp>()) {
    if (!function->hasAttr(exportedKernelAttr))
      continue;
    FailureOr<uint64_t> offset = getOffset(function, image, "");
    if (failed(offset))
      return failure();
    names.push_back(function.getName().str());
    body.kernelOffsets.push_back(*offset);
  }
  if (model.bodies.empty())
    model.kernels = names;
  if (names == model.kernels)
    return success();
  return module.emitError("the kernels for '")
         << body.target << "' are not those of the first target";
}

LogicalResult needle::addBody(ndl::ArtifactModel &model, ModuleOp module,
                              const CPUTarget &target,
                              std::optional<FlatImage> image) {
  FailureOr<uint64_t> features = getRequiredFeatures(module.getLoc(), target);
  if (failed(features))
    return failure();
  ndl::BodyModel body;
  body.target = target.name.str();
  body.architecture = getArchitecture(target);
  body.features = *features;
  body.rank = target.preference;
  body.weights = addWeights(model, module);
  for (const ndl::EntryModel &entry : model.entries) {
    Operation *symbol = module.lookupSymbol(entry.name);
    ndl::FunctionModel function;
    function.steps = getSteps(symbol);
    if (image) {
      FailureOr<uint64_t> plan = getOffset(symbol, *image, planSuffix);
      if (failed(plan))
        return failure();
      FailureOr<uint64_t> run = getOffset(symbol, *image, runSuffix);
      if (failed(run))
        return failure();
      function.planOffset = *plan;
      function.runOffset = *run;
    }
    body.functions.push_back(std::move(function));
  }
  if (image) {
    if (failed(addKernels(model, body, module, *image)))
      return failure();
    body.code = std::move(image->bytes);
  }
  model.bodies.push_back(std::move(body));
  return success();
}
