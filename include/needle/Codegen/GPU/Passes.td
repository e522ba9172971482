// Passes that turn kernels into code for one CUDA target.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_CODEGEN_GPU_PASSES_TD
#define NEEDLE_CODEGEN_GPU_PASSES_TD

include "mlir/Pass/PassBase.td"

def CUDAEmitKernelLibrary
    : Pass<"needle-cuda-emit-kernel-library", "::mlir::ModuleOp"> {
  let summary = "Emit the kernels of a library for a GPU";
  let description = [{
    Replaces each kernel operation by functions that a GPU runs, in the LLVM
    dialect with scf, arith and vector inside. Their only argument is the context
    that the operation's description fixes, by value; all have 256 threads a
    block.

    - `map_kernel @NAME`: `@NAME`, a thread for each element.
    - `reduce_kernel @NAME`: `@NAME`, a block for each result, and
      `@NAME_columns`, a thread for each result.
    - `contraction_kernel @NAME`: `@NAME`, a block for each tile of the result,
      whose context is FloatMatmulArg or IntegerMatmulArg of LibraryKernels.h; of
      integers also `@NAME_wide`, whose sums are i64, for K above 32768 (N4).

    ```mlir
    needle_cpu.map_kernel @negate {
    ^bb0(%x: f32):
      …
    // gives
    llvm.func @negate(%words: !llvm.ptr {llvm.byval = !llvm.array<14 x i64>})
        attributes {nvvm.kernel, nvvm.reqntid = array<i32: 256>} {
    ```
  }];
  let options = [Option<"target", "target", "std::string", /*default=*/"\"sm_80\"",
                        "Name of the CUDA target">];
  let statistics = [Statistic<"numKernels", "num-kernels", "Functions emitted">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::LLVM::LLVMDialect",
                           "::mlir::NVVM::NVVMDialect",
                           "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

#endif // NEEDLE_CODEGEN_GPU_PASSES_TD
