// What the families of needle operations derive from.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_NEEDLEOPBASE_TD
#define NEEDLE_DIALECT_NEEDLE_IR_NEEDLEOPBASE_TD

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "needle/Dialect/Needle/IR/NeedleBase.td"
include "needle/Dialect/Needle/IR/NeedleInterfaces.td"

/// The tensors among an operation's operands and results have a countable number
/// of elements, and quantized element types that needle computes with.
def Needle_ValidTensorTypes : NativeOpTrait<"ValidTensorTypes"> {
  let cppNamespace = "::needle";
}

/// A float operation on weights that has no integer form.
def Needle_NoIntegerForm : NativeOpTrait<"NoIntegerForm"> {
  let cppNamespace = "::needle";
}

class Needle_Op<string mnemonic, list<Trait> traits = []>
    : Op<Needle_Dialect, mnemonic,
         !listconcat([Pure, Needle_ValidTensorTypes], traits)>;

/// The extents of results follow from a rule about dimensions.
class Needle_ShapedOp<string mnemonic, list<Trait> traits = []>
    : Needle_Op<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<Needle_ShapeRuleOpInterface>,
        ReifyRankedShapedTypeOpInterface], traits)> {
  code reifyResultShapes = [{
    ::llvm::LogicalResult
    reifyResultShapes(::mlir::OpBuilder &builder,
                      ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      ::needle::detail::reifyByShapeRule(getOperation(), getShapeRule(), builder,
                                         shapes);
      return ::mlir::success();
    }
  }];
  let extraClassDeclaration = reifyResultShapes;
}

def Needle_InferredResultTypes : NativeOpTrait<"InferredResultTypes"> {
  let cppNamespace = "::needle";
}

/// Infers result types from operands; a result type in the text may be less or
/// more precise in its dynamic dimensions, never contradict.
class Needle_InferredOp<string mnemonic, list<Trait> traits = []>
    : Needle_ShapedOp<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<InferTypeOpInterface, ["inferReturnTypes"]>,
        Needle_InferredResultTypes], traits)> {
  code inferenceDeclaration = reifyResultShapes # [{
    /// The interface would verify with two errors; InferredResultTypes verifies
    /// the same with one.
    static ::llvm::LogicalResult refineReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location>,
        ::mlir::ValueRange, ::mlir::DictionaryAttr, ::mlir::OpaqueProperties,
        ::mlir::RegionRange, ::llvm::SmallVectorImpl<::mlir::Type> &) {
      return ::mlir::success();
    }
    static bool isCompatibleReturnTypes(::mlir::TypeRange inferred,
                                        ::mlir::TypeRange actual) {
      return ::mlir::succeeded(
          ::mlir::verifyCompatibleShapes(inferred, actual)) &&
          ::llvm::all_of_zip(inferred, actual, [](auto l, auto r) {
            return ::mlir::getElementTypeOrSelf(l) ==
                   ::mlir::getElementTypeOrSelf(r);
          });
    }
  }];
  let extraClassDeclaration = inferenceDeclaration;
}

/// A float operation whose result has the type of its operand.
class Needle_SameTypeOp<string mnemonic, list<Trait> traits = []>
    : Needle_InferredOp<mnemonic, traits> {
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location>,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties, ::mlir::RegionRange,
        ::llvm::SmallVectorImpl<::mlir::Type> &inferredReturnTypes) {
      inferredReturnTypes.push_back(operands[0].getType());
      return ::mlir::success();
    }
    ::needle::ShapeRule $cppClass::getShapeRule() {
      return ::needle::ShapeRule::sameShape(getOperand(), getResult());
    }
  }];
}

#endif // NEEDLE_DIALECT_NEEDLE_IR_NEEDLEOPBASE_TD
