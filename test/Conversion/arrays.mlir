// Functions, comparisons, reductions and moving operations.
// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse | FileCheck %s

// CHECK-DAG: #[[ID2:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[ID3:.*]] = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
// CHECK-DAG: #[[MIDDLE:.*]] = affine_map<(d0, d1, d2) -> (d1)>
// CHECK-DAG: #[[STRETCH:.*]] = affine_map<(d0, d1, d2) -> (d1, 0)>

// CHECK-LABEL: func @functions
// CHECK: math.exp
// CHECK: math.log
// CHECK: math.tanh
// CHECK: math.powf
func.func @functions(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.exp %x : tensor<4xf32> -> tensor<4xf32>
  %1 = needle.log %0 : tensor<4xf32> -> tensor<4xf32>
  %2 = needle.tanh %1 : tensor<4xf32> -> tensor<4xf32>
  %3 = needle.power %2, %x : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %3 : tensor<4xf32>
}

// The exponential of -|x| cannot overflow.
// CHECK-LABEL: func @sigmoid
// CHECK: %[[A:.*]] = math.absf %[[X:.*]] : f32
// CHECK: %[[N:.*]] = arith.negf %[[A]]
// CHECK: %[[E:.*]] = math.exp %[[N]]
// CHECK: %[[B:.*]] = arith.cmpf olt, %[[X]], %{{.*}}
// CHECK: %[[T:.*]] = arith.select %[[B]], %[[E]], %[[ONE:.*]] : f32
// CHECK: %[[D:.*]] = arith.addf %[[E]], %[[ONE]]
// CHECK: arith.divf %[[T]], %[[D]]
func.func @sigmoid(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.sigmoid %x : tensor<4xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// CHECK-LABEL: func @compare
// CHECK: arith.cmpf une
// CHECK: arith.cmpf ole
func.func @compare(%x: tensor<4xf32>) -> tensor<4xf32> {
  %0 = needle.compare %x, %x {predicate = #needle.predicate<ne>} : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  %1 = needle.compare %0, %x {predicate = #needle.predicate<le>} : tensor<4xf32>, tensor<4xf32> -> tensor<4xf32>
  return %1 : tensor<4xf32>
}

// NaN is not zero.
// CHECK-LABEL: func @select
// CHECK: %[[C:.*]] = arith.cmpf une, %{{.*}}, %cst : f32
// CHECK: arith.select %[[C]]
func.func @select(%c: tensor<4xf32>, %x: tensor<4xf32>, %y: tensor<f32>) -> tensor<4xf32> {
  %0 = needle.select %c, %x, %y : tensor<4xf32>, tensor<4xf32>, tensor<f32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// Only the additions of the sum may be reordered.
// CHECK-LABEL: func @reduce_sum
// CHECK: linalg.generic {{.*}} outs(%{{.*}} : tensor<8xf32>)
// CHECK: linalg.yield %cst
// CHECK: linalg.generic {indexing_maps = [#[[ID3]], #[[MIDDLE]]], iterator_types = ["reduction", "parallel", "reduction"]}
// CHECK: arith.addf %{{.*}}, %{{.*}} fastmath<reassoc> : f32
func.func @reduce_sum(%x: tensor<128x8x4xf32>) -> tensor<8xf32> {
  %0 = needle.reduce_sum %x {axes = array<i64: 0, 2>} : tensor<128x8x4xf32> -> tensor<8xf32>
  return %0 : tensor<8xf32>
}

// Of more than 512 elements, and of who knows how many, in f64.
// CHECK-LABEL: func @long_sums
// CHECK: arith.extf %{{.*}} : f32 to f64
// CHECK: arith.addf %{{.*}}, %{{.*}} fastmath<reassoc> : f64
// CHECK: arith.truncf %{{.*}} : f64 to f32
// CHECK: arith.extf
// CHECK: arith.truncf
func.func @long_sums(%x: tensor<513x8xf32>, %y: tensor<?x8xf32>) -> (tensor<8xf32>, tensor<8xf32>) {
  %0 = needle.reduce_sum %x {axes = array<i64: 0>} : tensor<513x8xf32> -> tensor<8xf32>
  %1 = needle.reduce_sum %y {axes = array<i64: 0>} : tensor<?x8xf32> -> tensor<8xf32>
  return %0, %1 : tensor<8xf32>, tensor<8xf32>
}

// CHECK-LABEL: func @reduce_max
// CHECK-DAG: arith.constant 0xFF800000 : f32
// CHECK: %[[R:.*]] = linalg.generic
// CHECK: arith.maximumf
// CHECK: tensor.expand_shape %{{.*}} {{\[}}[0, 1, 2]] output_shape [1, 8, 1] : tensor<8xf32> into tensor<1x8x1xf32>
func.func @reduce_max(%x: tensor<?x8x4xf32>) -> tensor<1x8x1xf32> {
  %0 = needle.reduce_max %x {axes = array<i64: 0, 2>, keepdims} : tensor<?x8x4xf32> -> tensor<1x8x1xf32>
  return %0 : tensor<1x8x1xf32>
}

// CHECK-LABEL: func @broadcast_to
// CHECK: linalg.generic {indexing_maps = [#[[STRETCH]], #[[ID3]]]
func.func @broadcast_to(%x: tensor<?x1xf32>) -> tensor<2x?x3xf32> {
  %0 = needle.broadcast_to %x : tensor<?x1xf32> -> tensor<2x?x3xf32>
  return %0 : tensor<2x?x3xf32>
}

// CHECK-LABEL: func @reverse
// CHECK: %[[I:.*]] = linalg.index 0
// CHECK: %[[J:.*]] = linalg.index 1
// CHECK: %[[R:.*]] = arith.subi %{{.*}}, %[[J]]
// CHECK: tensor.extract %{{.*}}[%[[I]], %[[R]]]
func.func @reverse(%x: tensor<2x?xf32>) -> tensor<2x?xf32> {
  %0 = needle.reverse %x {axes = array<i64: 1>} : tensor<2x?xf32> -> tensor<2x?xf32>
  return %0 : tensor<2x?xf32>
}

// CHECK-LABEL: func @slice
// CHECK: tensor.extract_slice %{{.*}}[0, 2] [%{{.*}}, 2] [1, 3] : tensor<?x8xf32> to tensor<?x2xf32>
func.func @slice(%x: tensor<?x8xf32>) -> tensor<?x2xf32> {
  %0 = needle.slice %x {starts = array<i64: 0, 2>, limits = array<i64: -1, 8>, steps = array<i64: 1, 3>} : tensor<?x8xf32> -> tensor<?x2xf32>
  return %0 : tensor<?x2xf32>
}

// CHECK-LABEL: func @empty
// CHECK-NOT: slice
// CHECK: return
func.func @empty(%x: tensor<3xf32>, %e: tensor<0xf32>) -> (tensor<0xf32>, tensor<2xf32>) {
  %0 = needle.slice %x {starts = array<i64: 3>, limits = array<i64: 3>, steps = array<i64: 1>} : tensor<3xf32> -> tensor<0xf32>
  %1 = needle.pad %e {low = array<i64: 2>, high = array<i64: 0>, interior = array<i64: 0>} : tensor<0xf32> -> tensor<2xf32>
  return %0, %1 : tensor<0xf32>, tensor<2xf32>
}

// CHECK-LABEL: func @pad
// CHECK: %[[N:.*]] = arith.addi %[[D:.*]], %c3
// CHECK: %[[Z:.*]] = linalg.generic
// CHECK: tensor.insert_slice %{{.*}} into %[[Z]][1, 0] [%[[D]], 4] [1, 2] : tensor<?x4xf32> into tensor<?x7xf32>
func.func @pad(%x: tensor<?x4xf32>) -> tensor<?x7xf32> {
  %0 = needle.pad %x {low = array<i64: 1, 0>, high = array<i64: 2, 0>, interior = array<i64: 0, 1>} : tensor<?x4xf32> -> tensor<?x7xf32>
  return %0 : tensor<?x7xf32>
}

// CHECK-LABEL: func @concat
// CHECK-SAME: %[[X:.*]]: tensor<?x4xf32> {{.*}}, %[[Y:.*]]: tensor<2x4xf32>
// CHECK: %[[D:.*]] = tensor.dim %[[X]]
// CHECK: %[[N:.*]] = arith.addi %[[D]], %c2
// CHECK: %[[E:.*]] = tensor.empty(%[[N]])
// CHECK: %[[A:.*]] = tensor.insert_slice %[[X]] into %[[E]][0, 0] [%[[D]], 4] [1, 1]
// CHECK: tensor.insert_slice %[[Y]] into %[[A]][%[[D]], 0] [2, 4] [1, 1]
func.func @concat(%x: tensor<?x4xf32>, %y: tensor<2x4xf32>) -> tensor<?x4xf32> {
  %0 = needle.concat %x, %y {axis = 0 : i64} : tensor<?x4xf32>, tensor<2x4xf32> -> tensor<?x4xf32>
  return %0 : tensor<?x4xf32>
}

// The machine that compiles does not compute functions of constants.
// CHECK-LABEL: func @constants
// CHECK: ins(%{{.*}} : tensor<f32>)
// CHECK: math.exp
// CHECK: ins(%{{.*}} : tensor<f32>)
// CHECK: math.powf %{{.*}}, %cst : f32
func.func @constants() -> (tensor<f32>, tensor<4xf32>) {
  %0 = needle.constant dense<0.5> : tensor<f32> -> tensor<f32>
  %1 = needle.constant dense<2.5> : tensor<4xf32> -> tensor<4xf32>
  %2 = needle.exp %0 : tensor<f32> -> tensor<f32>
  %3 = needle.power %0, %1 : tensor<f32>, tensor<4xf32> -> tensor<4xf32>
  return %2, %3 : tensor<f32>, tensor<4xf32>
}
