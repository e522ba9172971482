// Passes that turn linalg and needle_cpu into code for one CPU target.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_CODEGEN_CPU_PASSES_TD
#define NEEDLE_CODEGEN_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

//===----------------------------------------------------------------------===//
// Entry points, memory, steps
//===----------------------------------------------------------------------===//

def CPUBuildPlan : Pass<"needle-cpu-build-plan", "::mlir::ModuleOp"> {
  let summary = "Record signatures; derive output shapes and shape checks";
  let description = [{
    For each public function F of needle operations (an entry point):

    - records its signature, with names and original types, as the attribute
      `needle.signature` of F;
    - adds a private function `@F.shapes` from the dynamic dimensions of F's
      inputs, in order, to (status, all dimensions of F's outputs). The status is
      0, or 1 + the index of the message of the first shape equality that does
      not hold. Messages are appended to the attribute `needle.messages` of the
      module.

    ```mlir
    func.func @main(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
      %0 = needle.add %x, %y : …
    // gives
    func.func private @main.shapes(%x0: index, %y0: index) -> (i64, index) {
      %ne = arith.cmpi ne, %x0, %y0 : index
      %status = arith.select %ne, %c1_i64, %c0_i64 : i64
      return %status, %x0 : i64, index
    ```

    Equalities between static dimensions are the verifiers' business.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::tensor::TensorDialect"];
}

def CPUTagOrigins : Pass<"needle-cpu-tag-origins", "::mlir::ModuleOp"> {
  let summary = "Put the name of each needle operation into its location";
  let description = [{
    Locations survive lowering and fusion, so that needle-cpu-mark-steps can tell
    which operations a loop nest executes:
    `loc("a.mlir":1:2)` becomes `loc(fused<"needle.add">["a.mlir":1:2])`.
  }];
}

def CPUProtectInputs : Pass<"needle-cpu-protect-inputs", "::mlir::ModuleOp"> {
  let summary = "Forbid bufferization to write into inputs of entry points";
  let description = [{
    Sets `bufferization.writable = false` on the tensor arguments of entry points,
    whose buffers belong to the caller.
  }];
}

def CPUResultsToOutputs
    : Pass<"needle-cpu-results-to-outputs", "::mlir::ModuleOp"> {
  let summary = "Turn the results of entry points into arguments to write";
  let description = [{
    On buffers: each result of an entry point becomes an argument after the
    inputs. A result that is allocated in the entry point is computed in place,
    anything else (an input, a weight, a buffer that is another result already)
    is copied.

    ```mlir
    func.func @main(%x: memref<?xf32>) -> memref<?xf32> {
      %0 = memref.alloc(%d) : memref<?xf32>
      linalg.generic … ins(%x) outs(%0)
      return %0 : memref<?xf32>
    // becomes
    func.func @main(%x: memref<?xf32>, %y: memref<?xf32>) {
      linalg.generic … ins(%x) outs(%y)
      return
    ```
  }];
  let dependentDialects = ["::mlir::memref::MemRefDialect"];
}

def CPUAddRuntimeArguments
    : Pass<"needle-cpu-add-runtime-arguments", "::mlir::ModuleOp"> {
  let summary = "Append arena, weights, number of threads, frame to entry points";
  let description = [{
    Appends to each entry point (a function with `needle.signature`) what it gets
    from the runtime: `%arena: memref<?xi8>`, `%weights: memref<?xi8>`,
    `%threads: index`, `%frame: !llvm.ptr`. Runs on buffers, after results have
    become out-parameters.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect",
                           "::mlir::memref::MemRefDialect"];
}

def CPUPlanMemory : Pass<"needle-cpu-plan-memory", "::mlir::ModuleOp"> {
  let summary = "Place every buffer in the arena and every weight in one section";
  let description = [{
    In each entry point:

    - every `memref.alloc` becomes a `memref.view` of the arena. Buffers of static
      size are packed by decreasing size, those of dynamic size share slots; two
      buffers overlap only if their lifetimes do not. A private function
      `@F.arena`, from the dynamic dimensions of F's inputs and the number of
      threads, computes the size of the arena (the largest i64 when it cannot be
      addressed) and the offset of each slot, for the plan and for the run alike;
    - every `needle_cpu.weight` becomes a `memref.view` of the weights. Equal
      bytes are stored once; the section is the attribute `needle.weights` of the
      module.

    All places are 64-byte aligned.

    ```mlir
    %0 = memref.alloc(%d) : memref<?x256xf32>
    // becomes
    %o:2 = call @main.arena(%d, %threads) : (index, index) -> (index, index)
    %0 = memref.view %arena[%o#1][%d] : memref<?xi8> to memref<?x256xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::func::FuncDialect",
                           "::mlir::memref::MemRefDialect"];
  let statistics = [
    Statistic<"numBuffers", "buffers", "Buffers placed in arenas">,
    Statistic<"numSlots", "slots", "Slots of dynamic size">,
    Statistic<"numWeights", "weights", "Distinct weights">
  ];
}

def CPULowerCopies : Pass<"needle-cpu-lower-copies", "::mlir::ModuleOp"> {
  let summary = "Turn memref.copy into linalg, so that no library is called";
  let description = [{
    `memref.copy` would become a call of `memrefCopy` or `memcpy`. A copy of a
    buffer to itself is erased.
  }];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

def CPULowerExpandShape : Pass<"needle-cpu-lower-expand-shape", "::mlir::ModuleOp"> {
  let summary = "Turn memref.expand_shape of contiguous buffers into casts";
  let description = [{
    Upstream's expand-strided-metadata takes an expansion apart that has one
    dynamic size in each group; the pixels of images N×H×W×C have three. A buffer
    with another layout than that of its shape is left to it.

    ```mlir
    // before
    %y = memref.expand_shape %x [[0, 1, 2], [3]] output_shape [%n, %h, %w, 4] : memref<?x4xf32> into memref<?x?x?x4xf32>
    // after
    %y = memref.reinterpret_cast %x to offset: [0], sizes: [%n, %h, %w, 4], strides: [%s0, %s1, 4, 1] : memref<?x4xf32> to memref<?x?x?x4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::memref::MemRefDialect"];
}

def CPUMarkSteps : Pass<"needle-cpu-mark-steps", "::mlir::ModuleOp"> {
  let summary = "Announce each step of an entry point to the runtime";
  let description = [{
    Before each needle_cpu or linalg operation and each loop in the body of an
    entry point, inserts a call of the frame's `markStep` with the step's index, and one with
    NDL_STEP_END after the last. The steps (kernel, op, location, note, macs)
    are recorded as the attribute `needle.steps` of the entry point. The kernel
    of a needle_cpu operation is its attribute `needle.kernel`, the reason for
    the choice its attribute `needle.kernel_note`.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def CPUEmitEntry : Pass<"needle-cpu-emit-entry", "::mlir::ModuleOp"> {
  let summary = "Emit the C functions plan and run of each entry point";
  let description = [{
    On the LLVM dialect: for each entry point F adds `@F.run` (NdlRunFn) and
    `@F.plan` (NdlPlanFn) of needle-rt/abi.h, which call `@F`, `@F.shapes` and
    `@F.arena`; makes every other function internal and forbids the code
    generator to call library functions. What cannot be reached from generated
    code (an external function) is an error.
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def CPUFuseElementwise
    : Pass<"needle-cpu-fuse-elementwise", "::mlir::func::FuncOp"> {
  let summary = "Merge elementwise operations into their first consumers";
  let description = [{
    On tensors: a `linalg.generic` that computes each element by itself is merged
    into the first operation that reads it, from the top down. What else reads the
    result gets it from the merged operation, which then has several results. A
    producer of a smaller shape is merged only if it is cheap to compute again.
  }];
  let statistics = [Statistic<"numFused", "fused", "Producers merged">];
  let dependentDialects = ["::mlir::linalg::LinalgDialect"];
}

//===----------------------------------------------------------------------===//
// Contraction kernels
//===----------------------------------------------------------------------===//

def CPUPackWeights : Pass<"needle-cpu-pack-weights", "::mlir::ModuleOp"> {
  let summary = "Pack constant right-hand sides at compile time";
  let description = [{
    Evaluates each `needle_cpu.pack_rhs` of a `needle_cpu.weight` whose zero
    points are known, leaving the packed weight. Packing of run-time values stays
    and is executed by a kernel. Likewise each `needle_cpu.pack_blockwise`, of which
    one that is not constant is an error: there is no kernel for it.

    ```mlir
    %w = needle_cpu.weight dense_resource<fc1> -> tensor<784x256xi8>
    %e = tensor.empty() : tensor<16x392x16x2xi8>
    %p = needle_cpu.pack_rhs ins(%w : tensor<784x256xi8>) outs(%e : …) -> tensor<16x392x16x2xi8>
    // becomes
    %p = needle_cpu.weight dense_resource<fc1_packed> -> tensor<16x392x16x2xi8>
    ```
  }];
  let statistics = [Statistic<"numPacked", "packed", "Weights packed">];
}

def CPUProveByteDots : Pass<"needle-cpu-prove-byte-dots", "::mlir::ModuleOp"> {
  let summary = "Use saturating dot products where they are proven exact";
  let description = [{
    For each `needle_cpu.qmatmul` with a constant rhs of i8, on a target whose
    fastest multiplication sums products of u8 and i8 in 16 bits: decides how many
    groups may be summed so, whatever lhs is, if necessary after moving parts of a
    few weights to `rest`, and what is cheapest. Leaves the op alone where that is
    widening, and on targets that multiply bytes exactly. Notes why in the attribute
    `needle.kernel_note`.

    ```mlir
    needle_cpu.qmatmul ins(%x, %w : …) outs(…)
    // becomes
    needle_cpu.qmatmul ins(%x, %w : …) outs(…) {byte_steps = 2 : i32, needle.kernel_note = "…"}
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"avx2\"",
           "Name of the target description">
  ];
  let statistics = [
    Statistic<"numProven", "proven", "Contractions that multiply bytes">,
    Statistic<"numSplit", "split", "Of these, contractions of split weights">
  ];
}

def CPUAddWorkspaces : Pass<"needle-cpu-add-workspaces", "::mlir::ModuleOp"> {
  let summary = "Give contractions scratch memory and name their kernels";
  let description = [{
    On buffers, before memory is planned: adds to each `needle_cpu.matmul` and
    `needle_cpu.qmatmul` a `workspace` in which every worker packs one block of
    rows, and sets the attribute `needle.kernel` of each needle_cpu operation to
    the name of the kernel that executes it. Where K is dynamic this is the name
    for sums that fit i32.
  }];
  let options = [Option<"target", "target", "std::string", "\"avx2\"",
                        "Name of the CPU target">];
  let dependentDialects = ["::mlir::arith::ArithDialect",
                           "::mlir::memref::MemRefDialect"];
}

def CPUEmitKernels : Pass<"needle-cpu-emit-kernels", "::mlir::ModuleOp"> {
  let summary = "Replace needle_cpu operations by calls of emitted kernels";
  let description = [{
    On buffers: each needle_cpu operation becomes a call, through the frame's
    `parallelFor`, of a function with the NdlTask signature. Operations of one
    kind share a function, which gets shapes, strides and pointers through memory.
    Small work is called directly. See docs/Rationale/CPUKernels.md for the
    structure of the kernels.
  }];
  let options = [Option<"target", "target", "std::string", "\"avx2\"",
                        "Name of the CPU target">];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def CPUEmitKernelLibrary
    : Pass<"needle-cpu-emit-kernel-library", "::mlir::ModuleOp"> {
  let summary = "Make functions of the kernels of a library";
  let description = [{
    Each `needle_cpu.map_kernel`, `needle_cpu.reduce_kernel` and
    `needle_cpu.contraction_kernel` becomes an exported function (three for a
    contraction) with the NdlTask signature, whose context the description of the
    operation lays out. The attribute `needle.exported_kernel` marks it; the
    artifact lists its name.
  }];
  let options = [Option<"target", "target", "std::string", "\"avx2\"",
                        "Name of the CPU target">];
  let dependentDialects = [
    "::mlir::LLVM::LLVMDialect", "::mlir::arith::ArithDialect",
    "::mlir::func::FuncDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
  let statistics = [Statistic<"numKernels", "kernels", "Functions exported">];
}

#endif // NEEDLE_CODEGEN_CPU_PASSES_TD
