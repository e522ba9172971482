// Operations that combine elements along dimensions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_REDUCTIONOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_REDUCTIONOPS_TD

include "needle/Dialect/Needle/IR/NeedleOpBase.td"

class Needle_ReductionOp<string mnemonic> : Needle_InferredOp<mnemonic> {
  let arguments = (ins Needle_FloatTensor:$operand, DenseI64ArrayAttr:$axes,
    UnitAttr:$keepdims);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
  string axesDescription = [{

    The dimensions `axes`, which are ascending, are left out of the result, or
    have size 1 in it when `keepdims` is set. Without axes it is the identity.

    ```mlir
    %y = needle.}] # mnemonic # [{ %x {axes = array<i64: 0, 2>} : tensor<?x8x4xf32> -> tensor<8xf32>
    %z = needle.}] # mnemonic # [{ %x {axes = array<i64: 1>, keepdims} : tensor<?x8xf32> -> tensor<?x1xf32>
    ```
  }];
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, ::std::optional<::mlir::Location> location,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr attributes,
        ::mlir::OpaqueProperties properties, ::mlir::RegionRange regions,
        ::llvm::SmallVectorImpl<::mlir::Type> &inferredReturnTypes) {
      Adaptor adaptor(operands, attributes, properties, regions);
      // Inference runs before the verifier has asked for the attribute.
      if (!adaptor.getAxesAttr())
        return ::mlir::emitOptionalError(location, "'", getOperationName(),
                                         "' op requires attribute 'axes'");
      auto shape = ::needle::inferReductionShape(
          location, getOperationName(),
          ::llvm::cast<::mlir::RankedTensorType>(operands[0].getType()),
          adaptor.getAxes(), adaptor.getKeepdims());
      if (::mlir::failed(shape))
        return ::mlir::failure();
      inferredReturnTypes.push_back(::mlir::RankedTensorType::get(
          *shape, ::mlir::Float32Type::get(context)));
      return ::mlir::success();
    }
    ::needle::ShapeRule $cppClass::getShapeRule() {
      return ::needle::ShapeRule::reduction(getOperand(), getAxes(),
                                            getKeepdims(), getResult());
    }
    ::mlir::OpFoldResult $cppClass::fold(FoldAdaptor) {
      // Nothing is reduced.
      if (getAxes().empty() && getOperand().getType() == getType())
        return getOperand();
      return {};
    }
  }];
}

def Needle_ReduceSumOp : Needle_ReductionOp<"reduce_sum"> {
  let summary = "sum along dimensions";
  let description = [{
    The sum of f32 elements, evaluated in an order that is fixed for one target;
    the oracle evaluates it in f64, rounded once to f32 (N7, which bounds the
    difference). It starts at +0, which is the sum of no elements.
  }] # axesDescription;
}

def Needle_ReduceMaxOp : Needle_ReductionOp<"reduce_max"> {
  let summary = "maximum along dimensions";
  let description = [{
    IEEE 754-2019 maximum (N7) of the elements: NaN if one is NaN, +0 above −0. The
    maximum of no elements is −inf.
  }] # axesDescription;
}

#endif // NEEDLE_DIALECT_NEEDLE_IR_REDUCTIONOPS_TD
