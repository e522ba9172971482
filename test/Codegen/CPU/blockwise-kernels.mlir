// RUN: needle-opt %s --needle-cpu-add-workspaces=target=avx2 | FileCheck %s --check-prefix=NAME
// RUN: needle-opt %s --needle-cpu-add-workspaces=target=avx2 --needle-cpu-emit-kernels=target=avx2 | FileCheck %s
// RUN: needle-opt %s --needle-cpu-add-workspaces=target=avx2 --needle-cpu-emit-kernels=target=avx2 | FileCheck %s --check-prefix=FLAGS
// RUN: not needle-opt %s --needle-cpu-emit-kernels=target=avx2 2>&1 | FileCheck %s --check-prefix=NONE

// FLAGS-NOT: {{fastmath|contract}}

// NONE: 'needle_cpu.qmatmul_blockwise' op has no workspace; run needle-cpu-add-workspaces

// A worker has one row of f32, its rows quantized and a panel of bytes.
// NAME-LABEL: func @integer
// NAME: %[[WORK:.*]] = memref.alloc(%{{.*}}, %{{.*}}) : memref<?x?xi8>
// NAME: needle_cpu.qmatmul_blockwise {{.*}} workspace(%[[WORK]] : memref<?x?xi8>) {{.*}}needle.kernel = "qmatmul_blockwise_s8u4_b32.avx2.[[TILE:.*]]"

// CHECK-LABEL: func @integer
// CHECK-NOT: needle_cpu.
// CHECK: constant @qmatmul_blockwise_s8u4_b32.avx2.
func.func @integer(%x: memref<?x40xf32>, %w: memref<2x672xi8>, %y: memref<?x20xf32>,
                   %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<?x40xf32>, memref<2x672xi8>) outs(%y : memref<?x20xf32>)
    {block_size = 32 : i64, panel = 16 : i64, asymmetric, activations = #needle.blockwise_activations<int8>}
  return
}

// Both products share one kernel.
// CHECK-LABEL: func @float
// CHECK: constant @qmatmul_blockwise_f32i4_b64.avx2.
// CHECK: constant @qmatmul_blockwise_f32i4_b64.avx2.
func.func @float(%x: memref<?x40xf32>, %w: memref<2x576xi8>, %y: memref<?x20xf32>, %z: memref<?x20xf32>,
                 %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<?x40xf32>, memref<2x576xi8>) outs(%y : memref<?x20xf32>) {block_size = 64 : i64, panel = 16 : i64}
  needle_cpu.qmatmul_blockwise ins(%x, %w : memref<?x40xf32>, memref<2x576xi8>) outs(%z : memref<?x20xf32>) {block_size = 64 : i64, panel = 16 : i64}
  return
}

// CHECK: func private @qmatmul_blockwise_s8u4_b32.avx2
// CHECK: func private @qmatmul_blockwise_f32i4_b64.avx2
// CHECK-NOT: func private
