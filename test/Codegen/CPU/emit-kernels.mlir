// RUN: needle-opt %s --needle-cpu-add-workspaces=target=avx2 --needle-cpu-emit-kernels=target=avx2 --canonicalize --cse -split-input-file | FileCheck %s
// RUN: not needle-opt %s --needle-cpu-emit-kernels=target=avx2 -split-input-file 2>&1 | FileCheck %s --check-prefix=ERROR

// Two layers of one kind share one kernel.
// ERROR: error: 'needle_cpu.qmatmul' op has no workspace; run needle-cpu-add-workspaces
// CHECK-LABEL: func.func @two_layers
// CHECK-NOT:   needle_cpu
// The context: shapes and pointers as words on the stack.
// CHECK-DAG:   llvm.alloca
// CHECK-DAG:   constant @qmatmul_u8s8_u8_bias_relu.avx2.6x16
// Small work is called directly, the rest through parallelFor (word 6).
// CHECK:       scf.if
// CHECK:         llvm.call %{{.+}}(%{{.+}}) : !llvm.ptr, (!llvm.ptr, i64, i64, i64) -> ()
// CHECK:       } else {
// CHECK:         llvm.getelementptr %{{.+}}[6]
// CHECK:         llvm.call %{{.+}}(%{{.+}}) : !llvm.ptr, (!llvm.ptr, !llvm.ptr, !llvm.ptr, i64) -> ()
func.func @two_layers(%x: memref<?x64xi8>, %w: memref<4x17x16x4xi8>, %s: memref<64xf32>, %b: memref<64xf32>,
                      %h: memref<?x64xi8>, %y: memref<?x64xi8>,
                      %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.qmatmul ins(%x, %w : memref<?x64xi8>, memref<4x17x16x4xi8>) scales(%s : memref<64xf32>) bias(%b : memref<64xf32>) outs(%h : memref<?x64xi8>)
    {lhs_unsigned, activation = #needle.activation<relu>, dest_scale = 0.5 : f32, dest_zero_point = 3 : i32, dest_min = 0 : i32, dest_max = 255 : i32}
  needle_cpu.qmatmul ins(%h, %w : memref<?x64xi8>, memref<4x17x16x4xi8>) scales(%s : memref<64xf32>) bias(%b : memref<64xf32>) outs(%y : memref<?x64xi8>)
    {lhs_unsigned, activation = #needle.activation<relu>, dest_scale = 0.25 : f32, dest_zero_point = 5 : i32, dest_min = 0 : i32, dest_max = 255 : i32}
  return
}
// CHECK:       func.func private @qmatmul_u8s8_u8_bias_relu.avx2.6x16
// Eight accumulators and the loop over K, two pairs a step.
// CHECK:         scf.for {{.+}} iter_args
// CHECK-COUNT-16: llvm.call_intrinsic "llvm.x86.avx2.pmadd.wd"
// The epilogue neither contracts nor calls a library.
// CHECK-NOT:     fastmath
// CHECK-NOT:     math.
// CHECK:         arith.sitofp
// CHECK:         arith.mulf
// CHECK:         arith.addf
// CHECK:         arith.divf
// The relu is the lower bound.
// CHECK:         arith.maxnumf {{.*}} : vector<16xf32>
// CHECK-NOT:     arith.maximumf
// CHECK-NOT:   func.func private @qmatmul

// -----

// With a dynamic K the kernel is chosen when the program runs.
// CHECK-LABEL: func.func @dynamic_depth
// CHECK-DAG:   constant @qmatmul_u8i16_f32.avx2.6x16
// CHECK-DAG:   constant @qmatmul_u8i16_f32_wide.avx2.6x16
// CHECK-DAG:   arith.constant 33025 : i64
// CHECK:       arith.select
func.func @dynamic_depth(%x: memref<4x?xi8>, %w: memref<1x?x16x2xi16>, %s: memref<3xf32>, %y: memref<4x3xf32>,
                         %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.qmatmul ins(%x, %w : memref<4x?xi8>, memref<1x?x16x2xi16>) scales(%s : memref<3xf32>) outs(%y : memref<4x3xf32>) {lhs_unsigned}
  return
}

// -----

// CHECK-LABEL: func.func @float
// CHECK:       func.func private @matmul_f32.avx2.6x16
// CHECK-COUNT-12: llvm.intr.fma(
func.func @float(%x: memref<8x16xf32>, %w: memref<1x16x16xf32>, %y: memref<8x16xf32>,
                 %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.matmul ins(%x, %w : memref<8x16xf32>, memref<1x16x16xf32>) outs(%y : memref<8x16xf32>)
  return
}

// -----

// A function of the user may have the name of a kernel.
// CHECK-LABEL: func.func @matmul_f32.avx2.6x16
// CHECK:       constant @matmul_f32.avx2.6x16_
// CHECK:       func.func private @matmul_f32.avx2.6x16_(
func.func @matmul_f32.avx2.6x16(%x: memref<8x16xf32>, %w: memref<1x16x16xf32>, %y: memref<8x16xf32>,
                                %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr) {
  needle_cpu.matmul ins(%x, %w : memref<8x16xf32>, memref<1x16x16xf32>) outs(%y : memref<8x16xf32>)
  return
}
