// What passes ask an operation: its integer form, and how shapes relate.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_NEEDLEINTERFACES_TD
#define NEEDLE_DIALECT_NEEDLE_IR_NEEDLEINTERFACES_TD

include "mlir/IR/OpBase.td"

def Needle_QuantizableOpInterface : OpInterface<"QuantizableOpInterface"> {
  let cppNamespace = "::needle";
  let description = [{
    Implemented by a float operation that has an integer form. It says which of
    its operands can be quantized, in which role and granularity, and builds its
    own integer form. The passes that quantize and fuse, and the explanation of
    what stayed float, know operations only through this interface, so a new
    quantizable operation is added in one place.
  }];
  let methods = [
    InterfaceMethod<[{
        The operands that an integer form of this operation takes quantized, in
        operand order. See QuantizableOperand.
      }],
      "::llvm::SmallVector<::needle::QuantizableOperand>",
      "getQuantizableOperands">,
    InterfaceMethod<[{
        Builds the integer form at the builder's insertion point and returns its
        operation, with one result of type `resultType` (float, or quantized
        per tensor when the requantization is to be part of it).

        `quantized` holds one value for each entry of getQuantizableOperands():
        the quantized source of that operand. On failure nothing has been built
        and `reason` says which operand does not fit, and why. The location is
        that of the float operation; its discardable attributes are left to the
        caller.
      }],
      "::mlir::FailureOr<::mlir::Operation *>", "buildIntegerForm",
      (ins "::mlir::OpBuilder &":$builder,
           "::llvm::ArrayRef<::needle::QuantizedOperand>":$quantized,
           "::mlir::Type":$resultType, "::std::string &":$reason)>
  ];
}

def Needle_EpilogueOpInterface : OpInterface<"EpilogueOpInterface"> {
  let cppNamespace = "::needle";
  let description = [{
    Implemented by a float operation that adds an optional bias along the last
    dimension of its one result and then applies an activation function, with
    the roundings of the separate operations. needle-fuse-epilogue knows
    operations only through this interface.
  }];
  let methods = [
    InterfaceMethod<"The bias, null without one.", "::mlir::Value", "getBias">,
    InterfaceMethod<"The activation function.", "::needle::Activation",
                    "getActivation">,
    InterfaceMethod<[{
        Builds the same operation with another location, result type, bias and
        activation function.
      }],
      "::mlir::Operation *", "cloneWithEpilogue",
      (ins "::mlir::OpBuilder &":$builder, "::mlir::Location":$location,
           "::mlir::Type":$resultType, "::mlir::Value":$bias,
           "::needle::Activation":$activation), /*methodBody=*/[{}],
      /*defaultImplementation=*/[{
        auto clone = ::llvm::cast<ConcreteOp>(builder.clone(*$_op));
        clone->setLoc(location);
        clone->getResult(0).setType(resultType);
        if (bias)
          clone.getBiasMutable().assign(bias);
        clone.setActivation(activation);
        return clone.getOperation();
      }]>
  ];
}

def Needle_ShapeRuleOpInterface : OpInterface<"ShapeRuleOpInterface"> {
  let cppNamespace = "::needle";
  let description = [{
    Implemented by an operation that states, as data, which dimensions of its
    operands and results are equal and which are computed from others. From that
    one statement follow the extents of results (`reifyByShapeRule`) and the
    comparisons that are left to run time (the pass
    needle-cpu-build-plan).
  }];
  let methods = [
    InterfaceMethod<"The rule of this operation.", "::needle::ShapeRule",
                    "getShapeRule">
  ];
}

#endif // NEEDLE_DIALECT_NEEDLE_IR_NEEDLEINTERFACES_TD
