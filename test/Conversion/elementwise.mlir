// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse | FileCheck %s
// RUN: needle-opt %s --convert-needle-to-linalg | FileCheck %s --check-prefix=FLAGS

// FLAGS-NOT: {{fastmath|contract}}

// CHECK-DAG: #[[ID3:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[ID2:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[LAST:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[SCALAR:.*]] = affine_map<(d0, d1) -> ()>
// CHECK-DAG: #[[MIDDLE1:.*]] = affine_map<(d0, d1, d2) -> (d0, 0, d2)>
// CHECK-DAG: #[[TAIL1:.*]] = affine_map<(d0, d1, d2) -> (d1, 0)>

// CHECK-LABEL: func @add
// CHECK-SAME: %[[A:.*]]: tensor<?x4xf32> {{.*}}, %[[B:[a-z0-9]+]]: tensor<?x4xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[A]]
// CHECK: %[[E:.*]] = tensor.empty(%[[N]]) : tensor<?x4xf32>
// CHECK: linalg.generic {indexing_maps = [#[[ID2]], #[[ID2]], #[[ID2]]], iterator_types = ["parallel", "parallel"]}
// CHECK-SAME: ins(%[[A]], %[[B]] : {{.*}}) outs(%[[E]]
// CHECK: ^bb0(%[[X:.*]]: f32, %[[Y:.*]]: f32, %{{.*}}: f32):
// CHECK: %[[S:.*]] = arith.addf %[[X]], %[[Y]] : f32
// CHECK: linalg.yield %[[S]]
func.func @add(%a: tensor<?x4xf32>, %b: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %0 = needle.add %a, %b : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @sub
// CHECK: ^bb0(%[[X:.*]]: f32, %[[Y:.*]]: f32, %{{.*}}: f32):
// CHECK: arith.subf %[[X]], %[[Y]] : f32
func.func @sub(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.sub %a, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @mul
// CHECK: arith.mulf %{{.*}}, %{{.*}} : f32
func.func @mul(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.mul %a, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @div
// CHECK: ^bb0(%[[X:.*]]: f32, %[[Y:.*]]: f32, %{{.*}}: f32):
// CHECK: arith.divf %[[X]], %[[Y]] : f32
func.func @div(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.div %a, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// NaN propagates, unlike with maxnumf and minnumf.
// CHECK-LABEL: func @maximum
// CHECK: arith.maximumf %{{.*}}, %{{.*}} : f32
func.func @maximum(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.maximum %a, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @minimum
// CHECK: arith.minimumf %{{.*}}, %{{.*}} : f32
func.func @minimum(%a: tensor<4xf32>, %b: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.minimum %a, %b : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @relu
// CHECK: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK: arith.maximumf %{{.*}}, %[[ZERO]] : f32
func.func @relu(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.relu %a : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @neg
// CHECK: arith.negf %{{.*}} : f32
func.func @neg(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.neg %a : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @abs
// CHECK: math.absf %{{.*}} : f32
func.func @abs(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.abs %a : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @sqrt
// CHECK: math.sqrt %{{.*}} : f32
func.func @sqrt(%a: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.sqrt %a : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Shapes are aligned at their last dimension.
// CHECK-LABEL: func @broadcast_rank
// CHECK: linalg.generic {indexing_maps = [#[[ID2]], #[[LAST]], #[[ID2]]]
func.func @broadcast_rank(%a: tensor<?x4xf32>, %b: tensor<4xf32>) -> tensor<?x4xf32> {
  %0 = needle.add %a, %b : tensor<?x4xf32>, tensor<4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @broadcast_scalar
// CHECK: linalg.generic {indexing_maps = [#[[SCALAR]], #[[ID2]], #[[ID2]]]
func.func @broadcast_scalar(%a: tensor<f32>, %b: tensor<2x4xf32>) -> tensor<2x4xf32> {
  %0 = needle.sub %a, %b : tensor<f32>, tensor<2x4xf32> -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// A dimension that is statically 1 stretches, on either side.
// CHECK-LABEL: func @broadcast_ones
// CHECK-SAME: %[[A:.*]]: tensor<?x1x4xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[A]], %c0
// CHECK: tensor.empty(%[[N]]) : tensor<?x3x4xf32>
// CHECK: linalg.generic {indexing_maps = [#[[MIDDLE1]], #[[TAIL1]], #[[ID3]]]
func.func @broadcast_ones(%a: tensor<?x1x4xf32>, %b: tensor<3x1xf32>) -> tensor<?x3x4xf32> {
  %0 = needle.mul %a, %b : tensor<?x1x4xf32>, tensor<3x1xf32> -> tensor<?x3x4xf32>
  return %0 : tensor<?x3x4xf32>
}

// A 1 against a 1 does not stretch; a dynamic dimension takes its size from the
// operand that has it.
// CHECK-LABEL: func @no_stretch
// CHECK-SAME: %{{.*}}: tensor<1x1xf32> {{.*}}, %[[B:[a-z0-9]+]]: tensor<1x?xf32>
// CHECK: %[[N:.*]] = tensor.dim %[[B]], %c1
// CHECK: tensor.empty(%[[N]]) : tensor<1x?xf32>
// CHECK: linalg.generic {indexing_maps = [#{{.*}}, #[[ID2]], #[[ID2]]]
func.func @no_stretch(%a: tensor<1x1xf32>, %b: tensor<1x?xf32>) -> tensor<1x?xf32> {
  %0 = needle.add %a, %b : tensor<1x1xf32>, tensor<1x?xf32> -> tensor<1x?xf32>
  return %0 : tensor<1x?xf32>
}

// A constant of one value is a scalar of the body; others are inputs.
// CHECK-LABEL: func @splat_constant
// CHECK-NOT: needle_cpu.weight
// CHECK: %[[C:.*]] = arith.constant 2.500000e+00 : f32
// CHECK-NOT: needle_cpu.weight
// CHECK: linalg.generic {indexing_maps = [#[[ID2]], #[[ID2]]]
// CHECK: arith.divf %[[C]], %{{.*}} : f32
func.func @splat_constant(%a: tensor<?x4xf32>) -> tensor<?x4xf32> {
  %c = needle.constant dense<2.5> : tensor<4xf32> -> tensor<4xf32>
  %0 = needle.div %c, %a : tensor<4xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// CHECK-LABEL: func @other_constant
// CHECK: %[[C:.*]] = needle_cpu.weight dense<[1.000000e+00, 2.000000e+00]>
// CHECK: linalg.generic {{.*}} ins(%{{.*}}, %[[C]] : tensor<?x2xf32>, tensor<2xf32>)
func.func @other_constant(%a: tensor<?x2xf32>) -> tensor<?x2xf32> {
  %c = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  %0 = needle.sub %a, %c : tensor<?x2xf32>, tensor<2xf32> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}
