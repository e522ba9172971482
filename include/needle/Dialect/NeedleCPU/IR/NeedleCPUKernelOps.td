// The kernels of a library: what the eager array functions of needle execute.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPUKERNELOPS_TD
#define NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPUKERNELOPS_TD

include "mlir/IR/RegionKindInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "needle/Dialect/NeedleCPU/IR/NeedleCPUBlockwiseOps.td"
include "needle/Dialect/NeedleCPU/IR/NeedleCPUOps.td"

// A kernel is a symbol of the module. needle-cpu-emit-kernel-library makes an
// exported function with the NdlTask signature of it, the artifact names it.
class NeedleCPU_KernelOp<string mnemonic, list<Trait> traits = []>
    : NeedleCPU_Op<mnemonic, !listconcat([Symbol], traits)>;

class NeedleCPU_RegionKernelOp<string mnemonic>
    : NeedleCPU_KernelOp<mnemonic, [IsolatedFromAbove, SingleBlock]> {
  let regions = (region SizedRegion<1>:$body);
  let hasRegionVerifier = 1;
}

def NeedleCPU_MapKernelOp : NeedleCPU_RegionKernelOp<"map_kernel"> {
  let summary = "kernel that computes elements from elements";
  let description = [{
    The body computes one element of each output from one element of each input;
    its last `scalars` arguments have one value for all elements. It holds
    elementwise operations on f32, f64 and integers of 8, 16, 32 and 64 bits, or i1
    in between, and ends with the elements of the outputs. They are those of arith
    except `remf`, `math.absf`, `math.sqrt`, and on f32 `math.exp`, `math.log`,
    `math.powf` and `math.tanh`.

    The exported function reads its context as an array of 64-bit words:

    - four extents, the innermost last;
    - for each output, then each input: a pointer to the element whose indices are
      all 0, and four strides in elements (any sign, or 0);
    - for each scalar one word, its bits at the low end.

    Iteration i of `n0 * n1` handles the plane of indices (i / n1, i % n1). An
    output may lie exactly where an input lies; other overlaps are undefined.

    ```mlir
    needle_cpu.map_kernel @scalar_add scalars 1 {
    ^bb0(%x: f32, %s: f32):
      %sum = arith.addf %x, %s : f32
      needle_cpu.yield %sum : f32
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
    OptionalAttr<StrAttr>:$sym_visibility,
    DefaultValuedAttr<ConfinedAttr<I32Attr, [IntNonNegative]>, "0">:$scalars);
  let assemblyFormat =
    "$sym_name (`scalars` $scalars^)? attr-dict-with-keyword $body";
  let extraClassDeclaration = [{
    /// The element of each input, then the scalars.
    ::mlir::ArrayRef<::mlir::BlockArgument> getBodyArguments() {
      return getBody().front().getArguments();
    }
    unsigned getNumInputs() { return getBodyArguments().size() - getScalars(); }
    /// The elements of the outputs.
    ::mlir::ValueRange getYielded() {
      return getBody().front().getTerminator()->getOperands();
    }
  }];
}

def NeedleCPU_ReduceKernelOp : NeedleCPU_RegionKernelOp<"reduce_kernel"> {
  let summary = "kernel that combines the elements along some dimensions";
  let description = [{
    The body combines two values of f32. It must be associative and commutative
    up to rounding, and `identity` neutral: partial results are formed in lanes
    and combined in an order that depends on extents and strides, but not on the
    number of threads. With `wide`, partial results of at most 4096 elements are
    combined in f64, which keeps the error of long sums small; the body then must
    consist of operations that f64 allows as well: of arith, `math.absf`, `math.sqrt`.

    The context of the exported function as an array of 64-bit words: two kept
    extents k0, k1, two reduced extents r0, r1; pointer and strides along k0, k1 of
    the output; pointer and strides along k0, k1, r0, r1 of the input. Iteration i
    of k0 handles all else. The result of no elements is `identity`.

    ```mlir
    needle_cpu.reduce_kernel @reduce_sum identity 0.0 wide {
    ^bb0(%a: f32, %b: f32):
      %sum = arith.addf %a, %b : f32
      needle_cpu.yield %sum : f32
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
    OptionalAttr<StrAttr>:$sym_visibility, F32Attr:$identity, UnitAttr:$wide);
  let assemblyFormat = [{
    $sym_name `identity` $identity (`wide` $wide^)? attr-dict-with-keyword $body
  }];
}

def NeedleCPU_YieldOp : NeedleCPU_Op<"yield", [Pure, Terminator,
    ParentOneOf<["MapKernelOp", "ReduceKernelOp"]>]> {
  let summary = "ends the body of a kernel";
  let description = [{
    Hands over the elements of the outputs of a `map_kernel`, or the combination of
    two values in a `reduce_kernel`.
  }];
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict $values `:` type($values)";
}

def NeedleCPU_ContractionKernelOp : NeedleCPU_KernelOp<"contraction_kernel"> {
  let summary = "matrix multiplication of two run-time values";
  let description = [{
    `dest = lhs · rhs`, for f32 as `matmul`, for integers as `qmatmul` with
    per-tensor zero points and one combined scale per column (N4, N5); with `bias`
    an f32 bias per column is added. Four functions are exported:

    - `@NAME.plan` reads words 0…3 of its context, M, K, N and the number of
      threads, and writes words 4…14: columns of a panel, bytes of the packed rhs,
      rows of a block, bytes of workspace for each worker, column splits, the number
      of iterations of `@NAME`, the terms that f32 kernels add up at once; the most rows for which `@NAME.direct` should run,
      its bytes of workspace for each worker, columns of an iteration, iterations.
    - `@NAME.pack` packs the rhs; its context is PackArg of Kernel.h, its
      iterations are the panels.
    - `@NAME.direct` multiplies a few rows by a rhs as it lies, not packed, of
      which one stride is 1; its context is DirectArg of Kernel.h.
    - `@NAME` multiplies; its context is KernelArg of Kernel.h. It chooses sums of
      i32 or i64 by K (N4).

    ```mlir
    needle_cpu.contraction_kernel @matmul_u8u8_f32 (ui8, ui8) -> f32
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
    OptionalAttr<StrAttr>:$sym_visibility, TypeAttr:$lhs, TypeAttr:$rhs,
    TypeAttr:$dest, UnitAttr:$bias);
  let assemblyFormat = [{
    $sym_name `(` $lhs `,` $rhs `)` `->` $dest (`bias` $bias^)? attr-dict
  }];
  let hasVerifier = 1;
}

#endif // NEEDLE_DIALECT_NEEDLECPU_IR_NEEDLECPUKERNELOPS_TD
