// 4-bit weights with a scale, and perhaps a zero point, for each block.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_BLOCKWISEOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_BLOCKWISEOPS_TD

include "needle/Dialect/Needle/IR/NeedleOpBase.td"

def Needle_BlockwiseInts : TensorRankOf<[Needle_UI8, Needle_SI8], [2]>;
def Needle_BlockwiseScales : TensorRankOf<[F32], [2]>;
def Needle_BlockwiseZeroPoints : TensorRankOf<[Needle_UI8], [2]>;

/// A weight of K×N 4-bit integers in blocks along K, and what is made of it.
class Needle_BlockwiseOp<string mnemonic> : Needle_InferredOp<mnemonic> {
  code blockwiseDeclaration = inferenceDeclaration # [{
    /// K, N and the number of blocks along K.
    int64_t getDepth() { return getWeight().getType().getDimSize(0); }
    int64_t getColumns() { return getWeight().getType().getDimSize(1); }
    int64_t getBlocks() { return getScales().getType().getDimSize(0); }
  }];
  let extraClassDeclaration = blockwiseDeclaration;
  let results = (outs Needle_FloatTensor:$result);
}

def Needle_DequantizeBlockwiseOp : Needle_BlockwiseOp<"dequantize_blockwise"> {
  let summary = "4-bit weight to float";
  let description = [{
    N3 with parameters for each block of `block_size` neighbours along K (dimension
    0) of each column:

    `result[k, n] = f32(weight[k, n] − zero_points[b, n]) · scales[b, n]`, b = k / block_size.

    `weight` is K×N and static, `scales` and `zero_points` are ceil(K / block_size)×N:
    the last block may be partial. `block_size` is a power of two from 16 to 65536.
    The integers have 4 bits and lie in a byte each: −8 … 7 in a `si8` tensor, whose
    zero points are 0 and left out, or 0 … 15 in a `ui8` tensor, with zero points
    of the same range. Others are an error of the interpreter and, where the weight
    is constant, of the compiler; compiled code then holds two in a byte.

    ```mlir
    %w = needle.dequantize_blockwise %q, %s zero_points(%z : tensor<32x256xui8>) {block_size = 32 : i64}
       : tensor<1000x256xui8>, tensor<32x256xf32> -> tensor<1000x256xf32>
    ```
  }];
  let arguments = (ins Needle_BlockwiseInts:$weight,
    Needle_BlockwiseScales:$scales,
    Optional<Needle_BlockwiseZeroPoints>:$zero_points, I64Attr:$block_size);
  let assemblyFormat = [{
    $weight `,` $scales (`zero_points` `(` $zero_points^ `:` type($zero_points) `)`)?
    attr-dict `:` type($weight) `,` type($scales) `->` type($result)
  }];
  let hasCanonicalizer = 1;
}

def Needle_QMatmulBlockwiseOp : Needle_BlockwiseOp<"qmatmul_blockwise"> {
  let summary = "matrix multiplication with a 4-bit weight";
  let description = [{
    `result = lhs · weight`, lhs of M×K; `weight`, `scales`, `zero_points` and
    `block_size` as in `dequantize_blockwise`. `activations` says how (N9):

    - `float32` (the default): the weight is dequantized, the products are summed as
      in `matmul`, within a bound of its own.
    - `int8`: each block of each row of lhs is quantized symmetrically to −127 … 127
      when the program runs, the sum of each block is exact, and those of the blocks
      are rescaled and added in f32 in the order of K. The result has the same bits
      everywhere.

    Compiled code needs a constant weight. `matmul` of a `dequantize_blockwise` of
    constants is canonicalized to the first form.

    ```mlir
    %y = needle.qmatmul_blockwise %x, %q, %s {block_size = 32 : i64, activations = #needle.blockwise_activations<int8>}
       : tensor<?x1024xf32>, tensor<1024x256xsi8>, tensor<32x256xf32> -> tensor<?x256xf32>
    ```
  }];
  let arguments = (ins TensorRankOf<[F32], [2]>:$lhs,
    Needle_BlockwiseInts:$weight, Needle_BlockwiseScales:$scales,
    Optional<Needle_BlockwiseZeroPoints>:$zero_points, I64Attr:$block_size,
    DefaultValuedAttr<Needle_BlockwiseActivationsAttr,
                      "::needle::BlockwiseActivations::Float32">:$activations);
  let assemblyFormat = [{
    $lhs `,` $weight `,` $scales
    (`zero_points` `(` $zero_points^ `:` type($zero_points) `)`)? attr-dict
    `:` type($lhs) `,` type($weight) `,` type($scales) `->` type($result)
  }];
}

#endif // NEEDLE_DIALECT_NEEDLE_IR_BLOCKWISEOPS_TD
