// Dimensions that are computed from others, and claims about them.
// RUN: needle-opt %s --needle-cpu-build-plan --canonicalize | FileCheck %s

// CHECK: needle.messages = [
// CHECK-SAME: text = "needle.concat: dimension 1 of operand (input 1) must equal dimension 1 of operand (input 0)"
// CHECK-SAME: text = "needle.concat: dimension 0 of result must be 9"
// CHECK-SAME: text = "needle.matmul: dimension 0 of rhs (input 1) must equal dimension 0 of lhs (input 0)"

// CHECK-LABEL: func.func private @concat.shapes
// CHECK-SAME: (%[[X0:.*]]: index, %[[X1:.*]]: index, %[[Y0:.*]]: index, %[[Y1:.*]]: index)
// CHECK: %[[SUM:.*]] = arith.addi %[[X0]], %[[Y0]]
// CHECK: return %{{.*}}, %[[SUM]], %[[X1]] : i64, index, index
func.func @concat(%x: tensor<?x?xf32>, %y: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = needle.concat %x, %y {axis = 0 : i64} : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func.func private @claim.shapes
// CHECK: %[[SUM:.*]] = arith.addi
// CHECK: arith.cmpi ne, %[[SUM]], %c9
func.func @claim(%x: tensor<?x2xf32>, %y: tensor<?x2xf32>) -> tensor<9x2xf32> {
  %0 = needle.concat %x, %y {axis = 0 : i64} : tensor<?x2xf32>, tensor<?x2xf32> -> tensor<9x2xf32>
  return %0 : tensor<9x2xf32>
}

// CHECK-LABEL: func.func private @batch.shapes
// CHECK-SAME: (%[[X0:.*]]: index, %[[Y0:.*]]: index)
// CHECK: arith.cmpi ne, %[[Y0]], %[[X0]]
func.func @batch(%x: tensor<?x2x3xf32>, %y: tensor<?x3x4xf32>) -> tensor<?x2x4xf32> {
  %0 = needle.matmul %x, %y : tensor<?x2x3xf32>, tensor<?x3x4xf32> -> tensor<?x2x4xf32>
  return %0 : tensor<?x2x4xf32>
}
