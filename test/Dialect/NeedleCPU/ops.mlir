// RUN: needle-opt %s | FileCheck %s
// RUN: needle-opt %s | needle-opt | FileCheck %s
// RUN: needle-opt %s --mlir-print-op-generic | needle-opt | FileCheck %s

// CHECK-LABEL: func @weight
func.func @weight() -> (tensor<2xf32>, memref<3xi8>) {
  // CHECK: needle_cpu.weight dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> -> tensor<2xf32>
  %0 = needle_cpu.weight dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  // CHECK: needle_cpu.weight dense<7> : tensor<3xi8> -> memref<3xi8>
  %1 = needle_cpu.weight dense<7> : tensor<3xi8> -> memref<3xi8>
  return %0, %1 : tensor<2xf32>, memref<3xi8>
}

// CHECK-LABEL: func @pack_rhs_float
func.func @pack_rhs_float(%source: tensor<5x17xf32>, %dest: tensor<2x5x16xf32>) -> tensor<2x5x16xf32> {
  // CHECK: needle_cpu.pack_rhs ins(%{{.*}} : tensor<5x17xf32>) outs(%{{.*}} : tensor<2x5x16xf32>) -> tensor<2x5x16xf32>
  %0 = needle_cpu.pack_rhs ins(%source : tensor<5x17xf32>) outs(%dest : tensor<2x5x16xf32>) -> tensor<2x5x16xf32>
  return %0 : tensor<2x5x16xf32>
}

// CHECK-LABEL: func @pack_rhs_transposed
func.func @pack_rhs_transposed(%source: memref<17x5xi8>, %dest: memref<2x3x16x4xi8>) {
  // CHECK: needle_cpu.pack_rhs ins(%{{.*}} : memref<17x5xi8>) outs(%{{.*}} : memref<2x3x16x4xi8>) {transposed}
  needle_cpu.pack_rhs ins(%source : memref<17x5xi8>) outs(%dest : memref<2x3x16x4xi8>) {transposed}
  return
}

// CHECK-LABEL: func @pack_rhs_zero_points
func.func @pack_rhs_zero_points(%source: memref<5x2xi8>, %dest: memref<1x4x16x2xi16>, %zp: memref<i32>) {
  // CHECK: needle_cpu.pack_rhs {{.*}} {source_unsigned, zero_points = array<i32: 3, 255>}
  needle_cpu.pack_rhs ins(%source : memref<5x2xi8>) outs(%dest : memref<1x4x16x2xi16>) {source_unsigned, zero_points = array<i32: 3, 255>}
  // CHECK: needle_cpu.pack_rhs ins(%{{.*}} : memref<5x2xi8>) zero_point(%{{.*}} : memref<i32>)
  needle_cpu.pack_rhs ins(%source : memref<5x2xi8>) zero_point(%zp : memref<i32>) outs(%dest : memref<1x4x16x2xi16>)
  return
}

// CHECK-LABEL: func @matmul
func.func @matmul(%lhs: tensor<?x5xf32>, %rhs: tensor<2x5x16xf32>, %bias: tensor<17xf32>, %dest: tensor<?x17xf32>) -> tensor<?x17xf32> {
  // CHECK: needle_cpu.matmul ins(%{{.*}}, %{{.*}} : tensor<?x5xf32>, tensor<2x5x16xf32>) bias(%{{.*}} : tensor<17xf32>) outs(%{{.*}} : tensor<?x17xf32>) {activation = #needle.activation<relu>} -> tensor<?x17xf32>
  %0 = needle_cpu.matmul ins(%lhs, %rhs : tensor<?x5xf32>, tensor<2x5x16xf32>) bias(%bias : tensor<17xf32>) outs(%dest : tensor<?x17xf32>) {activation = #needle.activation<relu>} -> tensor<?x17xf32>
  return %0 : tensor<?x17xf32>
}

// CHECK-LABEL: func @matmul_buffers
func.func @matmul_buffers(%lhs: memref<5x?xf32>, %rhs: memref<?x5x16xf32>, %dest: memref<?x?xf32, strided<[?, 1]>>, %workspace: memref<?x?xi8>) {
  // CHECK: needle_cpu.matmul {{.*}} workspace(%{{.*}} : memref<?x?xi8>) {transpose_lhs}
  needle_cpu.matmul ins(%lhs, %rhs : memref<5x?xf32>, memref<?x5x16xf32>) outs(%dest : memref<?x?xf32, strided<[?, 1]>>) workspace(%workspace : memref<?x?xi8>) {transpose_lhs}
  return
}

// CHECK-LABEL: func @qmatmul
func.func @qmatmul(%lhs: memref<?x5xi8>, %rhs: memref<2x3x16x4xi8>, %scales: memref<17xf32>, %bias: memref<17xi32>,
                   %i32: memref<?x17xi32>, %f32: memref<?x17xf32>, %i8: memref<?x17xi8>, %zp: memref<i32>) {
  // CHECK: needle_cpu.qmatmul ins(%{{.*}}, %{{.*}} : memref<?x5xi8>, memref<2x3x16x4xi8>) bias(%{{.*}} : memref<17xi32>) outs(%{{.*}} : memref<?x17xi32>)
  needle_cpu.qmatmul ins(%lhs, %rhs : memref<?x5xi8>, memref<2x3x16x4xi8>) bias(%bias : memref<17xi32>) outs(%i32 : memref<?x17xi32>)
  // CHECK: needle_cpu.qmatmul ins({{.*}}) zero_point(%{{.*}} : memref<i32>) scales(%{{.*}} : memref<17xf32>) outs(%{{.*}} : memref<?x17xf32>) {lhs_unsigned}
  needle_cpu.qmatmul ins(%lhs, %rhs : memref<?x5xi8>, memref<2x3x16x4xi8>) zero_point(%zp : memref<i32>) scales(%scales : memref<17xf32>) outs(%f32 : memref<?x17xf32>) {lhs_unsigned}
  // CHECK: needle_cpu.qmatmul {{.*}} outs(%{{.*}} : memref<?x17xi8>) {dest_max = 255 : i32, dest_min = 0 : i32, dest_scale = 5.000000e-01 : f32, dest_zero_point = 3 : i32, lhs_zero_point = -3 : i32}
  needle_cpu.qmatmul ins(%lhs, %rhs : memref<?x5xi8>, memref<2x3x16x4xi8>) scales(%scales : memref<17xf32>) outs(%i8 : memref<?x17xi8>)
    {lhs_zero_point = -3 : i32, dest_scale = 0.5 : f32, dest_zero_point = 3 : i32, dest_min = 0 : i32, dest_max = 255 : i32}
  return
}

// CHECK-LABEL: func @split_weights
func.func @split_weights(%lhs: memref<?x5xi8>, %rhs: memref<2x3x16x4xi8>, %rest: memref<2x7x16x4xi8>, %groups: memref<2x7xi32>, %i32: memref<?x17xi32>) {
  // CHECK: needle_cpu.qmatmul ins(%{{.*}}, %{{.*}} : memref<?x5xi8>, memref<2x3x16x4xi8>) rest(%{{.*}}, %{{.*}} : memref<2x7x16x4xi8>, memref<2x7xi32>) outs(%{{.*}} : memref<?x17xi32>) {byte_steps = 2 : i32}
  needle_cpu.qmatmul ins(%lhs, %rhs : memref<?x5xi8>, memref<2x3x16x4xi8>) rest(%rest, %groups : memref<2x7x16x4xi8>, memref<2x7xi32>) outs(%i32 : memref<?x17xi32>) {byte_steps = 2 : i32}
  return
}

// Images with a window are a left-hand side, too; padding may be negative.
// CHECK-LABEL: func @windows
func.func @windows(%x: memref<2x8x8x4xf32>, %q: tensor<?x8x?x4xi8>, %rhs: memref<1x36x16xf32>, %qrhs: tensor<1x10x16x4xi8>, %dest: memref<32x16xf32>, %qdest: tensor<?x16xi32>) -> tensor<?x16xi32> {
  // CHECK: needle_cpu.matmul ins(%{{.*}}, %{{.*}} : memref<2x8x8x4xf32>, memref<1x36x16xf32>) outs(%{{.*}} : memref<32x16xf32>) {window = array<i64: 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1>}
  needle_cpu.matmul ins(%x, %rhs : memref<2x8x8x4xf32>, memref<1x36x16xf32>) outs(%dest : memref<32x16xf32>) {window = array<i64: 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1>}
  // CHECK: needle_cpu.qmatmul {{.*}} {window = array<i64: 3, 3, 1, 1, -1, 0, 0, 0, 1, 2, 1>} -> tensor<?x16xi32>
  %0 = needle_cpu.qmatmul ins(%q, %qrhs : tensor<?x8x?x4xi8>, tensor<1x10x16x4xi8>) outs(%qdest : tensor<?x16xi32>) {window = array<i64: 3, 3, 1, 1, -1, 0, 0, 0, 1, 2, 1>} -> tensor<?x16xi32>
  return %0 : tensor<?x16xi32>
}
