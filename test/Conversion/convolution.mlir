// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse | FileCheck %s

// The filter is a matrix of KH·KW·C rows, the image stays one.
// CHECK-LABEL: func @conv2d
// CHECK-SAME: %[[X:.*]]: tensor<?x8x8x4xf32> {{.*}}, %[[W:.*]]: tensor<3x3x4x16xf32> {{.*}}, %[[B:[a-z0-9]+]]: tensor<16xf32>
// CHECK-DAG: %[[F:.*]] = tensor.collapse_shape %[[W]] {{\[\[}}0, 1, 2], [3]] : tensor<3x3x4x16xf32> into tensor<36x16xf32>
// CHECK-DAG: %[[P:.*]] = needle_cpu.pack_rhs ins(%[[F]] : tensor<36x16xf32>)
// CHECK: %[[R:.*]] = needle_cpu.matmul ins(%[[X]], %[[P]] : tensor<?x8x8x4xf32>, tensor<1x36x16xf32>) bias(%[[B]] : tensor<16xf32>) outs(%{{.*}} : tensor<?x16xf32>) {activation = #needle.activation<relu>, window = array<i64: 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1>} -> tensor<?x16xf32>
// CHECK: tensor.expand_shape %[[R]] {{\[\[}}0, 1, 2], [3]] output_shape [%{{.*}}, 4, 4, 16] : tensor<?x16xf32> into tensor<?x4x4x16xf32>
func.func @conv2d(%x: tensor<?x8x8x4xf32>, %w: tensor<3x3x4x16xf32>, %b: tensor<16xf32>) -> tensor<?x4x4x16xf32> {
  %0 = needle.conv2d %x, %w bias(%b : tensor<16xf32>) {activation = #needle.activation<relu>, padding = array<i64: 1, 1, 1, 1>, strides = array<i64: 2, 2>} : tensor<?x8x8x4xf32>, tensor<3x3x4x16xf32> -> tensor<?x4x4x16xf32>
  return %0 : tensor<?x4x4x16xf32>
}

// A constant filter becomes a weight in the shape of a matrix.
// CHECK-LABEL: func @constant
// CHECK: needle_cpu.weight dense_resource<filter> : tensor<4x1xf32> -> tensor<4x1xf32>
func.func @constant(%x: tensor<1x8x8x1xf32>) -> tensor<1x7x7x1xf32> {
  %w = needle.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32> -> tensor<2x2x1x1xf32>
  %0 = needle.conv2d %x, %w : tensor<1x8x8x1xf32>, tensor<2x2x1x1xf32> -> tensor<1x7x7x1xf32>
  return %0 : tensor<1x7x7x1xf32>
}

// Windows of one pixel are rows of a matrix already.
// CHECK-LABEL: func @pointwise
// CHECK-SAME: %[[X:.*]]: tensor<2x8x8x4xf32>
// CHECK: %[[R:.*]] = tensor.collapse_shape %[[X]] {{\[\[}}0, 1, 2], [3]] : tensor<2x8x8x4xf32> into tensor<128x4xf32>
// CHECK: needle_cpu.matmul ins(%[[R]], %{{.*}} : tensor<128x4xf32>, tensor<1x4x16xf32>) outs(%{{.*}} : tensor<128x16xf32>) -> tensor<128x16xf32>
func.func @pointwise(%x: tensor<2x8x8x4xf32>, %w: tensor<1x1x4x16xf32>) -> tensor<2x8x8x16xf32> {
  %0 = needle.conv2d %x, %w : tensor<2x8x8x4xf32>, tensor<1x1x4x16xf32> -> tensor<2x8x8x16xf32>
  return %0 : tensor<2x8x8x16xf32>
}

// All groups are one contraction; each has panels of its own.
// CHECK-LABEL: func @groups
// CHECK-SAME: %[[X:.*]]: tensor<1x8x8x6xf32>
// CHECK: %[[P:.*]] = needle_cpu.pack_rhs ins(%{{.*}} : tensor<27x8xf32>) outs(%{{.*}} : tensor<2x27x16xf32>) {groups = 2 : i64}
// CHECK: needle_cpu.matmul ins(%[[X]], %[[P]] : {{.*}} {window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 2>} -> tensor<36x8xf32>
// CHECK-NOT: needle_cpu.matmul
func.func @groups(%x: tensor<1x8x8x6xf32>, %w: tensor<3x3x3x8xf32>) -> tensor<1x6x6x8xf32> {
  %0 = needle.conv2d %x, %w {groups = 2 : i64} : tensor<1x8x8x6xf32>, tensor<3x3x3x8xf32> -> tensor<1x6x6x8xf32>
  return %0 : tensor<1x6x6x8xf32>
}

!u8 = !quant.uniform<u8:f32, 0.5:3>
!i8 = !quant.uniform<i8:f32:3, {0.5, 0.25}>

// CHECK-LABEL: func @qconv2d
// CHECK: %[[S:.*]] = needle_cpu.weight dense<[2.500000e-01, 1.250000e-01]>
// CHECK: needle_cpu.qmatmul ins(%{{.*}}, %{{.*}} : tensor<?x8x8x4xi8>, tensor<1x{{.*}}xi8>) scales(%[[S]] : tensor<2xf32>) outs(%{{.*}} : tensor<?x2xi8>) {dest_max = 255 : i32, dest_min = 0 : i32, dest_scale = 1.000000e+00 : f32, dest_zero_point = 0 : i32, lhs_unsigned, lhs_zero_point = 3 : i32, window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 2, 1>} -> tensor<?x2xi8>
func.func @qconv2d(%x: tensor<?x8x8x4x!u8>, %w: tensor<3x3x4x2x!i8>) -> tensor<?x6x4x2x!quant.uniform<u8:f32, 1.0>> {
  %0 = needle.qconv2d %x, %w {dilations = array<i64: 1, 2>} : tensor<?x8x8x4x!u8>, tensor<3x3x4x2x!i8> -> tensor<?x6x4x2x!quant.uniform<u8:f32, 1.0>>
  return %0 : tensor<?x6x4x2x!quant.uniform<u8:f32, 1.0>>
}

// Small groups that fill a panel are depthwise, too.
// CHECK-LABEL: func @small_groups
// CHECK: needle_cpu.matmul ins(%{{.*}} : tensor<1x8x8x16xf32>, tensor<18x16xf32>) {{.*}}depthwise, window = array<i64: 3, 3, 1, 1, 0, 0, 0, 0, 1, 1, 8>}
func.func @small_groups(%x: tensor<1x8x8x16xf32>, %w: tensor<3x3x2x16xf32>) -> tensor<1x6x6x16xf32> {
  %0 = needle.conv2d %x, %w {groups = 8 : i64} : tensor<1x8x8x16xf32>, tensor<3x3x2x16xf32> -> tensor<1x6x6x16xf32>
  return %0 : tensor<1x6x6x16xf32>
}

// So are those of integers, in f32, if it holds their sums.
// CHECK-LABEL: func @small_integer_groups
// CHECK: needle_cpu.qmatmul ins(%{{.*}}, %{{.*}} : tensor<1x8x8x16xi8>, tensor<18x16xf32>) {{.*}}depthwise
func.func @small_integer_groups(%x: tensor<1x8x8x16x!u8>) -> tensor<1x6x6x16xi32> {
  %w = needle.constant dense<3> : tensor<3x3x2x16xi8> -> tensor<3x3x2x16x!quant.uniform<i8:f32, 0.5>>
  %0 = needle.qconv2d %x, %w {groups = 8 : i64} : tensor<1x8x8x16x!u8>, tensor<3x3x2x16x!quant.uniform<i8:f32, 0.5>> -> tensor<1x6x6x16xi32>
  return %0 : tensor<1x6x6x16xi32>
}

// CHECK-LABEL: func @small_integer_groups_of_many_terms
// CHECK-NOT: depthwise
func.func @small_integer_groups_of_many_terms(%x: tensor<1x13x5x16x!u8>) -> tensor<1x1x1x16xi32> {
  %w = needle.constant dense<3> : tensor<13x5x4x16xi8> -> tensor<13x5x4x16x!quant.uniform<i8:f32, 0.5>>
  %0 = needle.qconv2d %x, %w {groups = 4 : i64} : tensor<1x13x5x16x!u8>, tensor<13x5x4x16x!quant.uniform<i8:f32, 0.5>> -> tensor<1x1x1x16xi32>
  return %0 : tensor<1x1x1x16xi32>
}

// Far dilations would make long rings.
// CHECK-LABEL: func @small_integer_groups_far
// CHECK-NOT: depthwise
func.func @small_integer_groups_far(%x: tensor<1x200x8x16x!u8>) -> tensor<1x135x8x16xi32> {
  %w = needle.constant dense<3> : tensor<2x1x2x16xi8> -> tensor<2x1x2x16x!quant.uniform<i8:f32, 0.5>>
  %0 = needle.qconv2d %x, %w {groups = 8 : i64, dilations = array<i64: 65, 1>} : tensor<1x200x8x16x!u8>, tensor<2x1x2x16x!quant.uniform<i8:f32, 0.5>> -> tensor<1x135x8x16xi32>
  return %0 : tensor<1x135x8x16xi32>
}

// Groups of integers share a panel; the channels of others have the weight 0.
// CHECK-LABEL: func @merged_groups
// CHECK: %[[W:.*]] = needle_cpu.weight {{.*}} : tensor<4x4xi8> -> tensor<4x4xi8>
// CHECK: needle_cpu.pack_rhs ins(%[[W]] : tensor<4x4xi8>) outs(%{{.*}} : tensor<1x2x16x4xi8>) -> tensor<1x2x16x4xi8>
// CHECK: needle_cpu.qmatmul ins(%{{.*}}, %{{.*}} : tensor<64x4xi8>,
func.func @merged_groups(%x: tensor<1x8x8x4x!u8>) -> tensor<1x8x8x4xi32> {
  %w = needle.constant dense<[[[[1, 2, 3, 4], [5, 6, 7, 8]]]]> : tensor<1x1x2x4xi8> -> tensor<1x1x2x4x!quant.uniform<i8:f32, 0.5>>
  %0 = needle.qconv2d %x, %w {groups = 2 : i64} : tensor<1x8x8x4x!u8>, tensor<1x1x2x4x!quant.uniform<i8:f32, 0.5>> -> tensor<1x8x8x4xi32>
  return %0 : tensor<1x8x8x4xi32>
}

// Rows and columns that are a stride apart meet the same elements of the kernel:
// of three the even ones meet two, in the opposite order, the odd ones one.
// CHECK-LABEL: func @transposed
// CHECK: needle_cpu.matmul {{.*}} {window = array<i64: 2, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1>} -> tensor<81x2xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 0, 0, 0] [1, 9, 9, 2] [1, 2, 2, 1]
// CHECK: needle_cpu.matmul {{.*}} {window = array<i64: 2, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1>} -> tensor<72x2xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 0, 1, 0] [1, 9, 8, 2] [1, 2, 2, 1]
// CHECK: needle_cpu.matmul {{.*}} {window = array<i64: 1, 2, 1, 1, 0, 0, 1, 1, 1, 1, 1>} -> tensor<72x2xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 1, 0, 0] [1, 8, 9, 2] [1, 2, 2, 1]
// CHECK: needle_cpu.matmul ins(%{{.*}}, %{{.*}} : tensor<64x4xf32>, {{.*}} -> tensor<64x2xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 1, 1, 0] [1, 8, 8, 2] [1, 2, 2, 1]
func.func @transposed(%x: tensor<1x8x8x4xf32>, %w: tensor<3x3x4x2xf32>) -> tensor<1x17x17x2xf32> {
  %0 = needle.conv_transpose2d %x, %w {strides = array<i64: 2, 2>} : tensor<1x8x8x4xf32>, tensor<3x3x4x2xf32> -> tensor<1x17x17x2xf32>
  return %0 : tensor<1x17x17x2xf32>
}

// A stride beyond the kernel leaves pixels that nothing reaches: the result
// starts as sums of nothing.
// CHECK-LABEL: func @unreached
// CHECK: arith.addf
// CHECK: needle_cpu.matmul
// CHECK: tensor.insert_slice {{.*}}[0, 0, 0, 0] [1, 3, 3, 2] [1, 2, 1, 1]
// CHECK-NOT: needle_cpu.matmul
// CHECK: return
func.func @unreached(%x: tensor<1x3x3x4xf32>, %w: tensor<1x1x4x2xf32>, %b: tensor<2xf32>) -> tensor<1x5x3x2xf32> {
  %0 = needle.conv_transpose2d %x, %w bias(%b : tensor<2xf32>) {strides = array<i64: 2, 1>} : tensor<1x3x3x4xf32>, tensor<1x1x4x2xf32> -> tensor<1x5x3x2xf32>
  return %0 : tensor<1x5x3x2xf32>
}

// Many phases are together: those of a kernel as large as the stride one product,
// each some of its columns.
// CHECK-LABEL: func @whole_strides
// CHECK: %[[W:.*]] = needle_cpu.weight {{.*}} : tensor<1x25xf32> -> tensor<1x25xf32>
// CHECK: needle_cpu.matmul {{.*}} -> tensor<64x25xf32>
// CHECK-NOT: needle_cpu.matmul
// CHECK: tensor.collapse_shape {{.*}} : tensor<1x8x5x8x5x1xf32> into tensor<1x40x40x1xf32>
// CHECK-NEXT: return
func.func @whole_strides(%x: tensor<1x8x8x1xf32>) -> tensor<1x40x40x1xf32> {
  %w = needle.constant dense<2.0> : tensor<5x5x1x1xf32> -> tensor<5x5x1x1xf32>
  %0 = needle.conv_transpose2d %x, %w {strides = array<i64: 5, 5>} : tensor<1x8x8x1xf32>, tensor<5x5x1x1xf32> -> tensor<1x40x40x1xf32>
  return %0 : tensor<1x40x40x1xf32>
}

// Of six rows of the kernel the first meets every fifth row of the result, as does
// the last: these are a contraction of their own.
// CHECK-LABEL: func @parts
// CHECK: %[[D:.*]] = tensor.expand_shape %{{.*}} : tensor<1x20x16x2xf32> into tensor<1x4x5x4x4x2xf32>
// CHECK: needle_cpu.matmul {{.*}} {window = array<i64: 2, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1>} -> tensor<16x8xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 0, 0, 0, 0, 0] [1, 4, 1, 4, 4, 2] [1, 1, 1, 1, 1, 1]
// CHECK: needle_cpu.matmul {{.*}} -> tensor<12x32xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 0, 1, 0, 0, 0] [1, 3, 4, 4, 4, 2] [1, 1, 1, 1, 1, 1]
// CHECK: tensor.extract_slice {{.*}}[0, 0, 0, 0] [1, 16, 16, 2] [1, 1, 1, 1]
func.func @parts(%x: tensor<1x3x4x4xf32>, %w: tensor<6x4x4x2xf32>) -> tensor<1x16x16x2xf32> {
  %0 = needle.conv_transpose2d %x, %w {strides = array<i64: 5, 4>} : tensor<1x3x4x4xf32>, tensor<6x4x4x2xf32> -> tensor<1x16x16x2xf32>
  return %0 : tensor<1x16x16x2xf32>
}

// Of many phases only those that an element of the kernel reaches are computed.
// CHECK-LABEL: func @far_apart
// CHECK: needle_cpu.matmul {{.*}} -> tensor<2x4xf32>
// CHECK: tensor.insert_slice {{.*}}[0, 0, 0, 0, 0, 0] [1, 2, 2, 1, 1, 2] [1, 1, 1, 1, 1, 1]
// CHECK-NOT: needle_cpu.matmul
// CHECK: tensor.extract_slice {{.*}}[0, 1, 0, 0] [1, 1000001, 1, 2] [1, 1, 1, 1]
// CHECK: return
func.func @far_apart(%x: tensor<1x2x1x4xf32>, %w: tensor<2x1x4x2xf32>) -> tensor<1x1000001x1x2xf32> {
  %0 = needle.conv_transpose2d %x, %w {strides = array<i64: 1000000, 1>, padding = array<i64: 1, 0, 0, 0>} : tensor<1x2x1x4xf32>, tensor<2x1x4x2xf32> -> tensor<1x1000001x1x2xf32>
  return %0 : tensor<1x1000001x1x2xf32>
}

// Each channel has a kernel of its own: one contraction for all, unless pixels
// lie too far apart.
// CHECK-LABEL: func @depthwise
// CHECK: needle_cpu.matmul {{.*}}depthwise
// CHECK-LABEL: func @depthwise_far
// CHECK: needle_cpu.matmul
// CHECK-NOT: depthwise
func.func @depthwise(%x: tensor<1x200x8x2xf32>, %w: tensor<2x2x1x2xf32>) -> tensor<1x136x7x2xf32> {
  %0 = needle.conv2d %x, %w {groups = 2 : i64, dilations = array<i64: 64, 1>} : tensor<1x200x8x2xf32>, tensor<2x2x1x2xf32> -> tensor<1x136x7x2xf32>
  return %0 : tensor<1x136x7x2xf32>
}
func.func @depthwise_far(%x: tensor<1x200x8x2xf32>, %w: tensor<2x2x1x2xf32>) -> tensor<1x135x7x2xf32> {
  %0 = needle.conv2d %x, %w {groups = 2 : i64, dilations = array<i64: 65, 1>} : tensor<1x200x8x2xf32>, tensor<2x2x1x2xf32> -> tensor<1x135x7x2xf32>
  return %0 : tensor<1x135x7x2xf32>
}
