//===- NeedleToLinalg.cpp - Conversion of needle to linalg ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One dialect conversion takes the whole needle dialect to linalg, tensor and
// needle_cpu.
//
//===----------------------------------------------------------------------===//

#include "needle/Conversion/NeedleToLinalg.h"

#include "mlir/Dialect/Quant/IR/QuantTypes.h"
#include "needle/Conversion/Passes.h"
#include "needle/Dialect/Needle/IR/Needle.h"

namespace needle {
#define GEN_PASS_DEF_CONVERTNEEDLETOLINALG
#include "needle/Conversion/Passes.h.inc"
} // namespace needle

using namespace mlir;
using namespace needle;

NeedleTypeConverter::NeedleTypeConverter() {
  addConversion([](Type type) { return type; });
  addConversion([](RankedTensorType type) -> Type {
    Type element = type.getElementType();
    auto i8 = IntegerType::get(type.getContext(), 8);
    if (element.isUnsignedInteger(8) || element.isSignedInteger(8))
      return type.clone(i8);
    auto quantized = dyn_cast<quant::QuantizedType>(element);
    if (!quantized)
      return type;
    return quantized.getStorageTypeIntegralWidth() == 8 ? type.clone(i8)
                                                        : Type();
  });
}

/// Operations that the patterns convert: needle's, and those that only carry
/// its types along.
static bool hasConversion(Operation *op) {
  return isa_and_nonnull<NeedleDialect>(op->getDialect()) ||
         isa<func::CallOp, func::FuncOp, func::ReturnOp, tensor::CastOp,
             tensor::DimOp>(op);
}

/// Says why an operation cannot be converted, before anything is changed.
static LogicalResult verifyConvertible(Operation *op,
                                       const TypeConverter &converter) {
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  if (auto function = dyn_cast<func::FuncOp>(op)) {
    llvm::append_range(types, function.getArgumentTypes());
    llvm::append_range(types, function.getResultTypes());
  }
  for (Type type : types) {
    Type converted = converter.convertType(type);
    if (!converted)
      return op->emitOpError() << "cannot be converted to linalg: " << type
                               << " is not stored in 8 bits";
    if (converted != type && !hasConversion(op))
      return op->emitOpError() << "cannot be converted to linalg: only needle "
                                  "operations work on the type "
                               << type;
  }
  return success();
}

namespace {

class ConvertNeedleToLinalg
    : public needle::impl::ConvertNeedleToLinalgBase<ConvertNeedleToLinalg> {
public:
  using ConvertNeedleToLinalgBase::ConvertNeedleToLinalgBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    NeedleTypeConverter converter;
    if (panel < 1) {
      emitError(module.getLoc(), "convert-needle-to-linalg: the option panel "
                                 "must be positive, got ")
          << panel.getValue();
      return signalPassFailure();
    }
    auto verify = [&](Operation *op) -> WalkResult {
      return verifyConvertible(op, converter);
    };
    if (module.walk<WalkOrder::PreOrder>(verify).wasInterrupted())
      return signalPassFailure();
    recordOriginalTypes(module);
    if (failed(convert(module, converter)))
      signalPassFailure();
  }

private:
  LogicalResult convert(ModuleOp module, const TypeConverter &converter) {
    RewritePatternSet patterns(&getContext());
    populateBatchMatmulPatterns(converter, panel, patterns);
    populateBlockwisePatterns(converter, panel, patterns);
    populateConstantPatterns(converter, patterns);
    populateContractionPatterns(converter, panel, patterns);
    populateConvolutionPatterns(converter, panel, patterns);
    populateConvTransposePatterns(converter, panel, patterns);
    populateElementwisePatterns(converter, patterns);
    populateFuncSignaturePatterns(converter, patterns);
    populateMovingPatterns(converter, patterns);
    populateQuantizeDynamicPatterns(converter, patterns);
    populateQuantizePatterns(converter, patterns);
    populateReductionPatterns(converter, patterns);
    populateShapePatterns(converter, patterns);

    ConversionTarget target(getContext());
    target.addIllegalDialect<NeedleDialect>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return converter.isSignatureLegal(op.getFunctionType());
    });
    target.markUnknownOpDynamicallyLegal(
        [&](Operation *op) { return converter.isLegal(op); });
    return applyFullConversion(module, target, std::move(patterns));
  }
};

} // namespace
