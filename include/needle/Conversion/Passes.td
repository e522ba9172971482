// Passes that convert the needle dialect into others.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_CONVERSION_PASSES_TD
#define NEEDLE_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertNeedleToLinalg : Pass<"convert-needle-to-linalg", "::mlir::ModuleOp"> {
  let summary = "Convert needle to linalg, tensor and needle_cpu";
  let description = [{
    Converts every needle operation, and every tensor of quantized type or of
    `ui8` or `si8` into one of signless `i8`:

    - contractions become `needle_cpu.pack_rhs` and `needle_cpu.matmul` or
      `needle_cpu.qmatmul` on `tensor.empty` destinations;
    - elementwise operations, transposes and the operations between float and
      integer become `linalg.generic`; rounding follows N1 to N3 of the
      specification, without fast-math flags and without library calls;
    - constants become `needle_cpu.weight`; those with one repeated value that an
      elementwise operation uses become scalars of its loop body;
    - `observe` is the identity.

    Function signatures are converted; the attribute `needle.type` of arguments
    and results keeps the original type. An operation that cannot be converted is
    an error.

    ```mlir
    func.func @main(%x: tensor<?x!quant.uniform<u8:f32, 0.5>>) -> tensor<?xf32> {
      %0 = needle.dequantize %x
         : tensor<?x!quant.uniform<u8:f32, 0.5>> -> tensor<?xf32>
      return %0 : tensor<?xf32>
    }
    // becomes
    func.func @main(%x: tensor<?xi8> {needle.type = tensor<?x!quant.uniform<u8:f32, 0.5>>})
        -> (tensor<?xf32> {needle.type = tensor<?xf32>}) {
      %0 = linalg.generic … ins(%x : tensor<?xi8>) {
        %1 = arith.extui …
        %2 = arith.sitofp …
        %3 = arith.mulf …
    ```
  }];
  let options = [
    Option<"panel", "panel", "int64_t", /*default=*/"16",
           "Number of columns in a panel of a packed right-hand side; the "
           "target description's panel width">
  ];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::math::MathDialect", "::mlir::scf::SCFDialect",
    "::mlir::tensor::TensorDialect", "::needle::cpu::NeedleCPUDialect"
  ];
}

def CollapseLoops : Pass<"needle-collapse-loops"> {
  let summary = "Merge adjacent loops over contiguous buffers";
  let description = [{
    Merges adjacent loops of a `linalg.generic` on buffers, both parallel or both
    reductions, where every operand has them as adjacent dimensions of contiguous
    memory or does not have them at all. Operations whose body asks for an index,
    or whose maps are no projected permutations, are left alone.

    ```mlir
    linalg.generic {(d0, d1, d2) -> (d0, d1, d2), (d0, d1, d2) -> (d2), …}
      ins(%x, %b : memref<2x3x8xf32>, memref<8xf32>) outs(%y : memref<2x3x8xf32>)
    // becomes
    %0 = memref.collapse_shape %x [[0, 1], [2]] : memref<2x3x8xf32> into memref<6x8xf32>
    %1 = memref.collapse_shape %y [[0, 1], [2]] : memref<2x3x8xf32> into memref<6x8xf32>
    linalg.generic {(d0, d1) -> (d0, d1), (d0, d1) -> (d1), …}
      ins(%0, %b : memref<6x8xf32>, memref<8xf32>) outs(%1 : memref<6x8xf32>)
    ```
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect",
                           "::mlir::memref::MemRefDialect"];
}

def ExpandMath : Pass<"needle-expand-math"> {
  let summary = "Expand exp, log, tanh and powf of f32 into arith";
  let description = [{
    Replaces `math.exp`, `math.log`, `math.tanh` and `math.powf` on f32 and on
    vectors of f32 by `arith` operations, so that kernels call no math library
    and have the same bits on every target (N7, which states the error bounds).
    Nothing is contracted, fast-math flags are not used. Other element types are
    left alone.

    ```mlir
    %y = math.exp %x : vector<8xf32>
    // becomes
    %n = arith.addf …        // x / ln 2, rounded by adding 1.5·2^23
    …                        // a polynomial in x - n · ln 2
    %y = arith.mulf …        // times 2^n
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

#endif // NEEDLE_CONVERSION_PASSES_TD
