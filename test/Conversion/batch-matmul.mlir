// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse | FileCheck %s

// One matrix on the right: the batch is more rows.
// CHECK-LABEL: func @one_rhs
// CHECK-SAME: %[[X:.*]]: tensor<?x4x8xf32>
// CHECK-DAG: %[[P:.*]] = needle_cpu.pack_rhs
// CHECK-DAG: %[[L:.*]] = tensor.collapse_shape %[[X]] {{\[}}[0, 1], [2]] : tensor<?x4x8xf32> into tensor<?x8xf32>
// CHECK: %[[M:.*]] = needle_cpu.matmul ins(%[[L]], %[[P]]
// CHECK: tensor.expand_shape %[[M]] {{\[}}[0, 1], [2]] output_shape [%{{.*}}, 4, 16] : tensor<?x16xf32> into tensor<?x4x16xf32>
// CHECK-NOT: scf.for
func.func @one_rhs(%x: tensor<?x4x8xf32>, %w: tensor<8x16xf32>) -> tensor<?x4x16xf32> {
  %0 = needle.matmul %x, %w : tensor<?x4x8xf32>, tensor<8x16xf32> -> tensor<?x4x16xf32>
  return %0 : tensor<?x4x16xf32>
}

// Both have a batch; dimension 0 of rhs is missing. The panels are one buffer.
// CHECK-LABEL: func @loops
// CHECK-SAME: %[[X:.*]]: tensor<2x?x4x8xf32> {{.*}}, %[[W:.*]]: tensor<?x8x16xf32>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<1x8x16xf32>
// CHECK: scf.for %[[I:.*]] = %c0 to %c2 step %c1 iter_args(%{{.*}} = %{{.*}}, %{{.*}} = %[[E]])
// CHECK: scf.for %[[J:.*]] = %c0 to %{{.*}} step %c1 iter_args(%[[D:.*]] = %{{.*}}, %[[P:.*]] = %{{.*}})
// CHECK: %[[R:.*]] = tensor.extract_slice %[[W]][%[[J]], 0, 0] [1, 8, 16]
// CHECK: %[[Q:.*]] = needle_cpu.pack_rhs ins(%[[R]] : {{.*}}) outs(%[[P]]
// CHECK: %[[O:.*]] = tensor.extract_slice %[[D]][%[[I]], %[[J]], 0, 0]
// CHECK: %[[L:.*]] = tensor.extract_slice %[[X]][%[[I]], %[[J]], 0, 0]
// CHECK: %[[M:.*]] = needle_cpu.matmul ins(%[[L]], %[[Q]] {{.*}} outs(%[[O]]
// CHECK: tensor.insert_slice %[[M]] into %[[D]][%[[I]], %[[J]], 0, 0]
func.func @loops(%x: tensor<2x?x4x8xf32>, %w: tensor<?x8x16xf32>) -> tensor<2x?x4x16xf32> {
  %0 = needle.matmul %x, %w : tensor<2x?x4x8xf32>, tensor<?x8x16xf32> -> tensor<2x?x4x16xf32>
  return %0 : tensor<2x?x4x16xf32>
}

// A matrix that serves for all is packed once; a stretched one is always the
// first.
// CHECK-LABEL: func @packed_once
// CHECK: %[[P:.*]] = needle_cpu.pack_rhs
// CHECK: scf.for %[[I:.*]] =
// CHECK-NOT: pack_rhs
// CHECK: needle_cpu.matmul ins(%{{.*}}, %{{.*}}{{.*}} {transpose_lhs}
func.func @packed_once(%x: tensor<3x8x4xf32>, %w: tensor<8x16xf32>) -> tensor<3x4x16xf32> {
  %0 = needle.matmul %x, %w {transpose_lhs} : tensor<3x8x4xf32>, tensor<8x16xf32> -> tensor<3x4x16xf32>
  return %0 : tensor<3x4x16xf32>
}

// CHECK-LABEL: func @stretched
// CHECK-SAME: %[[X:.*]]: tensor<1x4x8xf32>
// CHECK: scf.for
// CHECK: tensor.extract_slice %[[X]][0, 0, 0] [1, 4, 8]
func.func @stretched(%x: tensor<1x4x8xf32>, %w: tensor<5x8x16xf32>) -> tensor<5x4x16xf32> {
  %0 = needle.matmul %x, %w : tensor<1x4x8xf32>, tensor<5x8x16xf32> -> tensor<5x4x16xf32>
  return %0 : tensor<5x4x16xf32>
}

// Products of nothing are zeros, without a loop over empty slices; the bias stays.
// CHECK-LABEL: func @of_nothing
// CHECK-NOT: extract_slice
// CHECK-NOT: needle_cpu.matmul
// CHECK: linalg.yield %cst
// CHECK: arith.addf
// CHECK: arith.maximumf
// CHECK-NOT: needle_cpu.matmul
// CHECK: return
func.func @of_nothing(%x: tensor<2x4x0xf32>, %w: tensor<2x0x16xf32>, %b: tensor<16xf32>) -> tensor<2x4x16xf32> {
  %0 = needle.matmul %x, %w bias(%b : tensor<16xf32>) {activation = #needle.activation<relu>} : tensor<2x4x0xf32>, tensor<2x0x16xf32> -> tensor<2x4x16xf32>
  return %0 : tensor<2x4x16xf32>
}
