// Functions, comparisons, reductions and moving operations parse, print and
// parse again, in the custom and in the generic form.
// RUN: needle-opt %s | FileCheck %s
// RUN: needle-opt %s | needle-opt | FileCheck %s
// RUN: needle-opt %s --mlir-print-op-generic | needle-opt | FileCheck %s
// RUN: needle-opt %s --emit-bytecode | needle-opt | FileCheck %s

// CHECK-LABEL: func @functions
func.func @functions(%x: tensor<?x8xf32>) {
  // CHECK: needle.exp %{{.*}} : tensor<?x8xf32> -> tensor<?x8xf32>
  %0 = needle.exp %x : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: needle.log
  %1 = needle.log %x : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: needle.tanh
  %2 = needle.tanh %x : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: needle.sigmoid
  %3 = needle.sigmoid %x : tensor<?x8xf32> -> tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @broadcasting
func.func @broadcasting(%x: tensor<?x8xf32>, %y: tensor<8xf32>, %s: tensor<f32>) {
  // CHECK: needle.power %{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
  %0 = needle.power %x, %y : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
  // CHECK: needle.compare %{{.*}}, %{{.*}} {predicate = #needle.predicate<ge>} : tensor<8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %1 = needle.compare %y, %x {predicate = #needle.predicate<ge>} : tensor<8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: needle.select %{{.*}}, %{{.*}}, %{{.*}} : tensor<8xf32>, tensor<f32>, tensor<?x8xf32> -> tensor<?x8xf32>
  %2 = needle.select %y, %s, %x : tensor<8xf32>, tensor<f32>, tensor<?x8xf32> -> tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @batch_matmul
func.func @batch_matmul(%q: tensor<?x1x4x8xf32>, %k: tensor<3x8x?xf32>, %b: tensor<?xf32>) {
  // CHECK: needle.matmul %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<?xf32>) : tensor<?x1x4x8xf32>, tensor<3x8x?xf32> -> tensor<?x3x4x?xf32>
  %0 = needle.matmul %q, %k bias(%b : tensor<?xf32>) : tensor<?x1x4x8xf32>, tensor<3x8x?xf32> -> tensor<?x3x4x?xf32>
  return
}

// CHECK-LABEL: func @reductions
func.func @reductions(%x: tensor<?x8x4xf32>) {
  // CHECK: needle.reduce_sum %{{.*}} {axes = array<i64: 0, 2>} : tensor<?x8x4xf32> -> tensor<8xf32>
  %0 = needle.reduce_sum %x {axes = array<i64: 0, 2>} : tensor<?x8x4xf32> -> tensor<8xf32>
  // CHECK: needle.reduce_max %{{.*}} {axes = array<i64: 1>, keepdims} : tensor<?x8x4xf32> -> tensor<?x1x4xf32>
  %1 = needle.reduce_max %x {axes = array<i64: 1>, keepdims} : tensor<?x8x4xf32> -> tensor<?x1x4xf32>
  return
}

// CHECK-LABEL: func @moving
func.func @moving(%x: tensor<?x8xf32>, %y: tensor<2x8xf32>) {
  // CHECK: needle.broadcast_to %{{.*}} : tensor<?x8xf32> -> tensor<3x?x8xf32>
  %0 = needle.broadcast_to %x : tensor<?x8xf32> -> tensor<3x?x8xf32>
  // CHECK: needle.reverse %{{.*}} {axes = array<i64: 0, 1>} : tensor<?x8xf32> -> tensor<?x8xf32>
  %1 = needle.reverse %x {axes = array<i64: 0, 1>} : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: needle.slice %{{.*}} {limits = array<i64: -1, 7>, starts = array<i64: 0, 1>, steps = array<i64: 1, 4>} : tensor<?x8xf32> -> tensor<?x2xf32>
  %2 = needle.slice %x {starts = array<i64: 0, 1>, limits = array<i64: -1, 7>, steps = array<i64: 1, 4>} : tensor<?x8xf32> -> tensor<?x2xf32>
  // CHECK: needle.pad %{{.*}} {high = array<i64: 2, 0>, interior = array<i64: 0, 1>, low = array<i64: 1, 3>} : tensor<?x8xf32> -> tensor<?x18xf32>
  %3 = needle.pad %x {low = array<i64: 1, 3>, high = array<i64: 2, 0>, interior = array<i64: 0, 1>} : tensor<?x8xf32> -> tensor<?x18xf32>
  // CHECK: needle.concat %{{.*}}, %{{.*}}, %{{.*}} {axis = 0 : i64} : tensor<?x8xf32>, tensor<2x8xf32>, tensor<2x8xf32> -> tensor<?x8xf32>
  %4 = needle.concat %x, %y, %y {axis = 0 : i64} : tensor<?x8xf32>, tensor<2x8xf32>, tensor<2x8xf32> -> tensor<?x8xf32>
  // Nothing to do along a dimension without elements.
  // CHECK: needle.pad %{{.*}} : tensor<0xf32> -> tensor<3xf32>
  %e = needle.constant dense<> : tensor<0xf32> -> tensor<0xf32>
  %5 = needle.pad %e {low = array<i64: 1>, high = array<i64: 2>, interior = array<i64: 5>} : tensor<0xf32> -> tensor<3xf32>
  return
}
