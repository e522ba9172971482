// Operations between float and integer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_QUANTIZATIONOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_QUANTIZATIONOPS_TD

include "needle/Dialect/Needle/IR/NeedleOpBase.td"

def Needle_QuantizeOp : Needle_ShapedOp<"quantize"> {
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

def Needle_DequantizeOp : Needle_ShapedOp<"dequantize", [AttrSizedOperandSegments]> {
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

def Needle_RequantizeOp : Needle_ShapedOp<"requantize"> {
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

#endif // NEEDLE_DIALECT_NEEDLE_IR_QUANTIZATIONOPS_TD
