// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse | FileCheck %s
// RUN: needle-opt %s --convert-needle-to-linalg | FileCheck %s --check-prefix=FLAGS

// FLAGS-NOT: {{fastmath|contract}}

// CHECK-DAG: #[[EACH:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[BLOCK:.*]] = affine_map<(d0, d1) -> (d0 floordiv 32, d1)>

// Panels of 16 columns; blocks of 32 take 64 bytes of scales and 256 of
// integers, the last block whole chunks of 32.
// CHECK-LABEL: func @symmetric
// CHECK-SAME: %[[X:[a-z0-9]+]]: tensor<?x70xf32> {{.*}}, %[[Q:[a-z0-9]+]]: tensor<70x17xi8> {{.*}}, %[[S:[a-z0-9]+]]: tensor<3x17xf32>
// CHECK: %[[P:.*]] = needle_cpu.pack_blockwise %[[Q]], %[[S]] {block_size = 32 : i64, panel = 16 : i64} : tensor<70x17xi8>, tensor<3x17xf32> -> tensor<2x960xi8>
// CHECK: needle_cpu.qmatmul_blockwise ins(%[[X]], %[[P]] : tensor<?x70xf32>, tensor<2x960xi8>) outs(%{{.*}} : tensor<?x17xf32>) {activations = #needle.blockwise_activations<int8>, block_size = 32 : i64, panel = 16 : i64} -> tensor<?x17xf32>
func.func @symmetric(%x: tensor<?x70xf32>, %q: tensor<70x17xsi8>, %s: tensor<3x17xf32>) -> tensor<?x17xf32> {
  %0 = needle.qmatmul_blockwise %x, %q, %s {block_size = 32 : i64, activations = #needle.blockwise_activations<int8>}
     : tensor<?x70xf32>, tensor<70x17xsi8>, tensor<3x17xf32> -> tensor<?x17xf32>
  return %0 : tensor<?x17xf32>
}

// Zero points take 16 more bytes a block; float activations are the default.
// CHECK-LABEL: func @asymmetric
// CHECK: needle_cpu.pack_blockwise %{{.*}}, %{{.*}} zero_points(%{{.*}} : tensor<1x16xi8>) {{.*}} -> tensor<1x848xi8>
// CHECK: needle_cpu.qmatmul_blockwise {{.*}} {asymmetric, block_size = 128 : i64, panel = 16 : i64}
func.func @asymmetric(%x: tensor<4x65xf32>, %q: tensor<65x16xui8>, %s: tensor<1x16xf32>, %z: tensor<1x16xui8>) -> tensor<4x16xf32> {
  %0 = needle.qmatmul_blockwise %x, %q, %s zero_points(%z : tensor<1x16xui8>) {block_size = 128 : i64}
     : tensor<4x65xf32>, tensor<65x16xui8>, tensor<1x16xf32> -> tensor<4x16xf32>
  return %0 : tensor<4x16xf32>
}

// CHECK-LABEL: func @dequantize
// CHECK: linalg.generic {indexing_maps = [#[[EACH]], #[[BLOCK]], #[[BLOCK]], #[[EACH]]]
// CHECK: ^bb0(%[[Q:.*]]: i8, %[[S:.*]]: f32, %[[Z:.*]]: i8, %{{.*}}: f32):
// CHECK-DAG: %[[QW:.*]] = arith.extui %[[Q]] : i8 to i32
// CHECK-DAG: %[[ZW:.*]] = arith.extui %[[Z]] : i8 to i32
// CHECK: %[[D:.*]] = arith.subi %[[QW]], %[[ZW]]
// CHECK: %[[F:.*]] = arith.sitofp %[[D]]
// CHECK: arith.mulf %[[F]], %[[S]]
func.func @dequantize(%q: tensor<65x16xui8>, %s: tensor<3x16xf32>, %z: tensor<3x16xui8>) -> tensor<65x16xf32> {
  %0 = needle.dequantize_blockwise %q, %s zero_points(%z : tensor<3x16xui8>) {block_size = 32 : i64}
     : tensor<65x16xui8>, tensor<3x16xf32> -> tensor<65x16xf32>
  return %0 : tensor<65x16xf32>
}
