// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse | FileCheck %s
// RUN: needle-opt %s --convert-needle-to-linalg | FileCheck %s --check-prefix=FLAGS

// FLAGS-NOT: {{fastmath|contract}}

// CHECK-DAG: #[[SCALAR:.*]] = affine_map<(d0) -> ()>
// CHECK-DAG: #[[COLUMN:.*]] = affine_map<(d0) -> (d0)>

!u8 = !quant.uniform<u8:f32, 0.5:3>
!i8 = !quant.uniform<i8<-127:127>:f32, 0.25>
!i8z = !quant.uniform<i8:f32, 0.25:-3>
!axis = !quant.uniform<i8<-127:127>:f32:1, {0.25, 0.1875, 3.0}>
!axisz = !quant.uniform<i8:f32:0, {0.25:1, 0.5, 0.125:-128}>
!out = !quant.uniform<u8<0:254>:f32, 0.125:7>

// Symmetric signed weights stay i8, in pairs along K; K is rounded up.
// CHECK-LABEL: func @symmetric_weights
// CHECK-SAME: %[[X:.*]]: tensor<?x5xi8> {{.*}}, %[[W:.*]]: tensor<5x17xi8>
// CHECK: %[[E:.*]] = tensor.empty() : tensor<2x3x16x4xi8>
// CHECK: %[[P:.*]] = needle_cpu.pack_rhs ins(%[[W]] : tensor<5x17xi8>) outs(%[[E]] : tensor<2x3x16x4xi8>) -> tensor<2x3x16x4xi8>
// CHECK: %[[S:.*]] = needle_cpu.weight dense<1.250000e-01> : tensor<17xf32>
// CHECK: needle_cpu.qmatmul ins(%[[X]], %[[P]] : {{.*}}) scales(%[[S]] : tensor<17xf32>) outs(%{{.*}} : tensor<?x17xf32>) {lhs_unsigned, lhs_zero_point = 3 : i32}
func.func @symmetric_weights(%x: tensor<?x5x!u8>, %w: tensor<5x17x!i8>) -> tensor<?x17xf32> {
  %0 = needle.qmatmul %x, %w : tensor<?x5x!u8>, tensor<5x17x!i8> -> tensor<?x17xf32>
  return %0 : tensor<?x17xf32>
}

// Each column has its combined scale, rounded to f32.
// CHECK-LABEL: func @per_axis
// CHECK: needle_cpu.weight dense<[1.250000e-01, 9.375000e-02, 1.500000e+00]> : tensor<3xf32>
// CHECK: needle_cpu.qmatmul
func.func @per_axis(%x: tensor<2x4x!u8>, %w: tensor<4x3x!axis>) -> tensor<2x3xf32> {
  %0 = needle.qmatmul %x, %w : tensor<2x4x!u8>, tensor<4x3x!axis> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// The combined scale is rounded to f32: 0.1f · 0.1f is the f32 above 0.01.
// CHECK-LABEL: func @scale_rounding
// CHECK: needle_cpu.weight dense<0.0100000007> : tensor<3xf32>
func.func @scale_rounding(%x: tensor<2x4x!quant.uniform<u8:f32, 0.10000000149011612>>, %w: tensor<4x3x!quant.uniform<i8:f32, 0.10000000149011612>>) -> tensor<2x3xf32> {
  %0 = needle.qmatmul %x, %w : tensor<2x4x!quant.uniform<u8:f32, 0.10000000149011612>>, tensor<4x3x!quant.uniform<i8:f32, 0.10000000149011612>> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Zero points are subtracted while packing, which widens to i16.
// CHECK-LABEL: func @weights_with_zero_point
// CHECK: needle_cpu.pack_rhs ins({{.*}}) outs(%{{.*}} : tensor<1x2x16x2xi16>) {zero_points = array<i32: -3>}
func.func @weights_with_zero_point(%x: tensor<2x4x!u8>, %w: tensor<4x3x!i8z>) -> tensor<2x3xf32> {
  %0 = needle.qmatmul %x, %w : tensor<2x4x!u8>, tensor<4x3x!i8z> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @zero_points_per_axis
// CHECK: needle_cpu.pack_rhs ins({{.*}}) outs(%{{.*}} : tensor<1x2x16x2xi16>) {transposed, zero_points = array<i32: 1, 0, -128>}
func.func @zero_points_per_axis(%x: tensor<2x4x!u8>, %w: tensor<3x4x!axisz>) -> tensor<2x3xf32> {
  %0 = needle.qmatmul %x, %w {transpose_rhs} : tensor<2x4x!u8>, tensor<3x4x!axisz> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// Unsigned weights are i16 even when their zero point is 0.
// CHECK-LABEL: func @unsigned_weights
// CHECK: needle_cpu.pack_rhs ins({{.*}}) outs(%{{.*}} : tensor<1x2x16x2xi16>) {source_unsigned} ->
func.func @unsigned_weights(%x: tensor<2x4x!i8>, %w: tensor<4x3x!quant.uniform<u8:f32, 0.5>>) -> tensor<2x3xf32> {
  %0 = needle.qmatmul %x, %w : tensor<2x4x!i8>, tensor<4x3x!quant.uniform<u8:f32, 0.5>> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @signed_lhs
// CHECK: needle_cpu.qmatmul {{.*}} {lhs_zero_point = -3 : i32, transpose_lhs}
func.func @signed_lhs(%x: tensor<4x2x!i8z>, %w: tensor<4x3x!i8>) -> tensor<2x3xf32> {
  %0 = needle.qmatmul %x, %w {transpose_lhs} : tensor<4x2x!i8z>, tensor<4x3x!i8> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// A quantized result keeps its parameters as attributes.
// CHECK-LABEL: func @quantized_result
// CHECK-SAME: -> (tensor<2x3xi8>
// CHECK: needle_cpu.qmatmul {{.*}} bias(%{{.*}} : tensor<3xf32>) outs(%{{.*}} : tensor<2x3xi8>)
// CHECK-SAME: {activation = #needle.activation<relu>, dest_max = 254 : i32, dest_min = 0 : i32, dest_scale = 1.250000e-01 : f32, dest_zero_point = 7 : i32, lhs_unsigned, lhs_zero_point = 3 : i32}
func.func @quantized_result(%x: tensor<2x4x!u8>, %w: tensor<4x3x!i8>, %b: tensor<3xf32>) -> tensor<2x3x!out> {
  %0 = needle.qmatmul %x, %w bias(%b : tensor<3xf32>) {activation = #needle.activation<relu>} : tensor<2x4x!u8>, tensor<4x3x!i8> -> tensor<2x3x!out>
  return %0 : tensor<2x3x!out>
}

// The plain sum has no scales.
// CHECK-LABEL: func @integer_result
// CHECK-NOT: needle_cpu.weight
// CHECK: needle_cpu.qmatmul ins({{.*}}) bias(%{{.*}} : tensor<3xi32>) outs(%{{.*}} : tensor<2x3xi32>) {lhs_unsigned, lhs_zero_point = 3 : i32}
func.func @integer_result(%x: tensor<2x4x!u8>, %w: tensor<4x3x!i8>, %b: tensor<3xi32>) -> tensor<2x3xi32> {
  %0 = needle.qmatmul %x, %w bias(%b : tensor<3xi32>) : tensor<2x4x!u8>, tensor<4x3x!i8> -> tensor<2x3xi32>
  return %0 : tensor<2x3xi32>
}

// Parameters known at run time: the scales are multiplied at run time.
// CHECK-LABEL: func @dynamic_lhs
// CHECK-SAME: %[[X:.*]]: tensor<2x4xi8> {{.*}}, %[[W:[a-z0-9]+]]: tensor<4x3xi8> {{.*}}, %[[S:[a-z0-9]+]]: tensor<f32> {{.*}}, %[[Z:[a-z0-9]+]]: tensor<i32>
// CHECK: %[[P:.*]] = needle_cpu.pack_rhs ins(%[[W]] : tensor<4x3xi8>) outs(%{{.*}} : tensor<1x2x16x4xi8>)
// CHECK: %[[RHS:.*]] = needle_cpu.weight dense<[2.500000e-01, 1.875000e-01, 3.000000e+00]> : tensor<3xf32>
// CHECK: %[[SCALES:.*]] = linalg.generic {indexing_maps = [#[[SCALAR]], #[[COLUMN]], #[[COLUMN]]]
// CHECK-SAME: ins(%[[S]], %[[RHS]] : tensor<f32>, tensor<3xf32>)
// CHECK: arith.mulf %{{.*}}, %{{.*}} : f32
// CHECK: needle_cpu.qmatmul ins(%[[X]], %[[P]] : {{.*}}) zero_point(%[[Z]] : tensor<i32>) scales(%[[SCALES]] : tensor<3xf32>) outs({{.*}}) {lhs_unsigned} ->
func.func @dynamic_lhs(%x: tensor<2x4xui8>, %w: tensor<4x3x!axis>, %s: tensor<f32>, %z: tensor<i32>) -> tensor<2x3xf32> {
  %0 = needle.qmatmul %x, %w lhs_params(%s, %z : tensor<f32>, tensor<i32>) : tensor<2x4xui8>, tensor<4x3x!axis> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @dynamic_both
// CHECK-SAME: %[[X:.*]]: tensor<?x4xi8> {{.*}}, %[[W:[a-z0-9]+]]: tensor<4x?xi8> {{.*}}, %[[S:[a-z0-9]+]]: tensor<f32> {{.*}}, %[[Z:[a-z0-9]+]]: tensor<i32> {{.*}}, %[[S2:[a-z0-9]+]]: tensor<f32> {{.*}}, %[[Z2:[a-z0-9]+]]: tensor<i32>
// CHECK: needle_cpu.pack_rhs ins(%[[W]] : tensor<4x?xi8>) zero_point(%[[Z2]] : tensor<i32>) outs(%{{.*}} : tensor<?x2x16x2xi16>) ->
// CHECK: linalg.generic {{.*}} ins(%[[S]], %[[S2]] : tensor<f32>, tensor<f32>) outs(%{{.*}} : tensor<?xf32>)
// CHECK: needle_cpu.qmatmul {{.*}} zero_point(%[[Z]] : tensor<i32>)
func.func @dynamic_both(%x: tensor<?x4xsi8>, %w: tensor<4x?xsi8>, %s: tensor<f32>, %z: tensor<i32>, %s2: tensor<f32>, %z2: tensor<i32>) -> tensor<?x?xf32> {
  %0 = needle.qmatmul %x, %w lhs_params(%s, %z : tensor<f32>, tensor<i32>) rhs_params(%s2, %z2 : tensor<f32>, tensor<i32>) : tensor<?x4xsi8>, tensor<4x?xsi8> -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// Known scales, but an unknown number of columns.
// CHECK-LABEL: func @dynamic_columns
// CHECK: %[[S:.*]] = arith.constant 1.250000e-01 : f32
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<?xf32>)
// CHECK: linalg.yield %[[S]]
// CHECK: needle_cpu.qmatmul {{.*}} scales(%{{.*}} : tensor<?xf32>)
func.func @dynamic_columns(%x: tensor<2x4x!u8>, %w: tensor<4x?x!i8>) -> tensor<2x?xf32> {
  %0 = needle.qmatmul %x, %w : tensor<2x4x!u8>, tensor<4x?x!i8> -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}
