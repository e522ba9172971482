// Matrix multiplications, float and integer.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_CONTRACTIONOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_CONTRACTIONOPS_TD

include "needle/Dialect/Needle/IR/NeedleOpBase.td"

def Needle_MatmulOp : Needle_InferredOp<"matmul", [
    Needle_EpilogueOpInterface,
    DeclareOpInterfaceMethods<Needle_QuantizableOpInterface>]> {
  let summary = "float matrix multiplication with bias and activation";
  let description = [{
    `result = activation(lhs · rhs + bias)` with lhs of shape M×K (K×M when
    `transpose_lhs`), rhs of K×N (N×K when `transpose_rhs`) and bias of N.

    Dimensions before these two are a batch: each matrix of lhs is multiplied by
    that of rhs. Batch dimensions broadcast as in NumPy: they are aligned at the
    last one and a dimension that is statically 1, or missing, stretches; a
    dynamic dimension never stretches. Only matrices without a batch have an
    integer form.

    The sum over K is evaluated in an order that is fixed for one target; the
    oracle evaluates it in f64, rounded once to f32 (N7, N8). The bias is added
    in f32 after the sum; the activation is applied last. K that is dynamic on
    one side is compared when the program runs, N of rhs and bias likewise; over
    an empty K the sum is +0.

    ```mlir
    %y = needle.matmul %x, %w bias(%b : tensor<256xf32>) {activation = #needle.activation<relu>}
       : tensor<?x784xf32>, tensor<784x256xf32> -> tensor<?x256xf32>
    %z = needle.matmul %q, %k {transpose_rhs} : tensor<?x4x16x8xf32>, tensor<?x4x32x8xf32> -> tensor<?x4x16x32xf32>
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

def Needle_QMatmulOp : Needle_ShapedOp<"qmatmul", [AttrSizedOperandSegments]> {
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

    Without an f32 bias that addition is left out (−0 stays −0). Shapes are those
    of `needle.matmul` without a batch. Parameters are part of the type of an
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

#endif // NEEDLE_DIALECT_NEEDLE_IR_CONTRACTIONOPS_TD
