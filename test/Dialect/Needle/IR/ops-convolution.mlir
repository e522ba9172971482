// Convolutions parse, print and infer.
// RUN: needle-opt %s | needle-opt | FileCheck %s
// RUN: needle-opt %s --mlir-print-op-generic | needle-opt | FileCheck %s

// CHECK-LABEL: func @conv2d(
// CHECK:         needle.conv2d %{{.*}}, %{{.*}} : tensor<?x8x?x3xf32>, tensor<3x3x3x4xf32> -> tensor<?x6x?x4xf32>
// CHECK:         needle.conv2d %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<4xf32>) {activation = #needle.activation<relu>, dilations = array<i64: 2, 1>, padding = array<i64: 1, 0, 1, 2>, strides = array<i64: 2, 3>} : tensor<?x8x9x3xf32>, tensor<3x3x3x4xf32> -> tensor<?x3x4x4xf32>
// CHECK:         needle.conv2d %{{.*}}, %{{.*}} {groups = 6 : i64} : tensor<1x5x5x6xf32>, tensor<5x5x1x12xf32> -> tensor<1x1x1x12xf32>
func.func @conv2d(%x: tensor<?x8x?x3xf32>, %y: tensor<?x8x9x3xf32>, %w: tensor<3x3x3x4xf32>, %b: tensor<4xf32>, %z: tensor<1x5x5x6xf32>, %v: tensor<5x5x1x12xf32>) -> (tensor<?x6x?x4xf32>, tensor<?x3x4x4xf32>, tensor<1x1x1x12xf32>) {
  %0 = needle.conv2d %x, %w : tensor<?x8x?x3xf32>, tensor<3x3x3x4xf32> -> tensor<?x6x?x4xf32>
  %1 = needle.conv2d %y, %w bias(%b : tensor<4xf32>) {activation = #needle.activation<relu>, strides = array<i64: 2, 3>, padding = array<i64: 1, 0, 1, 2>, dilations = array<i64: 2, 1>} : tensor<?x8x9x3xf32>, tensor<3x3x3x4xf32> -> tensor<?x3x4x4xf32>
  %2 = needle.conv2d %z, %v {groups = 6 : i64} : tensor<1x5x5x6xf32>, tensor<5x5x1x12xf32> -> tensor<1x1x1x12xf32>
  return %0, %1, %2 : tensor<?x6x?x4xf32>, tensor<?x3x4x4xf32>, tensor<1x1x1x12xf32>
}

// CHECK-LABEL: func @conv_transpose2d(
// CHECK:         needle.conv_transpose2d %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<4xf32>) {output_padding = array<i64: 1, 0>, padding = array<i64: 1, 1, 0, 1>, strides = array<i64: 2, 3>} : tensor<2x4x?x3xf32>, tensor<3x3x3x4xf32> -> tensor<2x8x?x4xf32>
func.func @conv_transpose2d(%x: tensor<2x4x?x3xf32>, %w: tensor<3x3x3x4xf32>, %b: tensor<4xf32>) -> tensor<2x8x?x4xf32> {
  %0 = needle.conv_transpose2d %x, %w bias(%b : tensor<4xf32>) {strides = array<i64: 2, 3>, padding = array<i64: 1, 1, 0, 1>, output_padding = array<i64: 1, 0>} : tensor<2x4x?x3xf32>, tensor<3x3x3x4xf32> -> tensor<2x8x?x4xf32>
  return %0 : tensor<2x8x?x4xf32>
}

// CHECK-LABEL: func @qconv2d(
// CHECK:         needle.qconv2d %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<2xf32>) {padding = array<i64: 1, 1, 1, 1>} : tensor<?x8x8x4x!quant.uniform<u8:f32, 5.000000e-01:3>>, tensor<3x3x4x2x!quant.uniform<i8:f32:3, {5.000000e-01,2.500000e-01}>> -> tensor<?x8x8x2x!quant.uniform<u8:f32, 1.000000e+00>>
// CHECK:         needle.qconv2d %{{.*}}, %{{.*}} input_params(%{{.*}}, %{{.*}} : tensor<f32>, tensor<i32>) filter_params(%{{.*}}, %{{.*}} : tensor<f32>, tensor<i32>) : tensor<?x8x8x4xui8>, tensor<3x3x4x2xsi8> -> tensor<?x6x6x2xi32>
func.func @qconv2d(%x: tensor<?x8x8x4x!quant.uniform<u8:f32, 0.5:3>>, %w: tensor<3x3x4x2x!quant.uniform<i8:f32:3, {0.5, 0.25}>>, %b: tensor<2xf32>, %r: tensor<?x8x8x4xui8>, %v: tensor<3x3x4x2xsi8>, %s: tensor<f32>, %z: tensor<i32>) -> (tensor<?x8x8x2x!quant.uniform<u8:f32, 1.0>>, tensor<?x6x6x2xi32>) {
  %0 = needle.qconv2d %x, %w bias(%b : tensor<2xf32>) {padding = array<i64: 1, 1, 1, 1>} : tensor<?x8x8x4x!quant.uniform<u8:f32, 0.5:3>>, tensor<3x3x4x2x!quant.uniform<i8:f32:3, {0.5, 0.25}>> -> tensor<?x8x8x2x!quant.uniform<u8:f32, 1.0>>
  %1 = needle.qconv2d %r, %v input_params(%s, %z : tensor<f32>, tensor<i32>) filter_params(%s, %z : tensor<f32>, tensor<i32>) : tensor<?x8x8x4xui8>, tensor<3x3x4x2xsi8> -> tensor<?x6x6x2xi32>
  return %0, %1 : tensor<?x8x8x2x!quant.uniform<u8:f32, 1.0>>, tensor<?x6x6x2xi32>
}
