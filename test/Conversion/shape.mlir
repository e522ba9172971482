// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse | FileCheck %s
// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse \
// RUN:   --one-shot-bufferize="bufferize-function-boundaries=1 function-boundary-type-conversion=identity-layout-map" | FileCheck %s --check-prefix=BUFFERS

// CHECK-DAG: #[[FROM:.*]] = affine_map<(d0, d1, d2) -> (d1, d2, d0)>
// CHECK-DAG: #[[TO:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>

// Loops run over the result: its dimension i is dimension permutation[i] of the
// operand.
// CHECK-LABEL: func @transpose
// CHECK-SAME: %[[X:.*]]: tensor<?x2x5xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[X]], %c0
// CHECK: %[[E:.*]] = tensor.empty(%[[N]]) : tensor<5x?x2xf32>
// CHECK: linalg.generic {indexing_maps = [#[[FROM]], #[[TO]]]
// CHECK-SAME: ins(%[[X]] : tensor<?x2x5xf32>) outs(%[[E]] : tensor<5x?x2xf32>)
// CHECK: ^bb0(%[[IN:.*]]: f32, %{{.*}}: f32):
// CHECK-NEXT: linalg.yield %[[IN]] : f32
func.func @transpose(%x: tensor<?x2x5xf32>) -> tensor<5x?x2xf32> {
  %0 = needle.transpose %x {permutation = array<i64: 2, 0, 1>} : tensor<?x2x5xf32> -> tensor<5x?x2xf32>
  return %0 : tensor<5x?x2xf32>
}

// CHECK-LABEL: func @transpose_quantized
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<2x3xi8>) outs(%{{.*}} : tensor<3x2xi8>)
func.func @transpose_quantized(%x: tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>>) -> tensor<3x2x!quant.uniform<i8:f32:1, {0.5, 0.25}>> {
  %0 = needle.transpose %x {permutation = array<i64: 1, 0>} : tensor<2x3x!quant.uniform<i8:f32:0, {0.5, 0.25}>> -> tensor<3x2x!quant.uniform<i8:f32:1, {0.5, 0.25}>>
  return %0 : tensor<3x2x!quant.uniform<i8:f32:1, {0.5, 0.25}>>
}

// No reshape copies: it is a view of the operand's buffer.
// BUFFERS-LABEL: func @collapse
// BUFFERS-NOT: memref.{{alloc|copy}}
// BUFFERS-LABEL: func @zero_elements

// CHECK-LABEL: func @collapse
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0], [1, 2]] : tensor<?x28x28xf32> into tensor<?x784xf32>
func.func @collapse(%x: tensor<?x28x28xf32>) -> tensor<?x784xf32> {
  %0 = needle.reshape %x : tensor<?x28x28xf32> -> tensor<?x784xf32>
  return %0 : tensor<?x784xf32>
}

// CHECK-LABEL: func @expand
// CHECK: %[[N:.*]] = tensor.dim %{{.*}}, %c0
// CHECK: tensor.expand_shape %{{.*}} {{\[}}[0], [1, 2]] output_shape [%[[N]], 28, 28] : tensor<?x784xi8> into tensor<?x28x28xi8>
func.func @expand(%x: tensor<?x784xui8>) -> tensor<?x28x28xui8> {
  %0 = needle.reshape %x : tensor<?x784xui8> -> tensor<?x28x28xui8>
  return %0 : tensor<?x28x28xui8>
}

// Neither a collapse nor an expansion: by way of one dimension.
// CHECK-LABEL: func @regroup
// CHECK: %[[FLAT:.*]] = tensor.collapse_shape %{{.*}} {{\[}}[0, 1]] : tensor<?x6xf32> into tensor<?xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[FLAT]], %c0
// CHECK: %[[SIZE:.*]] = arith.divui %[[N]], %c4
// CHECK: tensor.expand_shape %[[FLAT]] {{\[}}[0, 1]] output_shape [4, %[[SIZE]]] : tensor<?xf32> into tensor<4x?xf32>
func.func @regroup(%x: tensor<?x6xf32>) -> tensor<4x?xf32> {
  %0 = needle.reshape %x : tensor<?x6xf32> -> tensor<4x?xf32>
  return %0 : tensor<4x?xf32>
}

// Dimensions that only look alike are not taken to be equal: 3x4 becomes 2x2x3.
// CHECK-LABEL: func @not_implied
// CHECK: tensor.collapse_shape %{{.*}} {{\[}}[0, 1]] : tensor<?x?xf32> into tensor<?xf32>
// CHECK: tensor.expand_shape %{{.*}} {{\[}}[0, 1, 2]] {{.*}} : tensor<?xf32> into tensor<?x2x3xf32>
func.func @not_implied(%x: tensor<?x?xf32>) -> tensor<?x2x3xf32> {
  %0 = needle.reshape %x : tensor<?x?xf32> -> tensor<?x2x3xf32>
  return %0 : tensor<?x2x3xf32>
}

// A static number of elements on one side makes both sides static.
// CHECK-LABEL: func @static_source
// CHECK: %[[E:.*]] = tensor.expand_shape %{{.*}} {{\[}}[0, 1, 2]] output_shape [2, 3, 1] : tensor<6xf32> into tensor<2x3x1xf32>
// CHECK: tensor.cast %[[E]] : tensor<2x3x1xf32> to tensor<2x?x1xf32>
func.func @static_source(%x: tensor<6xf32>) -> tensor<2x?x1xf32> {
  %0 = needle.reshape %x : tensor<6xf32> -> tensor<2x?x1xf32>
  return %0 : tensor<2x?x1xf32>
}

// CHECK-LABEL: func @static_result
// CHECK: %[[C:.*]] = tensor.cast %{{.*}} : tensor<?x3xf32> to tensor<2x3xf32>
// CHECK: tensor.collapse_shape %[[C]] {{\[}}[0, 1]] : tensor<2x3xf32> into tensor<6xf32>
func.func @static_result(%x: tensor<?x3xf32>) -> tensor<6xf32> {
  %0 = needle.reshape %x : tensor<?x3xf32> -> tensor<6xf32>
  return %0 : tensor<6xf32>
}

// CHECK-LABEL: func @to_scalar
// CHECK: %[[C:.*]] = tensor.cast %{{.*}} : tensor<?x?xf32> to tensor<1x1xf32>
// CHECK: tensor.collapse_shape %[[C]] [] : tensor<1x1xf32> into tensor<f32>
func.func @to_scalar(%x: tensor<?x?xf32>) -> tensor<f32> {
  %0 = needle.reshape %x : tensor<?x?xf32> -> tensor<f32>
  return %0 : tensor<f32>
}

// CHECK-LABEL: func @from_scalar
// CHECK: tensor.expand_shape %{{.*}} [] output_shape [1, 1] : tensor<f32> into tensor<1x1xf32>
func.func @from_scalar(%x: tensor<f32>) -> tensor<1x1xf32> {
  %0 = needle.reshape %x : tensor<f32> -> tensor<1x1xf32>
  return %0 : tensor<1x1xf32>
}

// Without elements there is nothing to read.
// CHECK-LABEL: func @zero_elements
// CHECK-NOT: tensor.{{collapse|expand}}
// CHECK: tensor.empty
func.func @zero_elements(%x: tensor<0x3xf32>) -> tensor<?x5xf32> {
  %0 = needle.reshape %x : tensor<0x3xf32> -> tensor<?x5xf32>
  return %0 : tensor<?x5xf32>
}

// CHECK-LABEL: func @observe
// CHECK-SAME: %[[X:.*]]: tensor<?xf32>
// CHECK-NEXT: return %[[X]]
func.func @observe(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = needle.observe %x {id = 0 : i64} : tensor<?xf32> -> tensor<?xf32>
  return %0 : tensor<?xf32>
}

// Operations that only carry needle's types along.
// CHECK-LABEL: func @cast_and_dim
// CHECK: tensor.cast %{{.*}} : tensor<?x4xi8> to tensor<?x?xi8>
// CHECK: tensor.dim %{{.*}}, %c0 : tensor<?x4xi8>
func.func @cast_and_dim(%x: tensor<?x4x!quant.uniform<u8:f32, 0.5>>) -> (tensor<?x?x!quant.uniform<u8:f32, 0.5>>, index) {
  %c0 = arith.constant 0 : index
  %0 = tensor.cast %x : tensor<?x4x!quant.uniform<u8:f32, 0.5>> to tensor<?x?x!quant.uniform<u8:f32, 0.5>>
  %1 = tensor.dim %x, %c0 : tensor<?x4x!quant.uniform<u8:f32, 0.5>>
  return %0, %1 : tensor<?x?x!quant.uniform<u8:f32, 0.5>>, index
}
