// Operations of the needle dialect.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_NEEDLEOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_NEEDLEOPS_TD

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "needle/Dialect/Needle/IR/NeedleBase.td"
include "needle/Dialect/Needle/IR/NeedleInterfaces.td"

/// The tensors among an operation's operands and results have a countable number
/// of elements, and quantized element types that needle computes with.
def Needle_ValidTensorTypes : NativeOpTrait<"ValidTensorTypes"> {
  let cppNamespace = "::needle";
}

class Needle_Op<string mnemonic, list<Trait> traits = []>
    : Op<Needle_Dialect, mnemonic,
         !listconcat([Pure, Needle_ValidTensorTypes], traits)>;

def Needle_InferredResultTypes : NativeOpTrait<"InferredResultTypes"> {
  let cppNamespace = "::needle";
}

/// Infers result types from operands; a result type in the text may be less or
/// more precise in its dynamic dimensions, never contradict.
class Needle_InferredOp<string mnemonic, list<Trait> traits = []>
    : Needle_Op<mnemonic, !listconcat([
        DeclareOpInterfaceMethods<InferTypeOpInterface, ["inferReturnTypes"]>,
        Needle_InferredResultTypes,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>], traits)> {
  code compatibleReturnTypes = [{
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
  let extraClassDeclaration = compatibleReturnTypes;
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

def Needle_ConstantOp : Needle_Op<"constant", [ConstantLike]> {
  let summary = "constant tensor";
  let description = [{
    Weights are `dense_resource` attributes, so that text stays short. The value
    of a quantized constant holds the stored integers: its element type is the
    storage type (`i8`, signless, also for `u8`) of the result's quantized element
    type, and every integer lies in the storage range of that type. A resource
    has data, as many bytes as the type asks for.

    ```mlir
    %bias = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
    %w = needle.constant dense<[[1, -2], [127, -127]]> : tensor<2x2xi8> -> tensor<2x2x!quant.uniform<i8<-127:127>:f32, 0.25>>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Needle_AnyTensor:$result);
  let assemblyFormat = "attr-dict $value `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Contractions
//===----------------------------------------------------------------------===//

def Needle_MatmulOp : Needle_InferredOp<"matmul", [
    DeclareOpInterfaceMethods<Needle_QuantizableOpInterface>]> {
  let summary = "float matrix multiplication with bias and activation";
  let description = [{
    `result = activation(lhs · rhs + bias)` with lhs of shape M×K (K×M when
    `transpose_lhs`), rhs of K×N (N×K when `transpose_rhs`) and bias of N.

    The sum over K is evaluated in an order that is fixed for one target; the
    oracle evaluates it in f64, rounded once to f32 (N7, N8). The bias is added
    in f32 after the sum; the activation is applied last. K that is dynamic on
    one side is compared when the program runs, N of rhs and bias likewise; over
    an empty K the sum is +0.

    ```mlir
    %y = needle.matmul %x, %w bias(%b : tensor<256xf32>) {activation = #needle.activation<relu>}
       : tensor<?x784xf32>, tensor<784x256xf32> -> tensor<?x256xf32>
    ```
  }];
  let arguments = (ins
    Needle_FloatTensor:$lhs, Needle_FloatTensor:$rhs,
    Optional<Needle_FloatTensor>:$bias,
    UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
    DefaultValuedAttr<Needle_ActivationAttr, "::needle::Activation::None">:$activation);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs (`bias` `(` $bias^ `:` type($bias) `)`)? attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let hasCanonicalizer = 1;
}

def Needle_QMatmulOp : Needle_Op<"qmatmul", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "integer matrix multiplication with rescale, bias, activation";
  let description = [{
    Exact integer contraction (N4) of quantized operands followed by the rescale
    of N5:

    `sum = Σ (lhs − lhs_zero_point)(rhs − rhs_zero_point)` over K, plus an i32
    bias (its unit is lhs_scale · rhs_scale); never wraps, never saturates in
    between.

    - result `i32`: the sum modulo 2³². There is no activation, scales have no
      part in it, a bias is i32.
    - result `f32`: `activation(f32(sum) · f32(lhs_scale · rhs_scale) + bias)`, each
      step rounded to f32, never contracted, bias being f32.
    - result quantized per tensor: that value, quantized by N1.

    Without an f32 bias that addition is left out (−0 stays −0). Shapes are those of `needle.matmul`. Parameters are part of the type of an
    operand (`!quant.uniform`; rhs may be per axis along N), or operands: then
    the operand's element type is `ui8` or `si8`, and `lhs_scale`,
    `lhs_zero_point` (`rhs_scale`, `rhs_zero_point`) are rank-0 tensors.

    ```mlir
    %y = needle.qmatmul %x, %w bias(%b : tensor<2xf32>) {activation = #needle.activation<relu>}
       : tensor<?x784x!quant.uniform<u8:f32, 0.0078125:3>>, tensor<784x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
       -> tensor<?x2x!quant.uniform<u8:f32, 0.015625>>
    %z = needle.qmatmul %q, %w lhs_params(%scale, %zp : tensor<f32>, tensor<i32>)
       : tensor<?x784xui8>, tensor<784x256x!quant.uniform<i8:f32, 0.5>> -> tensor<?x256xf32>
    ```
  }];
  let arguments = (ins
    Needle_QMatmulOperand:$lhs, Needle_QMatmulOperand:$rhs,
    Optional<Needle_ScaleTensor>:$lhs_scale,
    Optional<Needle_ZeroPointTensor>:$lhs_zero_point,
    Optional<Needle_ScaleTensor>:$rhs_scale,
    Optional<Needle_ZeroPointTensor>:$rhs_zero_point,
    Optional<Needle_BiasTensor>:$bias,
    UnitAttr:$transpose_lhs, UnitAttr:$transpose_rhs,
    DefaultValuedAttr<Needle_ActivationAttr, "::needle::Activation::None">:$activation);
  let results = (outs Needle_QMatmulResult:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs
    (`lhs_params` `(` $lhs_scale^ `,` $lhs_zero_point `:` type($lhs_scale) `,` type($lhs_zero_point) `)`)?
    (`rhs_params` `(` $rhs_scale^ `,` $rhs_zero_point `:` type($rhs_scale) `,` type($rhs_zero_point) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)? attr-dict
    `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

class Needle_BinaryOp<string mnemonic, list<Trait> traits = []>
    : Needle_InferredOp<mnemonic, traits> {
  let arguments = (ins Needle_FloatTensor:$lhs, Needle_FloatTensor:$rhs);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat =
      "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)";
  let hasFolder = 1;
  string broadcastDescription = [{

    Operands broadcast as in NumPy: shapes are aligned at their last dimension
    and a dimension that is statically 1 stretches. A dynamic dimension never
    stretches.

    ```mlir
    %z = needle.}] # mnemonic # [{ %x, %y : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
    ```
  }];
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *, ::std::optional<::mlir::Location> location,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties, ::mlir::RegionRange,
        ::llvm::SmallVectorImpl<::mlir::Type> &inferredReturnTypes) {
      auto lhs = ::llvm::cast<::mlir::RankedTensorType>(operands[0].getType());
      auto rhs = ::llvm::cast<::mlir::RankedTensorType>(operands[1].getType());
      auto shape = ::needle::inferBroadcastShape(location, getOperationName(), lhs, rhs);
      if (::mlir::failed(shape))
        return ::mlir::failure();
      inferredReturnTypes.push_back(
          ::mlir::RankedTensorType::get(*shape, lhs.getElementType()));
      return ::mlir::success();
    }
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      shapes.push_back(::needle::reifyBroadcast(builder, getLoc(), getResult(),
                                                getLhs(), getRhs()));
      return ::mlir::success();
    }
  }];
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
    ::llvm::LogicalResult $cppClass::reifyResultShapes(
        ::mlir::OpBuilder &builder, ::mlir::ReifiedRankedShapedTypeDims &shapes) {
      shapes.push_back(::needle::reifySameShape(builder, getLoc(), getResult(),
                                                getOperand()));
      return ::mlir::success();
    }
  }];
}

class Needle_UnaryOp<string mnemonic, list<Trait> traits = []>
    : Needle_SameTypeOp<mnemonic, traits> {
  let arguments = (ins Needle_FloatTensor:$operand);
  let hasFolder = 1;
  string example = [{

    ```mlir
    %y = needle.}] # mnemonic # [{ %x : tensor<?x8xf32> -> tensor<?x8xf32>
    ```
  }];
}

def Needle_AddOp : Needle_BinaryOp<"add", [Commutative]> {
  let summary = "elementwise f32 sum";
  let description = [{
    IEEE f32 addition, rounded to nearest, ties to even (N7).
  }] # broadcastDescription;
}
def Needle_SubOp : Needle_BinaryOp<"sub"> {
  let summary = "elementwise f32 difference";
  let description = [{
    IEEE f32 subtraction, rounded to nearest, ties to even (N7).
  }] # broadcastDescription;
}
def Needle_MulOp : Needle_BinaryOp<"mul", [Commutative]> {
  let summary = "elementwise f32 product";
  let description = [{
    IEEE f32 multiplication, rounded to nearest, ties to even (N7).
  }] # broadcastDescription;
}
def Needle_DivOp : Needle_BinaryOp<"div"> {
  let summary = "elementwise f32 quotient";
  let description = [{
    IEEE f32 division, rounded to nearest, ties to even (N7). x / 0 is infinite
    or, for x zero or NaN, NaN.
  }] # broadcastDescription;
}
def Needle_MaximumOp : Needle_BinaryOp<"maximum", [Commutative]> {
  let summary = "elementwise f32 maximum";
  let description = [{
    IEEE 754-2019 maximum (N7): NaN if either operand is NaN, +0 is above −0.
  }] # broadcastDescription;
}
def Needle_MinimumOp : Needle_BinaryOp<"minimum", [Commutative]> {
  let summary = "elementwise f32 minimum";
  let description = [{
    IEEE 754-2019 minimum (N7): NaN if either operand is NaN, −0 is below +0.
  }] # broadcastDescription;
}

def Needle_ReluOp : Needle_UnaryOp<"relu"> {
  let summary = "rectified linear unit";
  let description = [{
    `maximum(operand, +0)` (N5): NaN stays NaN, −0 becomes +0.
  }] # example;
}
def Needle_NegOp : Needle_UnaryOp<"neg"> {
  let summary = "elementwise negation";
  let description = [{
    Flips the sign bit, of NaN and zero too; exact (N7).
  }] # example;
}
def Needle_AbsOp : Needle_UnaryOp<"abs"> {
  let summary = "elementwise magnitude";
  let description = [{
    Clears the sign bit; exact (N7).
  }] # example;
}
def Needle_SqrtOp : Needle_UnaryOp<"sqrt"> {
  let summary = "elementwise square root";
  let description = [{
    IEEE f32 square root, correctly rounded (N7): NaN below zero, −0 stays −0.
  }] # example;
}

//===----------------------------------------------------------------------===//
// Shape
//===----------------------------------------------------------------------===//

def Needle_TransposeOp : Needle_InferredOp<"transpose"> {
  let summary = "permutes dimensions";
  let description = [{
    Dimension i of the result is dimension `permutation[i]` of the operand. A
    per-axis quantized element type keeps its scales; its axis moves along. Moves
    no number: every element type keeps its bits.

    ```mlir
    %t = needle.transpose %x {permutation = array<i64: 1, 0>} : tensor<2x3xf32> -> tensor<3x2xf32>
    ```
  }];
  let arguments = (ins Needle_AnyTensor:$operand, DenseI64ArrayAttr:$permutation);
  let results = (outs Needle_AnyTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Needle_ReshapeOp : Needle_Op<"reshape", [
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "same elements in row-major order, other shape";
  let description = [{
    At most one dimension of the result is dynamic; it follows from the number of
    elements, which is checked when the program runs. Per-axis quantized tensors
    cannot be reshaped. Moves no number: every element type keeps its bits.

    ```mlir
    %r = needle.reshape %x : tensor<?x28x28xf32> -> tensor<?x784xf32>
    ```
  }];
  let arguments = (ins Needle_AnyTensor:$operand);
  let results = (outs Needle_AnyTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

//===----------------------------------------------------------------------===//
// Between float and integer
//===----------------------------------------------------------------------===//

def Needle_QuantizeOp : Needle_Op<"quantize", [
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "float to quantized, static parameters";
  let description = [{
    N1 with the scale and zero point of the result's element type: division by the
    scale in IEEE f32, ties to even, clamped before the conversion; NaN becomes the
    zero point.

    ```mlir
    %q = needle.quantize %x : tensor<?x784xf32> -> tensor<?x784x!quant.uniform<u8:f32, 0.0078125:3>>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$operand);
  let results = (outs Needle_QuantizedTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Needle_DequantizeOp : Needle_Op<"dequantize", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "quantized to float";
  let description = [{
    N3: `f32(operand − zero_point) · scale`, the subtraction in integers, one f32
    multiplication. The parameters are part of the operand's element type, or
    operands when that is `ui8` or `si8`.

    ```mlir
    %x = needle.dequantize %q : tensor<?x784x!quant.uniform<u8:f32, 0.0078125:3>> -> tensor<?x784xf32>
    %y = needle.dequantize %r params(%s, %z : tensor<f32>, tensor<i32>) : tensor<?x784xui8> -> tensor<?x784xf32>
    ```
  }];
  let arguments = (ins Needle_QMatmulOperand:$operand,
    Optional<Needle_ScaleTensor>:$scale, Optional<Needle_ZeroPointTensor>:$zero_point);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = [{
    $operand (`params` `(` $scale^ `,` $zero_point `:` type($scale) `,` type($zero_point) `)`)?
    attr-dict `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Needle_QuantizeDynamicOp : Needle_InferredOp<"quantize_dynamic"> {
  let summary = "float to uint8 with parameters computed from the values";
  let description = [{
    Computes scale and zero point from the range of the whole tensor (N2, uint8
    asymmetric) and quantizes by N1. NaN does not count for the range, ±inf counts
    as ±FLT_MAX; an empty tensor has scale 1 and zero point 0.

    ```mlir
    %q, %scale, %zp = needle.quantize_dynamic %x
       : tensor<?x784xf32> -> tensor<?x784xui8>, tensor<f32>, tensor<i32>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$operand);
  let results = (outs RankedTensorOf<[Needle_UI8]>:$result,
    Needle_ScaleTensor:$scale, Needle_ZeroPointTensor:$zero_point);
  let assemblyFormat = [{
    $operand attr-dict `:` type($operand) `->` type($result) `,` type($scale) `,` type($zero_point)
  }];
}

def Needle_RequantizeOp : Needle_Op<"requantize", [
    DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, ["reifyResultShapes"]>]> {
  let summary = "quantized to quantized with other parameters";
  let description = [{
    N3 with the operand's parameters followed by N1 with the result's.

    ```mlir
    %r = needle.requantize %q : tensor<4x!quant.uniform<u8:f32, 0.5:3>> -> tensor<4x!quant.uniform<i8:f32, 0.25>>
    ```
  }];
  let arguments = (ins Needle_QuantizedTensor:$operand);
  let results = (outs Needle_QuantizedTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Needle_FakeQuantizeOp : Needle_SameTypeOp<"fake_quantize"> {
  let summary = "float rounded to what a quantized type can hold";
  let description = [{
    N1 followed by N3 with the parameters of `type`, float to float.

    ```mlir
    %y = needle.fake_quantize %x {type = !quant.uniform<u8:f32, 0.5:128>} : tensor<4xf32> -> tensor<4xf32>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$operand, TypeAttr:$type);
  let hasVerifier = 1;
}

def Needle_ObserveOp : Needle_SameTypeOp<"observe"> {
  let summary = "marks a value whose range calibration has to learn";
  let description = [{
    The identity. `id` is unique in the module; calibration runs the model with
    every observed value as an additional result and then sets `min` and `max`
    (in units of the value, min ≤ max, infinite where the values are), which the
    pass needle-quantize turns into parameters (N2).

    ```mlir
    %y = needle.observe %x {id = 0 : i64, min = -1.5 : f64, max = 6.0 : f64} : tensor<?x784xf32> -> tensor<?x784xf32>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$operand, I64Attr:$id,
    OptionalAttr<F64Attr>:$min, OptionalAttr<F64Attr>:$max);
  let hasVerifier = 1;
}

#endif // NEEDLE_DIALECT_NEEDLE_IR_NEEDLEOPS_TD
