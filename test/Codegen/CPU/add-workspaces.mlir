// RUN: needle-opt %s --needle-cpu-add-workspaces=target=avx2 | FileCheck %s --check-prefixes=CHECK,AVX2
// RUN: needle-opt %s --needle-cpu-add-workspaces=target=x86-64 | FileCheck %s --check-prefixes=CHECK,BASE
// RUN: not needle-opt %s --needle-cpu-add-workspaces=target=z80 2>&1 | FileCheck %s --check-prefix=UNKNOWN

// UNKNOWN: error: unknown CPU target 'z80'; there are x86-64, avx2{{.*}}, neon

// Rows are packed, a block for each worker.
// CHECK-LABEL: @float
// CHECK-SAME:  %[[THREADS:[a-z0-9]+]]: index, %{{[a-z0-9]+}}: !llvm.ptr
// CHECK:       %[[WORK:.+]] = memref.alloc(%[[THREADS]], %{{.+}}) : memref<?x?xi8>
// CHECK:       needle_cpu.matmul
// CHECK-SAME:  workspace(%[[WORK]] : memref<?x?xi8>)
// AVX2-SAME:   needle.kernel = "matmul_f32_bias.avx2.6x16"
// BASE-SAME:   needle.kernel = "matmul_f32_bias.x86-64.2x16"
func.func @float(%x: memref<64x10xf32>, %w: memref<1x10x16xf32>, %b: memref<5xf32>, %y: memref<64x5xf32>,
                 %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.matmul ins(%x, %w : memref<64x10xf32>, memref<1x10x16xf32>) bias(%b : memref<5xf32>) outs(%y : memref<64x5xf32>)
  return
}

// One row or two have kernels of their own, which read contiguous rows in place.
// CHECK-LABEL: @two_rows
// CHECK-NOT:   memref.alloc
// CHECK:       needle_cpu.matmul
// CHECK-NOT:   workspace
// AVX2-SAME:   needle.kernel = "matmul_f32.avx2.2x32"
// BASE-SAME:   needle.kernel = "matmul_f32.x86-64.2x16"
func.func @two_rows(%x: memref<2x10xf32>, %w: memref<1x10x16xf32>, %y: memref<2x5xf32>,
                    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.matmul ins(%x, %w : memref<2x10xf32>, memref<1x10x16xf32>) outs(%y : memref<2x5xf32>)
  return
}

// With a dynamic number of rows either may run; the note says which for one.
// CHECK-LABEL: @any_rows
// CHECK:       needle_cpu.matmul
// AVX2-SAME:   needle.kernel = "matmul_f32.avx2.6x16", needle.kernel_note = "M = 1: matmul_f32.avx2.1x64"
// BASE-SAME:   needle.kernel = "matmul_f32.x86-64.2x16", needle.kernel_note = "M = 1: matmul_f32.x86-64.1x32"
func.func @any_rows(%x: memref<?x10xf32>, %w: memref<1x10x16xf32>, %y: memref<?x5xf32>,
                    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.matmul ins(%x, %w : memref<?x10xf32>, memref<1x10x16xf32>) outs(%y : memref<?x5xf32>)
  return
}

// Rows of a transposed lhs are packed by transposing.
// CHECK-LABEL: @transposed
// CHECK-SAME:  %[[THREADS:[a-z0-9]+]]: index, %{{[a-z0-9]+}}: !llvm.ptr
// CHECK:       %[[WORK:.+]] = memref.alloc(%[[THREADS]], %{{.+}}) : memref<?x?xi8>
// CHECK:       needle_cpu.matmul
// CHECK-SAME:  workspace(%[[WORK]] : memref<?x?xi8>)
func.func @transposed(%x: memref<10x64xf32>, %w: memref<1x10x16xf32>, %y: memref<64x5xf32>,
                      %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.matmul ins(%x, %w : memref<10x64xf32>, memref<1x10x16xf32>) outs(%y : memref<64x5xf32>) {transpose_lhs}
  return
}

// A depth that sums in i32 cannot hold names the wide kernel.
// CHECK-LABEL: @wide
// AVX2:        needle.kernel = "qmatmul_u8s8_f32_wide.avx2.6x16"
func.func @wide(%x: memref<2x65794xi8>, %w: memref<1x16450x16x4xi8>, %s: memref<3xf32>, %y: memref<2x3xf32>,
                %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.qmatmul ins(%x, %w : memref<2x65794xi8>, memref<1x16450x16x4xi8>) scales(%s : memref<3xf32>) outs(%y : memref<2x3xf32>) {lhs_unsigned}
  return
}

// One less, and it can.
// CHECK-LABEL: @narrow
// AVX2:        needle.kernel = "qmatmul_u8s8_f32.avx2.6x16"
func.func @narrow(%x: memref<2x65792xi8>, %w: memref<1x16449x16x4xi8>, %s: memref<3xf32>, %y: memref<2x3xf32>,
                  %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.qmatmul ins(%x, %w : memref<2x65792xi8>, memref<1x16449x16x4xi8>) scales(%s : memref<3xf32>) outs(%y : memref<2x3xf32>) {lhs_unsigned}
  return
}

// With a dynamic depth either may run; the note says from where on.
// CHECK-LABEL: @either
// AVX2:        needle.kernel = "qmatmul_u8s8_f32.avx2.6x16", needle.kernel_note = "K > 65792: qmatmul_u8s8_f32_wide.avx2.6x16"
func.func @either(%x: memref<2x?xi8>, %w: memref<1x?x16x4xi8>, %s: memref<3xf32>, %y: memref<2x3xf32>,
                  %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.qmatmul ins(%x, %w : memref<2x?xi8>, memref<1x?x16x4xi8>) scales(%s : memref<3xf32>) outs(%y : memref<2x3xf32>) {lhs_unsigned}
  return
}

// An i32 result is modulo 2^32: no wide kernel, whatever K.
// CHECK-LABEL: @modulo
// AVX2:        needle.kernel = "qmatmul_s8i16_i32.avx2.6x16"
func.func @modulo(%x: memref<2x70000xi8>, %w: memref<1x35000x16x2xi16>, %y: memref<2x3xi32>,
                  %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.qmatmul ins(%x, %w : memref<2x70000xi8>, memref<1x35000x16x2xi16>) outs(%y : memref<2x3xi32>)
  return
}

// CHECK-LABEL: @pack
// AVX2:        needle.kernel = "pack_rhs_u8_i16.avx2"
// CHECK-NOT:   memref.alloc
func.func @pack(%b: memref<10x5xi8>, %p: memref<1x6x16x2xi16>,
                %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.pack_rhs ins(%b : memref<10x5xi8>) outs(%p : memref<1x6x16x2xi16>) {source_unsigned}
  return
}
