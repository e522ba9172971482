// RUN: needle-opt %s -needle-cpu-emit-kernel-library=target=avx2 | FileCheck %s
// RUN: needle-opt %s -needle-cpu-emit-kernel-library=target=x86-64 | FileCheck %s --check-prefix=BASE
// RUN: needle-compile %s --emit=asm --target=avx2 | FileCheck %s --check-prefix=ASM
// RUN: needle-compile %s -o %t.ndl
// RUN: not needle-compile %s %s -o %t.twice.ndl 2>&1 | FileCheck %s --check-prefix=TWICE
// RUN: not ls %t.twice.ndl

// Kernels become functions that the artifact exports; all else stays private.

// Sixteen elements at a time, then eight, then one; one input may be a splat.
// CHECK-LABEL: func.func private @add(
// CHECK-SAME: !llvm.ptr, %{{.*}}: i64, %{{.*}}: i64, %{{.*}}: i64) attributes {needle.exported_kernel}
// CHECK: arith.addf {{.*}} : vector<16xf32>
// CHECK: arith.addf {{.*}} : vector<8xf32>
// CHECK: arith.addf {{.*}} : f32
// CHECK: vector.broadcast {{.*}} : f32 to vector<16xf32>
// BASE-LABEL: func.func private @add(
// BASE: arith.addf {{.*}} : vector<8xf32>
// BASE: arith.addf {{.*}} : vector<4xf32>
// ASM-LABEL: {{^}}add:
// ASM: vaddps {{.*}}%ymm
// TWICE: error: 'add' is defined in another file too
needle_cpu.map_kernel @add {
^bb0(%a: f32, %b: f32):
  %sum = arith.addf %a, %b : f32
  needle_cpu.yield %sum : f32
}

// Bytes fill a whole register.
// CHECK-LABEL: func.func private @bytes(
// CHECK: llvm.store {{.*}} : vector<32xi8>
needle_cpu.map_kernel @bytes {
^bb0(%a: i8):
  needle_cpu.yield %a : i8
}

// A scalar is read once and stands for all elements.
// CHECK-LABEL: func.func private @scaled(
// CHECK: %[[SCALE:.*]] = llvm.load {{.*}} -> f32
// CHECK: %[[SCALES:.*]] = vector.broadcast %[[SCALE]] : f32 to vector<16xf32>
// CHECK: arith.mulf {{.*}}, %[[SCALES]]
needle_cpu.map_kernel @scaled scalars 1 {
^bb0(%a: f32, %scale: f32):
  %r = arith.mulf %a, %scale : f32
  needle_cpu.yield %r : f32
}

// Blocks of f32 are carried on in f64.
// CHECK-LABEL: func.func private @sum(
// CHECK: arith.addf {{.*}} : vector<8xf32>
// CHECK: arith.addf {{.*}} : f64
// CHECK: arith.truncf {{.*}} : f64 to f32
// CHECK: arith.addf {{.*}} : vector<8xf64>
// CHECK-NOT: fastmath
needle_cpu.reduce_kernel @sum identity 0.0 wide {
^bb0(%a: f32, %b: f32):
  %sum = arith.addf %a, %b : f32
  needle_cpu.yield %sum : f32
}

// CHECK-LABEL: func.func private @product.plan(
// CHECK-LABEL: func.func private @product.pack(
// CHECK: call @pack_rhs_u8_i16.avx2
// CHECK-LABEL: func.func private @product.direct(
// CHECK: call @qmatmul_u8i16_f32.avx2.6x16.direct(
// CHECK-LABEL: func.func private @product(
// CHECK: %[[LIMIT:.*]] = arith.constant 33025 : i64
// CHECK: %[[NARROW:.*]] = arith.cmpi slt, %{{.*}}, %[[LIMIT]]
// CHECK: scf.if %[[NARROW]]
// CHECK: call @qmatmul_u8i16_f32.avx2.6x16(
// CHECK: call @qmatmul_u8i16_f32_wide.avx2.6x16(
// ASM: vpmaddwd
needle_cpu.contraction_kernel @product (ui8, ui8) -> f32
