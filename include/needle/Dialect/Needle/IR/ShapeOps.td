// Operations that move elements and compute nothing.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_SHAPEOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_SHAPEOPS_TD

include "needle/Dialect/Needle/IR/NeedleOpBase.td"

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
    DeclareOpInterfaceMethods<Needle_ShapeRuleOpInterface>,
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

def Needle_BroadcastToOp : Needle_ShapedOp<"broadcast_to"> {
  let summary = "repeats elements along new and along stretched dimensions";
  let description = [{
    As NumPy's `broadcast_to`: shapes are aligned at their last dimension; a
    dimension of the operand that is missing or statically 1 stretches to that of
    the result, which must be static; all others are equal.

    ```mlir
    %y = needle.broadcast_to %x : tensor<?x1x4xf32> -> tensor<2x?x3x4xf32>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$operand);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Needle_ReverseOp : Needle_SameTypeOp<"reverse"> {
  let summary = "reverses the order of elements along dimensions";
  let description = [{
    Element i of a dimension among `axes` is element n − 1 − i of the operand, n
    being the dimension's size. The axes are ascending.

    ```mlir
    %y = needle.reverse %x {axes = array<i64: 0, 2>} : tensor<?x4x3xf32> -> tensor<?x4x3xf32>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$operand, DenseI64ArrayAttr:$axes);
  let hasVerifier = 1;
  let hasFolder = 1;
}

def Needle_SliceOp : Needle_InferredOp<"slice"> {
  let summary = "the elements at regular positions";
  let description = [{
    Along dimension i the elements `starts[i]`, `starts[i] + steps[i]`, … below
    `limits[i]`, with 0 ≤ start ≤ limit ≤ size and a positive step. A limit of −1
    is the end. A dynamic dimension is taken whole: start 0, limit −1, step 1.

    ```mlir
    %y = needle.slice %x {starts = array<i64: 0, 2>, limits = array<i64: -1, 8>, steps = array<i64: 1, 3>}
       : tensor<?x8xf32> -> tensor<?x2xf32>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$operand, DenseI64ArrayAttr:$starts,
    DenseI64ArrayAttr:$limits, DenseI64ArrayAttr:$steps);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
}

def Needle_PadOp : Needle_InferredOp<"pad"> {
  let summary = "zeros before, after and between elements";
  let description = [{
    Along dimension i, `low[i]` zeros come before the elements, `interior[i]`
    between each two, and `high[i]` after them; all are at least 0. The zeros are
    +0. A dynamic dimension has no zeros between its elements.

    ```mlir
    %y = needle.pad %x {low = array<i64: 0, 1>, high = array<i64: 0, 2>, interior = array<i64: 0, 1>}
       : tensor<?x4xf32> -> tensor<?x10xf32>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$operand, DenseI64ArrayAttr:$low,
    DenseI64ArrayAttr:$high, DenseI64ArrayAttr:$interior);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = "$operand attr-dict `:` type($operand) `->` type($result)";
  let hasFolder = 1;
}

def Needle_ConcatOp : Needle_InferredOp<"concat"> {
  let summary = "tensors one after the other along a dimension";
  let description = [{
    The operands, of which there is at least one, agree in all dimensions but
    `axis`; that of the result is the sum of theirs.

    ```mlir
    %z = needle.concat %x, %y {axis = 1 : i64} : tensor<?x3xf32>, tensor<?x5xf32> -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Variadic<Needle_FloatTensor>:$operands, I64Attr:$axis);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = "$operands attr-dict `:` type($operands) `->` type($result)";
  let hasFolder = 1;
}

#endif // NEEDLE_DIALECT_NEEDLE_IR_SHAPEOPS_TD
