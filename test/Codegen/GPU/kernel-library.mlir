// RUN: needle-opt %s --needle-cuda-emit-kernel-library | FileCheck %s
// RUN: needle-compile %s --emit=ptx --target=sm_80 | FileCheck %s --check-prefix=PTX

// CHECK-LABEL: llvm.func @scalar_add(
// CHECK-SAME:  {llvm.align = 8 : i64, llvm.byval = !llvm.array<15 x i64>}
// CHECK-SAME:  needle.block_tile = array<i32: 1, 256>
// CHECK-SAME:  nvvm.kernel
// CHECK-SAME:  nvvm.reqntid = array<i32: 256>
// CHECK:       scf.if
// CHECK:       arith.addf
// CHECK:       llvm.store {{.*}} : f32, !llvm.ptr<1>
// PTX-LABEL: .entry scalar_add(
// PTX:       ld.global.b32
// PTX:       add.rn.f32
// PTX:       st.global.b32
needle_cpu.map_kernel @scalar_add scalars 1 {
^bb0(%x: f32, %s: f32):
  %sum = arith.addf %x, %s : f32
  needle_cpu.yield %sum : f32
}

// Quotients are those of IEEE 754, and exp is needle's own expansion (N7).
// PTX-LABEL: .entry divided_exp(
// PTX-NOT:   {{div.approx|div.full|ex2|call|fma}}
// PTX:       div.rn.f32
// PTX-NOT:   {{div.approx|div.full|ex2|call|fma}}
// PTX:       ret;
needle_cpu.map_kernel @divided_exp {
^bb0(%a: f32, %b: f32):
  %q = arith.divf %a, %b : f32
  %e = math.exp %q : f32
  needle_cpu.yield %e : f32
}

// CHECK-LABEL: llvm.func @reduce_sum(
// CHECK-SAME:  needle.block_tile = array<i32: 1, 1>
// CHECK:       arith.addf {{.*}} : f64
// CHECK:       llvm.nvvm.shfl.sync.bfly.i32
// CHECK-LABEL: llvm.func @reduce_sum_columns(
// CHECK-SAME:  needle.block_tile = array<i32: 1, 256>
// CHECK-NOT:   shfl
// CHECK:       arith.truncf {{.*}} : f64 to f32
// PTX-LABEL: .entry reduce_sum(
// PTX:       shfl.sync.bfly
// PTX:       st.shared
// PTX:       bar.sync
// PTX:       ld.shared
needle_cpu.reduce_kernel @reduce_sum identity 0.0 wide {
^bb0(%a: f32, %b: f32):
  %r = arith.addf %a, %b : f32
  needle_cpu.yield %r : f32
}
