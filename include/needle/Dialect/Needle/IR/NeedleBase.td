// The needle dialect, its attributes and type constraints.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_NEEDLEBASE_TD
#define NEEDLE_DIALECT_NEEDLE_IR_NEEDLEBASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/BuiltinTypeInterfaces.td"
include "mlir/Dialect/Quant/IR/QuantBase.td"

def Needle_Dialect : Dialect {
  let name = "needle";
  let cppNamespace = "::needle";
  let summary = "Neural networks on tensors, float or quantized";
  let description = [{
    A small dialect that represents models on value-semantic tensors: float
    operations, the quantize and dequantize operations between the float and
    the integer world, and the integer operations that a quantized model is made
    of. The meaning of every operation is fixed by the numbered rules N1 to N9 of
    docs/Spec.md and executed by the reference interpreter.

    Static quantization parameters, per tensor or per axis, live in the element
    type: `!quant.uniform` with 8-bit storage, signed or unsigned, and f32 as the
    expressed type. A scale is a positive f32 value (a decimal that is none, such as
    0.1, is an error that says what to write), a zero point lies in the storage
    range, an axis is a static dimension. Parameters that are known only at run
    time are operands: a scale `tensor<f32>` and a zero point `tensor<i32>` beside
    a tensor of `ui8` or `si8`.

    All tensors are ranked; every dimension may be dynamic. A dynamic dimension
    never broadcasts: where two dimensions must agree and one of them is dynamic,
    they are compared when the program runs and a difference is an error that
    names the operation's source location.
  }];
  // Result shapes are reified with arith and tensor operations.
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::quant::QuantDialect",
    "::mlir::tensor::TensorDialect"
  ];
  let hasConstantMaterializer = 1;
  let useDefaultAttributePrinterParser = 1;
}

//===----------------------------------------------------------------------===//
// Attributes
//===----------------------------------------------------------------------===//

def Needle_Activation : I32EnumAttr<"Activation",
    "function applied to the result of a contraction", [
      I32EnumAttrCase<"None", 0, "none">,
      I32EnumAttrCase<"Relu", 1, "relu">]> {
  let cppNamespace = "::needle";
  let genSpecializedAttr = 0;
}

def Needle_ActivationAttr
    : EnumAttr<Needle_Dialect, Needle_Activation, "activation"> {
  let assemblyFormat = "`<` $value `>`";
}

def Needle_Predicate : I32EnumAttr<"Predicate", "comparison of two floats", [
    I32EnumAttrCase<"Eq", 0, "eq">, I32EnumAttrCase<"Ne", 1, "ne">,
    I32EnumAttrCase<"Lt", 2, "lt">, I32EnumAttrCase<"Le", 3, "le">,
    I32EnumAttrCase<"Gt", 4, "gt">, I32EnumAttrCase<"Ge", 5, "ge">]> {
  let cppNamespace = "::needle";
  let genSpecializedAttr = 0;
}

def Needle_PredicateAttr
    : EnumAttr<Needle_Dialect, Needle_Predicate, "predicate"> {
  let assemblyFormat = "`<` $value `>`";
}

def Needle_BlockwiseActivations : I32EnumAttr<"BlockwiseActivations",
    "what the activations are multiplied as", [
      I32EnumAttrCase<"Float32", 0, "float32">,
      I32EnumAttrCase<"Int8", 1, "int8">]> {
  let cppNamespace = "::needle";
  let genSpecializedAttr = 0;
}

def Needle_BlockwiseActivationsAttr
    : EnumAttr<Needle_Dialect, Needle_BlockwiseActivations, "blockwise_activations"> {
  let assemblyFormat = "`<` $value `>`";
}

//===----------------------------------------------------------------------===//
// Type constraints
//===----------------------------------------------------------------------===//

def Needle_Quantized : Type<
    CPred<"::llvm::isa<::mlir::quant::UniformQuantizedType, "
          "::mlir::quant::UniformQuantizedPerAxisType>($_self)">,
    "uniform quantized type, per tensor or per axis",
    "::mlir::quant::QuantizedType">;
def Needle_UI8 : UI<8>;
def Needle_SI8 : SI<8>;

def Needle_FloatTensor : RankedTensorOf<[F32]>;
def Needle_QuantizedTensor : RankedTensorOf<[Needle_Quantized]>;
/// Integers whose scale and zero point are operands, not part of the type.
def Needle_RawIntTensor : RankedTensorOf<[Needle_UI8, Needle_SI8]>;
def Needle_Int32Tensor : RankedTensorOf<[I32]>;
def Needle_AnyTensor
    : RankedTensorOf<[F32, I32, Needle_UI8, Needle_SI8, Needle_Quantized]>;
def Needle_QMatmulOperand
    : RankedTensorOf<[Needle_UI8, Needle_SI8, Needle_Quantized]>;
def Needle_QMatmulResult : RankedTensorOf<[F32, I32, Needle_Quantized]>;
def Needle_BiasTensor : RankedTensorOf<[F32, I32]>;
def Needle_ScaleTensor : TensorRankOf<[F32], [0]>;
def Needle_ZeroPointTensor : TensorRankOf<[I32], [0]>;

#endif // NEEDLE_DIALECT_NEEDLE_IR_NEEDLEBASE_TD
