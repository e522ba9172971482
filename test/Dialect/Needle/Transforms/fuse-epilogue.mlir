// RUN: needle-opt %s --split-input-file --needle-fuse-epilogue | FileCheck %s

// CHECK-LABEL: func @bias_relu(
// CHECK-SAME:    %[[X:[^:]*]]: tensor<?x4xf32>, %[[W:[^:]*]]: tensor<4x2xf32>, %[[B:[^:]*]]: tensor<2xf32>
// CHECK-NEXT:    %[[Y:.*]] = needle.matmul %[[X]], %[[W]] bias(%[[B]] : tensor<2xf32>) {activation = #needle.activation<relu>} : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @bias_relu(%x: tensor<?x4xf32>, %w: tensor<4x2xf32>, %b: tensor<2xf32>) -> tensor<?x2xf32> {
  %m = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %a = needle.add %m, %b : tensor<?x2xf32>, tensor<2xf32> -> tensor<?x2xf32>
  %y = needle.relu %a : tensor<?x2xf32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// The bias may stand on the left and be defined behind the matmul. Name,
// attributes and transposition stay.
// CHECK-LABEL: func @bias_left(
// CHECK:         %[[B:.*]] = needle.neg
// CHECK-NEXT:    %[[Y:.*]] = needle.matmul %{{.*}}, %{{.*}} bias(%[[B]] : tensor<2xf32>) {needle.op_name = "fc1", transpose_lhs, transpose_rhs} : tensor<4x?xf32>, tensor<2x4xf32> -> tensor<?x2xf32>
// CHECK-NEXT:    return %[[Y]]
func.func @bias_left(%x: tensor<4x?xf32>, %w: tensor<2x4xf32>, %c: tensor<2xf32>) -> tensor<?x2xf32> {
  %m = needle.matmul %x, %w {needle.op_name = "fc1", transpose_lhs, transpose_rhs} : tensor<4x?xf32>, tensor<2x4xf32> -> tensor<?x2xf32>
  %b = needle.neg %c : tensor<2xf32> -> tensor<2xf32>
  %a = needle.add %b, %m : tensor<2xf32>, tensor<?x2xf32> -> tensor<?x2xf32>
  return %a : tensor<?x2xf32>
}

// -----

// A bias of 1xN becomes one of N.
// CHECK-LABEL: func @bias_row(
// CHECK-SAME:    %[[B:[^:]*]]: tensor<1x2xf32>)
// CHECK-NEXT:    %[[R:.*]] = needle.reshape %[[B]] : tensor<1x2xf32> -> tensor<2xf32>
// CHECK-NEXT:    needle.matmul %{{.*}} bias(%[[R]] : tensor<2xf32>)
// CHECK-NEXT:    return
func.func @bias_row(%x: tensor<?x4xf32>, %w: tensor<4x2xf32>, %b: tensor<1x2xf32>) -> tensor<?x2xf32> {
  %m = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %a = needle.add %m, %b : tensor<?x2xf32>, tensor<1x2xf32> -> tensor<?x2xf32>
  return %a : tensor<?x2xf32>
}

// -----

// CHECK-LABEL: func @bias_of_one_column(
// CHECK-NEXT:    needle.matmul %{{.*}} bias(%{{.*}} : tensor<1xf32>)
// CHECK-NEXT:    return
func.func @bias_of_one_column(%x: tensor<?x4xf32>, %w: tensor<4x1xf32>, %b: tensor<1xf32>) -> tensor<?x1xf32> {
  %m = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x1xf32> -> tensor<?x1xf32>
  %a = needle.add %m, %b : tensor<?x1xf32>, tensor<1xf32> -> tensor<?x1xf32>
  return %a : tensor<?x1xf32>
}

// -----

// CHECK-LABEL: func @relu_only(
// CHECK-NEXT:    needle.matmul %{{.*}}, %{{.*}} {activation = #needle.activation<relu>}
// CHECK-NEXT:    return
func.func @relu_only(%x: tensor<?x4xf32>, %w: tensor<4x2xf32>) -> tensor<?x2xf32> {
  %m = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %y = needle.relu %m : tensor<?x2xf32> -> tensor<?x2xf32>
  return %y : tensor<?x2xf32>
}

// -----

// The result's type is that of the last operation.
// CHECK-LABEL: func @result_type(
// CHECK-NEXT:    %[[Y:.*]] = needle.matmul %{{.*}} : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<3x2xf32>
// CHECK-NEXT:    return %[[Y]] : tensor<3x2xf32>
func.func @result_type(%x: tensor<?x4xf32>, %w: tensor<4x2xf32>, %b: tensor<2xf32>) -> tensor<3x2xf32> {
  %m = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %a = needle.add %m, %b : tensor<?x2xf32>, tensor<2xf32> -> tensor<3x2xf32>
  return %a : tensor<3x2xf32>
}

// -----

//===----------------------------------------------------------------------===//
// Does not apply
//===----------------------------------------------------------------------===//

// A bias along M.
// CHECK-LABEL: func @bias_column(
// CHECK:         needle.matmul %{{.*}}, %{{.*}} :
// CHECK-NEXT:    needle.add
func.func @bias_column(%x: tensor<3x4xf32>, %w: tensor<4x2xf32>, %b: tensor<3x1xf32>) -> tensor<3x2xf32> {
  %m = needle.matmul %x, %w : tensor<3x4xf32>, tensor<4x2xf32> -> tensor<3x2xf32>
  %a = needle.add %m, %b : tensor<3x2xf32>, tensor<3x1xf32> -> tensor<3x2xf32>
  return %a : tensor<3x2xf32>
}

// -----

// A scalar, a matrix.
// CHECK-LABEL: func @no_bias(
// CHECK:         needle.matmul %{{.*}}, %{{.*}} :
// CHECK-NEXT:    needle.add
// CHECK-NEXT:    needle.matmul %{{.*}}, %{{.*}} :
// CHECK-NEXT:    needle.add
// CHECK-NEXT:    needle.matmul %{{.*}}, %{{.*}} :
// CHECK-NEXT:    needle.add
func.func @no_bias(%x: tensor<3x4xf32>, %w: tensor<4x2xf32>, %b: tensor<f32>, %c: tensor<3x2xf32>, %d: tensor<1xf32>) -> (tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf32>) {
  %m = needle.matmul %x, %w : tensor<3x4xf32>, tensor<4x2xf32> -> tensor<3x2xf32>
  %a = needle.add %m, %b : tensor<3x2xf32>, tensor<f32> -> tensor<3x2xf32>
  %n = needle.matmul %x, %w : tensor<3x4xf32>, tensor<4x2xf32> -> tensor<3x2xf32>
  %e = needle.add %n, %c : tensor<3x2xf32>, tensor<3x2xf32> -> tensor<3x2xf32>
  %o = needle.matmul %x, %w : tensor<3x4xf32>, tensor<4x2xf32> -> tensor<3x2xf32>
  %f = needle.add %o, %d : tensor<3x2xf32>, tensor<1xf32> -> tensor<3x2xf32>
  return %a, %e, %f : tensor<3x2xf32>, tensor<3x2xf32>, tensor<3x2xf32>
}

// -----

// The sum has more rows than the product: the matrix is what stretches.
// CHECK-LABEL: func @product_stretches(
// CHECK:         needle.matmul %{{.*}}, %{{.*}} :
// CHECK-NEXT:    needle.add
func.func @product_stretches(%x: tensor<1x4xf32>, %w: tensor<4x2xf32>, %b: tensor<3x2xf32>) -> tensor<3x2xf32> {
  %m = needle.matmul %x, %w : tensor<1x4xf32>, tensor<4x2xf32> -> tensor<1x2xf32>
  %a = needle.add %m, %b : tensor<1x2xf32>, tensor<3x2xf32> -> tensor<3x2xf32>
  return %a : tensor<3x2xf32>
}

// -----

// Dynamic N: that the bias has N elements is known at run time only.
// CHECK-LABEL: func @dynamic(
// CHECK:         needle.matmul %{{.*}}, %{{.*}} :
// CHECK-NEXT:    needle.add
// CHECK-NEXT:    needle.matmul %{{.*}}, %{{.*}} :
// CHECK-NEXT:    needle.add
func.func @dynamic(%x: tensor<3x4xf32>, %w: tensor<4x?xf32>, %b: tensor<?xf32>, %c: tensor<2xf32>) -> (tensor<3x?xf32>, tensor<3x2xf32>) {
  %m = needle.matmul %x, %w : tensor<3x4xf32>, tensor<4x?xf32> -> tensor<3x?xf32>
  %a = needle.add %m, %b : tensor<3x?xf32>, tensor<?xf32> -> tensor<3x?xf32>
  %n = needle.matmul %x, %w : tensor<3x4xf32>, tensor<4x?xf32> -> tensor<3x?xf32>
  %d = needle.add %n, %c : tensor<3x?xf32>, tensor<2xf32> -> tensor<3x2xf32>
  return %a, %d : tensor<3x?xf32>, tensor<3x2xf32>
}

// -----

// Another user needs the intermediate value.
// CHECK-LABEL: func @several_users(
// CHECK:         %[[M:.*]] = needle.matmul %{{.*}}, %{{.*}} :
// CHECK-NEXT:    %[[A:.*]] = needle.add %[[M]],
// CHECK-NEXT:    %[[N:.*]] = needle.matmul %{{.*}} bias(%{{.*}}) :
// CHECK-NEXT:    %[[R:.*]] = needle.relu %[[N]]
// CHECK-NEXT:    return %[[M]], %[[A]], %[[N]], %[[R]]
func.func @several_users(%x: tensor<?x4xf32>, %w: tensor<4x2xf32>, %b: tensor<2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>) {
  %m = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %a = needle.add %m, %b : tensor<?x2xf32>, tensor<2xf32> -> tensor<?x2xf32>
  %n = needle.matmul %x, %w bias(%b : tensor<2xf32>) : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %r = needle.relu %n : tensor<?x2xf32> -> tensor<?x2xf32>
  return %m, %a, %n, %r : tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// A sum with itself uses the product twice.
// CHECK-LABEL: func @doubled(
// CHECK:         %[[M:.*]] = needle.matmul
// CHECK-NEXT:    needle.add %[[M]], %[[M]]
func.func @doubled(%x: tensor<1x4xf32>, %w: tensor<4x2xf32>) -> tensor<1x2xf32> {
  %m = needle.matmul %x, %w : tensor<1x4xf32>, tensor<4x2xf32> -> tensor<1x2xf32>
  %a = needle.add %m, %m : tensor<1x2xf32>, tensor<1x2xf32> -> tensor<1x2xf32>
  return %a : tensor<1x2xf32>
}

// -----

// A second bias, and a bias behind the activation function.
// CHECK-LABEL: func @too_late(
// CHECK:         needle.matmul %{{.*}} bias(%{{.*}}) :
// CHECK-NEXT:    needle.add
// CHECK-NEXT:    needle.matmul %{{.*}}, %{{.*}} {activation = #needle.activation<relu>}
// CHECK-NEXT:    needle.add
func.func @too_late(%x: tensor<?x4xf32>, %w: tensor<4x2xf32>, %b: tensor<2xf32>) -> (tensor<?x2xf32>, tensor<?x2xf32>) {
  %m = needle.matmul %x, %w bias(%b : tensor<2xf32>) : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %a = needle.add %m, %b : tensor<?x2xf32>, tensor<2xf32> -> tensor<?x2xf32>
  %n = needle.matmul %x, %w {activation = #needle.activation<relu>} : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
  %c = needle.add %n, %b : tensor<?x2xf32>, tensor<2xf32> -> tensor<?x2xf32>
  return %a, %c : tensor<?x2xf32>, tensor<?x2xf32>
}

// -----

// Fusing would move the product into the branch.
// CHECK-LABEL: func @other_block(
// CHECK:         needle.matmul %{{.*}}, %{{.*}} :
// CHECK-NEXT:    scf.if
// CHECK-NEXT:      needle.relu
func.func @other_block(%x: tensor<1x4xf32>, %w: tensor<4x2xf32>, %z: tensor<1x2xf32>, %c: i1) -> tensor<1x2xf32> {
  %m = needle.matmul %x, %w : tensor<1x4xf32>, tensor<4x2xf32> -> tensor<1x2xf32>
  %y = scf.if %c -> tensor<1x2xf32> {
    %r = needle.relu %m : tensor<1x2xf32> -> tensor<1x2xf32>
    scf.yield %r : tensor<1x2xf32>
  } else {
    scf.yield %z : tensor<1x2xf32>
  }
  return %y : tensor<1x2xf32>
}

// -----

// Convolutions have the same epilogue; a bias may have leading dimensions of 1.
// CHECK-LABEL: func @convolution(
// CHECK-SAME:    %[[X:.*]]: tensor<?x8x8x4xf32>, %[[W:.*]]: tensor<3x3x4x2xf32>, %[[B:.*]]: tensor<1x1x1x2xf32>
// CHECK:         %[[R:.*]] = needle.reshape %[[B]] : tensor<1x1x1x2xf32> -> tensor<2xf32>
// CHECK-NEXT:    %[[C:.*]] = needle.conv2d %[[X]], %[[W]] bias(%[[R]] : tensor<2xf32>) {activation = #needle.activation<relu>, padding = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : tensor<?x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<?x4x4x2xf32>
// CHECK-NEXT:    return %[[C]]
func.func @convolution(%x: tensor<?x8x8x4xf32>, %w: tensor<3x3x4x2xf32>, %b: tensor<1x1x1x2xf32>) -> tensor<?x4x4x2xf32> {
  %c = needle.conv2d %x, %w {padding = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : tensor<?x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<?x4x4x2xf32>
  %a = needle.add %c, %b : tensor<?x4x4x2xf32>, tensor<1x1x1x2xf32> -> tensor<?x4x4x2xf32>
  %r = needle.relu %a : tensor<?x4x4x2xf32> -> tensor<?x4x4x2xf32>
  return %r : tensor<?x4x4x2xf32>
}

// -----

// CHECK-LABEL: func @transposed_convolution(
// CHECK:         needle.conv_transpose2d %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<2xf32>) {strides = array<i64: 2, 2>}
// CHECK-NEXT:    return
func.func @transposed_convolution(%x: tensor<?x8x8x4xf32>, %w: tensor<2x2x4x2xf32>, %b: tensor<2xf32>) -> tensor<?x16x16x2xf32> {
  %c = needle.conv_transpose2d %x, %w {strides = array<i64: 2, 2>} : tensor<?x8x8x4xf32>, tensor<2x2x4x2xf32> -> tensor<?x16x16x2xf32>
  %a = needle.add %c, %b : tensor<?x16x16x2xf32>, tensor<2xf32> -> tensor<?x16x16x2xf32>
  return %a : tensor<?x16x16x2xf32>
}

// -----

// One number for each column of pixels is no bias.
// CHECK-LABEL: func @convolution_columns(
// CHECK:         needle.conv2d %{{.*}}, %{{.*}} :
// CHECK-NEXT:    needle.add
func.func @convolution_columns(%x: tensor<1x3x2x4xf32>, %w: tensor<1x1x4x2xf32>, %b: tensor<2x1xf32>) -> tensor<1x3x2x2xf32> {
  %c = needle.conv2d %x, %w : tensor<1x3x2x4xf32>, tensor<1x1x4x2xf32> -> tensor<1x3x2x2xf32>
  %a = needle.add %c, %b : tensor<1x3x2x2xf32>, tensor<2x1xf32> -> tensor<1x3x2x2xf32>
  return %a : tensor<1x3x2x2xf32>
}
