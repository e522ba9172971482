// Folders and canonicalization patterns, and where they must not apply.
// RUN: needle-opt %s -canonicalize -split-input-file | FileCheck %s

// Folding is IEEE f32 arithmetic: 16777216 + 1 ties to even, 3e38 + 3e38
// overflows, -0 stays -0.
// CHECK-LABEL: func @fold_add
func.func @fold_add() -> tensor<4xf32> {
  // CHECK: %[[C:.*]] = needle.constant dense<[0x4B800000, 0x7F800000, -0.000000e+00, 0.000000e+00]> : tensor<4xf32> -> tensor<4xf32>
  // CHECK-NEXT: return %[[C]]
  %0 = needle.constant dense<[16777216.0, 3.0e38, -0.0, -0.0]> : tensor<4xf32> -> tensor<4xf32>
  %1 = needle.constant dense<[1.0, 3.0e38, -0.0, 0.0]> : tensor<4xf32> -> tensor<4xf32>
  %2 = needle.add %0, %1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %2 : tensor<4xf32>
}

// -----

// CHECK-LABEL: func @fold_sub
func.func @fold_sub() -> tensor<2xf32> {
  // CHECK: needle.constant dense<[-1.000000e+00, 1.500000e+00]>
  %0 = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %1 = needle.constant dense<[2.0, 0.5]> : tensor<2xf32> -> tensor<2xf32>
  %2 = needle.sub %0, %1 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

// Denormals are kept: 2^-126 * 2^-1 = 2^-127.
// CHECK-LABEL: func @fold_mul
func.func @fold_mul() -> tensor<2xf32> {
  // CHECK: needle.constant dense<[6.000000e+00, 5.87747175E-39]>
  %0 = needle.constant dense<[2.0, 1.17549435E-38]> : tensor<2xf32> -> tensor<2xf32>
  %1 = needle.constant dense<[3.0, 0.5]> : tensor<2xf32> -> tensor<2xf32>
  %2 = needle.mul %0, %1 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  return %2 : tensor<2xf32>
}

// -----

// CHECK-LABEL: func @fold_div
func.func @fold_div() -> tensor<3xf32> {
  // CHECK: needle.constant dense<[0.333333343, 0xFF800000, 5.000000e-01]>
  %0 = needle.constant dense<[1.0, -1.0, 1.0]> : tensor<3xf32> -> tensor<3xf32>
  %1 = needle.constant dense<[3.0, 0.0, 2.0]> : tensor<3xf32> -> tensor<3xf32>
  %2 = needle.div %0, %1 : tensor<3xf32>, tensor<3xf32> -> tensor<3xf32>
  return %2 : tensor<3xf32>
}

// -----

// NaN wins on either side, +0 is above -0.
// CHECK-LABEL: func @fold_maximum_minimum
func.func @fold_maximum_minimum() -> (tensor<4xf32>, tensor<4xf32>) {
  // CHECK-DAG: needle.constant dense<[0x7FC00000, 0x7FC00000, 0.000000e+00, 2.000000e+00]>
  // CHECK-DAG: needle.constant dense<[0x7FC00000, 0x7FC00000, -0.000000e+00, 1.000000e+00]>
  %0 = needle.constant dense<[0x7FC00000, 1.0, -0.0, 1.0]> : tensor<4xf32> -> tensor<4xf32>
  %1 = needle.constant dense<[1.0, 0x7FC00000, 0.0, 2.0]> : tensor<4xf32> -> tensor<4xf32>
  %2 = needle.maximum %0, %1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %3 = needle.minimum %0, %1 : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %2, %3 : tensor<4xf32>, tensor<4xf32>
}

// -----

// CHECK-LABEL: func @fold_broadcast
func.func @fold_broadcast() -> (tensor<2x3xf32>, tensor<2x2xf32>) {
  // CHECK-DAG: needle.constant dense<{{\[}}[1.100000e+01, 1.200000e+01, 1.300000e+01], [2.100000e+01, 2.200000e+01, 2.300000e+01]]> : tensor<2x3xf32>
  // CHECK-DAG: needle.constant dense<{{\[}}[9.000000e+00, 8.000000e+00], [1.900000e+01, 1.800000e+01]]> : tensor<2x2xf32>
  %0 = needle.constant dense<[[10.0], [20.0]]> : tensor<2x1xf32> -> tensor<2x1xf32>
  %1 = needle.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32> -> tensor<3xf32>
  %2 = needle.add %0, %1 : tensor<2x1xf32>, tensor<3xf32> -> tensor<2x3xf32>
  %3 = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %4 = needle.sub %0, %3 : tensor<2x1xf32>, tensor<2xf32> -> tensor<2x2xf32>
  return %2, %4 : tensor<2x3xf32>, tensor<2x2xf32>
}

// -----

// Splats are folded at any size, other constants up to 4096 elements.
// CHECK-LABEL: func @fold_size
func.func @fold_size() -> (tensor<100000xf32>, tensor<65x64xf32>, tensor<64x64xf32>) {
  // CHECK-DAG: needle.constant dense<3.000000e+00> : tensor<100000xf32>
  // CHECK-DAG: needle.add %{{.*}}, %{{.*}} : tensor<65x1xf32>, tensor<1x64xf32> -> tensor<65x64xf32>
  // CHECK-DAG: needle.constant dense<{{.*}}> : tensor<64x64xf32> -> tensor<64x64xf32>
  %0 = needle.constant dense<1.0> : tensor<100000xf32> -> tensor<100000xf32>
  %1 = needle.constant dense<2.0> : tensor<1xf32> -> tensor<1xf32>
  %2 = needle.add %0, %1 : tensor<100000xf32>, tensor<1xf32> -> tensor<100000xf32>
  %3 = needle.constant dense_resource<column65> : tensor<65x1xf32> -> tensor<65x1xf32>
  %4 = needle.constant dense<1.0> : tensor<1x64xf32> -> tensor<1x64xf32>
  %5 = needle.add %3, %4 : tensor<65x1xf32>, tensor<1x64xf32> -> tensor<65x64xf32>
  %6 = needle.constant dense_resource<column64> : tensor<64x1xf32> -> tensor<64x1xf32>
  %7 = needle.add %6, %4 : tensor<64x1xf32>, tensor<1x64xf32> -> tensor<64x64xf32>
  return %2, %5, %7 : tensor<100000xf32>, tensor<65x64xf32>, tensor<64x64xf32>
}

{-#
  dialect_resources: {
    builtin: {
      column64: "0x04000000000000000000803F0000004000004040000080400000A0400000C0400000E0400000004100001041000020410000304100004041000050410000604100007041000080410000884100009041000098410000A0410000A8410000B0410000B8410000C0410000C8410000D0410000D8410000E0410000E8410000F0410000F84100000042000004420000084200000C4200001042000014420000184200001C4200002042000024420000284200002C4200003042000034420000384200003C4200004042000044420000484200004C4200005042000054420000584200005C4200006042000064420000684200006C4200007042000074420000784200007C42",
      column65: "0x04000000000000000000803F0000004000004040000080400000A0400000C0400000E0400000004100001041000020410000304100004041000050410000604100007041000080410000884100009041000098410000A0410000A8410000B0410000B8410000C0410000C8410000D0410000D8410000E0410000E8410000F0410000F84100000042000004420000084200000C4200001042000014420000184200001C4200002042000024420000284200002C4200003042000034420000384200003C4200004042000044420000484200004C4200005042000054420000584200005C4200006042000064420000684200006C4200007042000074420000784200007C4200008042"
    }
  }
#-}

// -----

// CHECK-LABEL: func @fold_resource
func.func @fold_resource() -> tensor<2xf32> {
  // CHECK: needle.constant dense<[-1.000000e+00, -2.000000e+00]>
  %0 = needle.constant dense_resource<values> : tensor<2xf32> -> tensor<2xf32>
  %1 = needle.neg %0 : tensor<2xf32> -> tensor<2xf32>
  return %1 : tensor<2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      values: "0x040000000000803F00000040"
    }
  }
#-}

// -----

// CHECK-LABEL: func @fold_empty
func.func @fold_empty() -> tensor<0x3xf32> {
  // CHECK: %[[C:.*]] = needle.constant dense<> : tensor<0x3xf32>
  // CHECK-NEXT: return %[[C]]
  %0 = needle.constant dense<> : tensor<0x3xf32> -> tensor<0x3xf32>
  %1 = needle.constant dense<1.0> : tensor<3xf32> -> tensor<3xf32>
  %2 = needle.add %0, %1 : tensor<0x3xf32>, tensor<3xf32> -> tensor<0x3xf32>
  return %2 : tensor<0x3xf32>
}

// -----

// relu makes +0 of -0 and keeps NaN; neg and abs touch only the sign.
// CHECK-LABEL: func @fold_unary
func.func @fold_unary() -> (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2xf32>) {
  // CHECK-DAG: needle.constant dense<[0.000000e+00, 0.000000e+00, 0x7FC00000, 2.000000e+00]>
  // CHECK-DAG: needle.constant dense<[1.000000e+00, 0.000000e+00, 0xFFC00000, -2.000000e+00]>
  // CHECK-DAG: needle.constant dense<[1.000000e+00, 0.000000e+00, 0x7FC00000, 2.000000e+00]>
  // CHECK-DAG: needle.constant dense<[1.41421354, -0.000000e+00]>
  %0 = needle.constant dense<[-1.0, -0.0, 0x7FC00000, 2.0]> : tensor<4xf32> -> tensor<4xf32>
  %1 = needle.relu %0 : tensor<4xf32> -> tensor<4xf32>
  %2 = needle.neg %0 : tensor<4xf32> -> tensor<4xf32>
  %3 = needle.abs %0 : tensor<4xf32> -> tensor<4xf32>
  %4 = needle.constant dense<[2.0, -0.0]> : tensor<2xf32> -> tensor<2xf32>
  %5 = needle.sqrt %4 : tensor<2xf32> -> tensor<2xf32>
  return %1, %2, %3, %5 : tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<2xf32>
}

// -----

// CHECK-LABEL: func @repeated_unary
// CHECK-SAME: (%[[X:.*]]: tensor<?xf32>)
func.func @repeated_unary(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
  // CHECK-DAG: %[[RELU:.*]] = needle.relu %[[X]]
  // CHECK-DAG: %[[ABS:.*]] = needle.abs %[[X]]
  // CHECK: return %[[RELU]], %[[ABS]], %[[X]]
  %0 = needle.relu %x : tensor<?xf32> -> tensor<?xf32>
  %1 = needle.relu %0 : tensor<?xf32> -> tensor<?xf32>
  %2 = needle.abs %x : tensor<?xf32> -> tensor<?xf32>
  %3 = needle.abs %2 : tensor<?xf32> -> tensor<?xf32>
  %4 = needle.neg %x : tensor<?xf32> -> tensor<?xf32>
  %5 = needle.neg %4 : tensor<?xf32> -> tensor<?xf32>
  return %1, %3, %5 : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
}

// -----

// A fold that would change a type does not apply.
// CHECK-LABEL: func @repeated_unary_other_type
func.func @repeated_unary_other_type(%x: tensor<4xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  // CHECK-COUNT-2: needle.relu
  // CHECK-COUNT-2: needle.neg
  %0 = needle.relu %x : tensor<4xf32> -> tensor<4xf32>
  %1 = needle.relu %0 : tensor<4xf32> -> tensor<?xf32>
  %2 = needle.neg %x : tensor<4xf32> -> tensor<4xf32>
  %3 = needle.neg %2 : tensor<4xf32> -> tensor<?xf32>
  return %1, %3 : tensor<?xf32>, tensor<?xf32>
}

// -----

// x + 0 is +0 for x = -0; x * 0 is NaN for x = inf: neither is folded.
// CHECK-LABEL: func @not_identities
func.func @not_identities(%x: tensor<2xf32>) -> (tensor<2xf32>, tensor<2xf32>) {
  // CHECK: needle.add
  // CHECK: needle.mul
  %0 = needle.constant dense<0.0> : tensor<2xf32> -> tensor<2xf32>
  %1 = needle.add %x, %0 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  %2 = needle.mul %x, %0 : tensor<2xf32>, tensor<2xf32> -> tensor<2xf32>
  return %1, %2 : tensor<2xf32>, tensor<2xf32>
}

// -----

// CHECK-LABEL: func @transpose_identity
// CHECK-SAME: (%[[X:.*]]: tensor<2x?xf32>)
func.func @transpose_identity(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // CHECK-NEXT: return %[[X]]
  %0 = needle.transpose %x {permutation = array<i64: 0, 1>} : tensor<2x?xf32> -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// -----

// CHECK-LABEL: func @transpose_of_transpose
// CHECK-SAME: (%[[X:.*]]: tensor<2x3x4xf32>)
func.func @transpose_of_transpose(%x: tensor<2x3x4xf32>) -> (tensor<3x4x2xf32>, tensor<2x3x4xf32>) {
  // CHECK-NEXT: %[[T:.*]] = needle.transpose %[[X]] {permutation = array<i64: 1, 2, 0>} : tensor<2x3x4xf32> -> tensor<3x4x2xf32>
  // CHECK-NEXT: return %[[T]], %[[X]]
  %0 = needle.transpose %x {permutation = array<i64: 1, 0, 2>} : tensor<2x3x4xf32> -> tensor<3x2x4xf32>
  %1 = needle.transpose %0 {permutation = array<i64: 0, 2, 1>} : tensor<3x2x4xf32> -> tensor<3x4x2xf32>
  %2 = needle.transpose %0 {permutation = array<i64: 1, 0, 2>} : tensor<3x2x4xf32> -> tensor<2x3x4xf32>
  return %1, %2 : tensor<3x4x2xf32>, tensor<2x3x4xf32>
}

// -----

// CHECK-LABEL: func @transpose_constant
func.func @transpose_constant() -> (tensor<3x1x2xf32>, tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>, tensor<300x200xi32>) {
  // CHECK-DAG: needle.constant dense<{{\[\[}}[1.000000e+00, 4.000000e+00]], {{\[}}[2.000000e+00, 5.000000e+00]], {{\[}}[3.000000e+00, 6.000000e+00]]]> : tensor<3x1x2xf32>
  // CHECK-DAG: needle.constant dense<{{\[}}[1, 3, 5], [2, 4, 6]]> : tensor<2x3xi8> -> tensor<2x3x!quant.uniform<i8:f32:0, {5.000000e-01,2.500000e-01}>>
  // CHECK-DAG: needle.constant dense<7> : tensor<300x200xi32>
  %0 = needle.constant dense<[[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]> : tensor<1x2x3xf32> -> tensor<1x2x3xf32>
  %1 = needle.transpose %0 {permutation = array<i64: 2, 0, 1>} : tensor<1x2x3xf32> -> tensor<3x1x2xf32>
  %2 = needle.constant dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8> -> tensor<3x2x!quant.uniform<i8:f32:1, {0.5, 0.25}>>
  %3 = needle.transpose %2 {permutation = array<i64: 1, 0>}
      : tensor<3x2x!quant.uniform<i8:f32:1, {0.5, 0.25}>> -> tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
  %4 = needle.constant dense<7> : tensor<200x300xi32> -> tensor<200x300xi32>
  %5 = needle.transpose %4 {permutation = array<i64: 1, 0>} : tensor<200x300xi32> -> tensor<300x200xi32>
  return %1, %3, %5 : tensor<3x1x2xf32>, tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>, tensor<300x200xi32>
}

// -----

// CHECK-LABEL: func @matmul_of_transpose
// CHECK-SAME: (%[[X:.*]]: tensor<8x?xf32>, %[[W:.*]]: tensor<4x8xf32>)
func.func @matmul_of_transpose(%x: tensor<8x?xf32>, %w: tensor<4x8xf32>) -> (tensor<?x4xf32>, tensor<?x4xf32>) {
  // CHECK-NEXT: %[[Y:.*]] = needle.matmul %[[X]], %[[W]] {transpose_lhs, transpose_rhs} : tensor<8x?xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %xt = needle.transpose %x {permutation = array<i64: 1, 0>} : tensor<8x?xf32> -> tensor<?x8xf32>
  %wt = needle.transpose %w {permutation = array<i64: 1, 0>} : tensor<4x8xf32> -> tensor<8x4xf32>
  %0 = needle.matmul %xt, %wt : tensor<?x8xf32>, tensor<8x4xf32> -> tensor<?x4xf32>
  // A flag and a transpose cancel.
  // CHECK-NEXT: %[[Z:.*]] = needle.matmul %[[Y]], %[[W]] : tensor<?x4xf32>, tensor<4x8xf32> -> tensor<?x8xf32>
  // CHECK-NEXT: %[[V:.*]] = needle.matmul %[[Z]], %[[W]] {transpose_rhs}
  // CHECK-NEXT: return %[[Y]], %[[V]]
  %1 = needle.matmul %0, %wt {transpose_rhs} : tensor<?x4xf32>, tensor<8x4xf32> -> tensor<?x8xf32>
  %2 = needle.matmul %1, %w {transpose_rhs} : tensor<?x8xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  return %0, %2 : tensor<?x4xf32>, tensor<?x4xf32>
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5>
!n0 = !quant.uniform<i8:f32:0, {0.5, 0.25}>
!n1 = !quant.uniform<i8:f32:1, {0.5, 0.25}>

// CHECK-LABEL: func @qmatmul_of_transpose
// CHECK-SAME: (%[[X:[a-z0-9]*]]: {{[^,]*, [^,]*}}, %[[W:[a-z0-9]*]]:
func.func @qmatmul_of_transpose(%x: tensor<?x8x!u8>, %w: tensor<2x8x!n0>) -> tensor<?x2xf32> {
  // CHECK-NEXT: needle.qmatmul %[[X]], %[[W]] {transpose_rhs}
  %wt = needle.transpose %w {permutation = array<i64: 1, 0>} : tensor<2x8x!n0> -> tensor<8x2x!n1>
  %0 = needle.qmatmul %x, %wt : tensor<?x8x!u8>, tensor<8x2x!n1> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @reshape_same
// CHECK-SAME: (%[[X:.*]]: tensor<2x?xf32>)
func.func @reshape_same(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  // CHECK-NEXT: return %[[X]]
  %0 = needle.reshape %x : tensor<2x?xf32> -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// -----

// CHECK-LABEL: func @reshape_constant
func.func @reshape_constant() -> (tensor<2x2xf32>, tensor<1x2xf32>) {
  // CHECK-DAG: needle.constant dense<{{\[}}[1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]]> : tensor<2x2xf32>
  // The data of a resource is shared.
  // CHECK-DAG: needle.constant dense_resource<shared> : tensor<1x2xf32> -> tensor<1x2xf32>
  %0 = needle.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> -> tensor<4xf32>
  %1 = needle.reshape %0 : tensor<4xf32> -> tensor<2x2xf32>
  %2 = needle.constant dense_resource<shared> : tensor<2xf32> -> tensor<2xf32>
  %3 = needle.reshape %2 : tensor<2xf32> -> tensor<1x2xf32>
  return %1, %3 : tensor<2x2xf32>, tensor<1x2xf32>
}

{-#
  dialect_resources: {
    builtin: {
      shared: "0x040000000000803F00000040"
    }
  }
#-}

// -----

// CHECK-LABEL: func @reshape_of_reshape
// CHECK-SAME: (%[[X:[a-z0-9]*]]: tensor<?x28x28xf32>, %[[Y:[a-z0-9]*]]: tensor<4x6xf32>, %[[Z:[a-z0-9]*]]: tensor<?x?xf32>)
func.func @reshape_of_reshape(%x: tensor<?x28x28xf32>, %y: tensor<4x6xf32>, %z: tensor<?x?xf32>)
    -> (tensor<?x7xf32>, tensor<?x3xf32>, tensor<?x8xf32>, tensor<4x2xf32>) {
  // CHECK-DAG: needle.reshape %[[X]] : tensor<?x28x28xf32> -> tensor<?x7xf32>
  %0 = needle.reshape %x : tensor<?x28x28xf32> -> tensor<?x784xf32>
  %1 = needle.reshape %0 : tensor<?x784xf32> -> tensor<?x7xf32>
  // CHECK-DAG: needle.reshape %[[Y]] : tensor<4x6xf32> -> tensor<?x3xf32>
  %2 = needle.reshape %y : tensor<4x6xf32> -> tensor<24xf32>
  %3 = needle.reshape %2 : tensor<24xf32> -> tensor<?x3xf32>
  // The second check implies the first: a multiple of 8 is one of 4.
  // CHECK-DAG: needle.reshape %[[Z]] : tensor<?x?xf32> -> tensor<?x8xf32>
  %4 = needle.reshape %z : tensor<?x?xf32> -> tensor<?x4xf32>
  %5 = needle.reshape %4 : tensor<?x4xf32> -> tensor<?x8xf32>
  // CHECK-DAG: needle.reshape %[[Z]] : tensor<?x?xf32> -> tensor<4x2xf32>
  %6 = needle.reshape %z : tensor<?x?xf32> -> tensor<8xf32>
  %7 = needle.reshape %6 : tensor<8xf32> -> tensor<4x2xf32>
  return %1, %3, %5, %7 : tensor<?x7xf32>, tensor<?x3xf32>, tensor<?x8xf32>, tensor<4x2xf32>
}

// -----

// A run-time check of the first reshape that the second does not imply stays.
// CHECK-LABEL: func @reshape_keeps_check
func.func @reshape_keeps_check(%z: tensor<?x?xf32>) -> (tensor<?x4xf32>, tensor<?x2xf32>) {
  // CHECK-DAG: needle.reshape %{{.*}} : tensor<?x8xf32> -> tensor<?x4xf32>
  %0 = needle.reshape %z : tensor<?x?xf32> -> tensor<?x8xf32>
  %1 = needle.reshape %0 : tensor<?x8xf32> -> tensor<?x4xf32>
  // CHECK-DAG: needle.reshape %{{.*}} : tensor<8xf32> -> tensor<?x2xf32>
  %2 = needle.reshape %z : tensor<?x?xf32> -> tensor<8xf32>
  %3 = needle.reshape %2 : tensor<8xf32> -> tensor<?x2xf32>
  return %1, %3 : tensor<?x4xf32>, tensor<?x2xf32>
}

// -----

// N1: ties to even, clamped, NaN becomes the zero point.
// CHECK-LABEL: func @quantize_constant
func.func @quantize_constant() -> (tensor<6x!quant.uniform<u8:f32, 0.5:3>>, tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 2.0}>>) {
  // u8 255 is stored as -1.
  // CHECK-DAG: needle.constant dense<[3, 5, -1, 0, 3, -1]> : tensor<6xi8> -> tensor<6x!quant.uniform<u8:f32, 5.000000e-01:3>>
  // CHECK-DAG: needle.constant dense<{{\[}}[4, 1], [-127, -2]]> : tensor<2x2xi8> -> tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01,2.000000e+00}>>
  %0 = needle.constant dense<[0.25, 0.75, 1.0e9, -1.0e9, 0x7FC00000, 0x7F800000]> : tensor<6xf32> -> tensor<6xf32>
  %1 = needle.quantize %0 : tensor<6xf32> -> tensor<6x!quant.uniform<u8:f32, 0.5:3>>
  %2 = needle.constant dense<[[2.0, 2.0], [-100.0, -4.0]]> : tensor<2x2xf32> -> tensor<2x2xf32>
  %3 = needle.quantize %2 : tensor<2x2xf32> -> tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 2.0}>>
  return %1, %3 : tensor<6x!quant.uniform<u8:f32, 0.5:3>>, tensor<2x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 2.0}>>
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5:3>
!other = !quant.uniform<u8:f32, 0.25:3>
// 3.0e38 * 2 overflows: dequantizing loses the value.
!huge = !quant.uniform<u8:f32, 3.0000000054977558E+38>

// CHECK-LABEL: func @requantize_same
// CHECK-SAME: (%[[X:[a-z0-9]*]]: {{[^,]*, [^,]*}}, %[[H:[a-z0-9]*]]:
func.func @requantize_same(%x: tensor<4x!u8>, %h: tensor<4x!huge>)
    -> (tensor<4x!u8>, tensor<4x!u8>, tensor<4x!other>, tensor<4x!huge>, tensor<4x!huge>) {
  %0 = needle.requantize %x : tensor<4x!u8> -> tensor<4x!u8>
  %1 = needle.dequantize %x : tensor<4x!u8> -> tensor<4xf32>
  %2 = needle.quantize %1 : tensor<4xf32> -> tensor<4x!u8>
  // CHECK-DAG: %[[O:.*]] = needle.requantize %[[X]]
  %3 = needle.requantize %x : tensor<4x!u8> -> tensor<4x!other>
  // CHECK-DAG: %[[HR:.*]] = needle.requantize %[[H]]
  %4 = needle.requantize %h : tensor<4x!huge> -> tensor<4x!huge>
  // CHECK-DAG: %[[HD:.*]] = needle.dequantize %[[H]]
  // CHECK-DAG: %[[HQ:.*]] = needle.quantize %[[HD]]
  %5 = needle.dequantize %h : tensor<4x!huge> -> tensor<4xf32>
  %6 = needle.quantize %5 : tensor<4xf32> -> tensor<4x!huge>
  // CHECK: return %[[X]], %[[X]], %[[O]], %[[HR]], %[[HQ]]
  return %0, %2, %3, %4, %6 : tensor<4x!u8>, tensor<4x!u8>, tensor<4x!other>, tensor<4x!huge>, tensor<4x!huge>
}

// -----

!u8 = !quant.uniform<u8:f32, 0.5:3>
!other = !quant.uniform<u8:f32, 0.25:3>

// CHECK-LABEL: func @quantize_of_dequantize_other_type
func.func @quantize_of_dequantize_other_type(%x: tensor<4x!u8>) -> tensor<4x!other> {
  // CHECK: %[[X:.*]] = needle.dequantize
  // CHECK: %[[Q:.*]] = needle.quantize %[[X]]
  // CHECK: return %[[Q]]
  %0 = needle.dequantize %x : tensor<4x!u8> -> tensor<4xf32>
  %1 = needle.quantize %0 : tensor<4xf32> -> tensor<4x!other>
  return %1 : tensor<4x!other>
}

// -----

// quantize then dequantize rounds: it stays.
// CHECK-LABEL: func @dequantize_of_quantize
func.func @dequantize_of_quantize(%x: tensor<4xf32>) -> tensor<4xf32> {
  // CHECK: needle.quantize
  // CHECK: needle.dequantize
  %0 = needle.quantize %x : tensor<4xf32> -> tensor<4x!quant.uniform<u8:f32, 0.5:3>>
  %1 = needle.dequantize %0 : tensor<4x!quant.uniform<u8:f32, 0.5:3>> -> tensor<4xf32>
  return %1 : tensor<4xf32>
}
