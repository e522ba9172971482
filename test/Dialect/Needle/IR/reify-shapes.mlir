// The extents of results, computed from the operands.
// RUN: needle-opt %s -resolve-ranked-shaped-type-result-dims -canonicalize -split-input-file | FileCheck %s

// CHECK-LABEL: func @matmul
// CHECK-SAME: (%[[X:[a-z0-9]*]]: {{[^,]*}}, %[[XT:[a-z0-9]*]]: {{[^,]*}}, %[[W:[a-z0-9]*]]: {{[^,]*}})
func.func @matmul(%x: tensor<?x8xf32>, %xt: tensor<8x?xf32>, %w: tensor<8x?xf32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK-DAG: %[[M:.*]] = tensor.dim %[[X]], %c0
  // CHECK-DAG: %[[N:.*]] = tensor.dim %[[W]], %c1
  // CHECK-DAG: %[[MT:.*]] = tensor.dim %[[XT]], %c1
  // CHECK: return %[[M]], %[[N]], %[[MT]]
  %0 = needle.matmul %x, %w : tensor<?x8xf32>, tensor<8x?xf32> -> tensor<?x?xf32>
  %1 = needle.matmul %xt, %w {transpose_lhs} : tensor<8x?xf32>, tensor<8x?xf32> -> tensor<?x?xf32>
  %m = tensor.dim %0, %c0 : tensor<?x?xf32>
  %n = tensor.dim %0, %c1 : tensor<?x?xf32>
  %mt = tensor.dim %1, %c0 : tensor<?x?xf32>
  return %m, %n, %mt : index, index, index
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>

// CHECK-LABEL: func @qmatmul
// CHECK-SAME: (%[[X:[a-z0-9]*]]: {{[^,]*, [^,]*}}, %[[W:[a-z0-9]*]]:
func.func @qmatmul(%x: tensor<?x8x!u8>, %w: tensor<?x8x!u8>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK-DAG: %[[M:.*]] = tensor.dim %[[X]], %c0
  // CHECK-DAG: %[[N:.*]] = tensor.dim %[[W]], %c0
  // CHECK: return %[[M]], %[[N]]
  %0 = needle.qmatmul %x, %w {transpose_rhs} : tensor<?x8x!u8>, tensor<?x8x!u8> -> tensor<?x?xf32>
  %m = tensor.dim %0, %c0 : tensor<?x?xf32>
  %n = tensor.dim %0, %c1 : tensor<?x?xf32>
  return %m, %n : index, index
}

// -----

// A dimension that stretches says nothing; a missing one neither.
// CHECK-LABEL: func @broadcast
// CHECK-SAME: (%[[X:[a-z0-9]*]]: {{[^,]*}}, %[[Y:[a-z0-9]*]]: {{[^,]*}})
func.func @broadcast(%x: tensor<?x1xf32>, %y: tensor<?x1x?xf32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  // CHECK-DAG: %[[D0:.*]] = tensor.dim %[[Y]], %c0
  // CHECK-DAG: %[[D1:.*]] = tensor.dim %[[X]], %c0
  // CHECK-DAG: %[[D2:.*]] = tensor.dim %[[Y]], %c2
  // CHECK: return %[[D0]], %[[D1]], %[[D2]]
  %0 = needle.add %x, %y : tensor<?x1xf32>, tensor<?x1x?xf32> -> tensor<?x?x?xf32>
  %d0 = tensor.dim %0, %c0 : tensor<?x?x?xf32>
  %d1 = tensor.dim %0, %c1 : tensor<?x?x?xf32>
  %d2 = tensor.dim %0, %c2 : tensor<?x?x?xf32>
  return %d0, %d1, %d2 : index, index, index
}

// -----

// CHECK-LABEL: func @same_shape
// CHECK-SAME: (%[[X:.*]]: tensor<?x4xf32>)
func.func @same_shape(%x: tensor<?x4xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  // CHECK: %[[D:.*]] = tensor.dim %[[X]], %c0
  // CHECK: return %[[D]], %[[D]]
  %q, %s, %z = needle.quantize_dynamic %x : tensor<?x4xf32> -> tensor<?x4xui8>, tensor<f32>, tensor<i32>
  %0 = needle.dequantize %q params(%s, %z : tensor<f32>, tensor<i32>) : tensor<?x4xui8> -> tensor<?x4xf32>
  %1 = needle.quantize %0 : tensor<?x4xf32> -> tensor<?x4x!quant.uniform<u8:f32, 0.5>>
  %2 = needle.requantize %1 : tensor<?x4x!quant.uniform<u8:f32, 0.5>> -> tensor<?x4x!quant.uniform<u8:f32, 0.25>>
  %3 = needle.relu %0 : tensor<?x4xf32> -> tensor<?x4xf32>
  %4 = needle.observe %3 {id = 0 : i64} : tensor<?x4xf32> -> tensor<?x4xf32>
  %d0 = tensor.dim %2, %c0 : tensor<?x4x!quant.uniform<u8:f32, 0.25>>
  %d1 = tensor.dim %4, %c0 : tensor<?x4xf32>
  return %d0, %d1 : index, index
}

// -----

// CHECK-LABEL: func @transpose
// CHECK-SAME: (%[[X:.*]]: tensor<?x4x?xf32>)
func.func @transpose(%x: tensor<?x4x?xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK-DAG: %[[D0:.*]] = tensor.dim %[[X]], %c2
  // CHECK-DAG: %[[D1:.*]] = tensor.dim %[[X]], %c0
  // CHECK: return %[[D0]], %[[D1]]
  %0 = needle.transpose %x {permutation = array<i64: 2, 0, 1>} : tensor<?x4x?xf32> -> tensor<?x?x4xf32>
  %d0 = tensor.dim %0, %c0 : tensor<?x?x4xf32>
  %d1 = tensor.dim %0, %c1 : tensor<?x?x4xf32>
  return %d0, %d1 : index, index
}

// -----

// CHECK-LABEL: func @reshape
// CHECK-SAME: (%[[X:.*]]: tensor<?x28x?xf32>)
func.func @reshape(%x: tensor<?x28x?xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK-DAG: %[[C14:.*]] = arith.constant 14 : index
  // CHECK-DAG: %[[C28:.*]] = arith.constant 28 : index
  // CHECK-DAG: %[[D0:.*]] = tensor.dim %[[X]], %c0
  // CHECK-DAG: %[[P:.*]] = arith.muli %[[D0]], %[[C28]]
  // CHECK-DAG: %[[D2:.*]] = tensor.dim %[[X]], %c2
  // CHECK: %[[N:.*]] = arith.muli %[[P]], %[[D2]]
  // CHECK: %[[R:.*]] = arith.divui %[[N]], %[[C14]]
  // CHECK: return %[[C14]], %[[R]]
  %0 = needle.reshape %x : tensor<?x28x?xf32> -> tensor<14x?xf32>
  %d0 = tensor.dim %0, %c0 : tensor<14x?xf32>
  %d1 = tensor.dim %0, %c1 : tensor<14x?xf32>
  return %d0, %d1 : index, index
}

// -----

// CHECK-LABEL: func @batch_matmul
// CHECK-SAME: (%[[X:[a-z0-9]*]]: {{[^,]*}}, %[[W:[a-z0-9]*]]: {{[^,]*}})
func.func @batch_matmul(%x: tensor<1x?x8x?xf32>, %w: tensor<?x4x8x6xf32>) -> (index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  // Dimension 0 of x stretches; dimension 1 is 4 in w.
  // CHECK-DAG: %[[B:.*]] = tensor.dim %[[W]], %c0
  // CHECK-DAG: %[[M:.*]] = tensor.dim %[[X]], %c3
  // CHECK: return %[[B]], %c4, %[[M]]
  %0 = needle.matmul %x, %w {transpose_lhs} : tensor<1x?x8x?xf32>, tensor<?x4x8x6xf32> -> tensor<?x4x?x6xf32>
  %b = tensor.dim %0, %c0 : tensor<?x4x?x6xf32>
  %c = tensor.dim %0, %c1 : tensor<?x4x?x6xf32>
  %m = tensor.dim %0, %c2 : tensor<?x4x?x6xf32>
  return %b, %c, %m : index, index, index
}

// -----

// CHECK-LABEL: func @moving
// CHECK-SAME: (%[[X:[a-z0-9]*]]: {{[^,]*}}, %[[Y:[a-z0-9]*]]: {{[^,]*}})
func.func @moving(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>) -> (index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  // CHECK: %[[N:.*]] = tensor.dim %[[X]], %c0
  // CHECK: %[[M:.*]] = tensor.dim %[[Y]], %c0
  // CHECK: %[[SUM:.*]] = arith.addi %[[N]], %[[M]]
  // CHECK: %[[N1:.*]] = tensor.dim %[[X]], %c0
  // CHECK: %[[PADDED:.*]] = arith.addi %[[N1]], %c3
  // CHECK: %[[N2:.*]] = tensor.dim %[[X]], %c0
  // CHECK: %[[N3:.*]] = tensor.dim %[[X]], %c0
  // CHECK: return %[[SUM]], %[[PADDED]], %[[N2]], %[[N3]]
  %0 = needle.concat %x, %y {axis = 0 : i64} : tensor<?x8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %1 = needle.pad %x {low = array<i64: 1, 0>, high = array<i64: 2, 0>, interior = array<i64: 0, 0>} : tensor<?x8xf32> -> tensor<?x8xf32>
  %2 = needle.broadcast_to %x : tensor<?x8xf32> -> tensor<3x?x8xf32>
  %3 = needle.reduce_sum %x {axes = array<i64: 1>} : tensor<?x8xf32> -> tensor<?xf32>
  %a = tensor.dim %0, %c0 : tensor<?x8xf32>
  %b = tensor.dim %1, %c0 : tensor<?x8xf32>
  %c = tensor.dim %2, %c1 : tensor<3x?x8xf32>
  %d = tensor.dim %3, %c0 : tensor<?xf32>
  return %a, %b, %c, %d : index, index, index, index
}

// -----

// CHECK-LABEL: func @conv2d
// CHECK-SAME: (%[[X:[a-z0-9]*]]: tensor<?x?x9x3xf32>
func.func @conv2d(%x: tensor<?x?x9x3xf32>, %w: tensor<3x3x3x?xf32>) -> (index, index, index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %c3 = arith.constant 3 : index
  // CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
  // CHECK-DAG: %[[N:.*]] = tensor.dim %[[X]], %c0
  // CHECK-DAG: %[[H:.*]] = tensor.dim %[[X]], %c1
  // CHECK-DAG: %[[O:.*]] = tensor.dim %{{.*}}, %c3
  // CHECK: return %[[N]], %{{.*}}, %c4{{.*}}, %[[O]]
  %0 = needle.conv2d %x, %w {strides = array<i64: 2, 2>, padding = array<i64: 1, 1, 0, 1>} : tensor<?x?x9x3xf32>, tensor<3x3x3x?xf32> -> tensor<?x?x4x?xf32>
  %n = tensor.dim %0, %c0 : tensor<?x?x4x?xf32>
  %h = tensor.dim %0, %c1 : tensor<?x?x4x?xf32>
  %w0 = tensor.dim %0, %c2 : tensor<?x?x4x?xf32>
  %o = tensor.dim %0, %c3 : tensor<?x?x4x?xf32>
  return %n, %h, %w0, %o : index, index, index, index
}

// -----

// What the operands say is static may be dynamic in the result.
// CHECK-LABEL: func @less_precise
// CHECK-DAG: %[[C2:.*]] = arith.constant 2 : index
// CHECK-DAG: %[[C6:.*]] = arith.constant 6 : index
// CHECK: return %[[C2]], %[[C6]]
func.func @less_precise(%x: tensor<2x8x8x4xf32>, %w: tensor<3x3x4x5xf32>) -> (index, index) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %0 = needle.conv2d %x, %w : tensor<2x8x8x4xf32>, tensor<3x3x4x5xf32> -> tensor<?x?x?x?xf32>
  %d0 = tensor.dim %0, %c0 : tensor<?x?x?x?xf32>
  %d1 = tensor.dim %0, %c1 : tensor<?x?x?x?xf32>
  return %d0, %d1 : index, index
}
