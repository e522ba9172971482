// RUN: needle-opt %s --needle-cpu-build-plan --split-input-file | FileCheck %s

// Messages are numbered in order; the first violated check decides.

// CHECK: module attributes {needle.messages = [
// CHECK-SAME: {location = "{{.*}}build-plan.mlir:[[#@LINE+13]]:8", text = "needle.matmul: dimension 0 of rhs (input 'w') must equal dimension 1 of lhs (input 'x')"},
// CHECK-SAME: {location = "{{.*}}build-plan.mlir:[[#@LINE+13]]:8", text = "needle.add: dimension 1 of lhs must equal dimension 0 of rhs (input 2), which is 4"}]}
// CHECK-LABEL: func.func private @main.shapes(
// CHECK-SAME: %[[X0:.*]]: index, %[[X1:.*]]: index, %[[W0:.*]]: index, %[[W1:.*]]: index) -> (i64, index, index)
// CHECK: %[[DEPTH:.*]] = arith.cmpi ne, %[[W0]], %[[X1]]
// CHECK: %[[WIDTH:.*]] = arith.cmpi ne, %[[W1]], %c4
// CHECK: %[[SECOND:.*]] = arith.select %[[WIDTH]], %c2_i64, %c0_i64
// CHECK: %[[FIRST:.*]] = arith.select %[[DEPTH]], %c1_i64, %[[SECOND]]
// CHECK: return %[[FIRST]], %[[X0]], %{{.*}}
// CHECK-LABEL: func.func @main(
// CHECK-SAME: needle.signature = {inputs = [{name = "x", type = tensor<?x?xf32>}, {name = "w", type = tensor<?x?xf32>}, {name = "arg2", type = tensor<4xf32>}], outputs = [{name = "y", type = tensor<?x4xf32>}]}
func.func @main(%x: tensor<?x?xf32> {needle.name = "x"}, %w: tensor<?x?xf32> {needle.name = "w"},
    %b: tensor<4xf32>) -> (tensor<?x4xf32> {needle.name = "y"}) {
  %0 = needle.matmul %x, %w : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  %1 = needle.add %0, %b : tensor<?x?xf32>, tensor<4xf32> -> tensor<?x4xf32>
  return %1 : tensor<?x4xf32>
}

// -----

// All is static: nothing to check, the output's shape is still reported.

// CHECK: needle.messages = []
// CHECK-LABEL: func.func private @static.shapes() -> (i64, index, index)
// CHECK: return %c0_i64, %c2{{.*}}, %c3{{.*}} : i64, index, index
func.func @static(%x: tensor<2x3xf32>) -> tensor<2x3xf32> {
  %0 = needle.relu %x : tensor<2x3xf32> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// -----

// One dimension used twice is not compared with itself; neither is one that
// stretches.

// CHECK: needle.messages = []
// CHECK-LABEL: func.func private @same.shapes(
// CHECK-NOT: arith.cmpi
func.func @same(%x: tensor<?x4xf32>, %s: tensor<1x4xf32>) -> tensor<?x4xf32> {
  %0 = needle.relu %x : tensor<?x4xf32> -> tensor<?x4xf32>
  %1 = needle.add %x, %0 : tensor<?x4xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  %2 = needle.mul %s, %1 : tensor<1x4xf32>, tensor<?x4xf32> -> tensor<?x4xf32>
  return %2 : tensor<?x4xf32>
}

// -----

// A result type that says more than the operands is a claim to check.

// CHECK: text = "needle.relu: dimension 0 of operand (input 0) must equal dimension 0 of result, which is 4"
// CHECK-LABEL: func.func private @claim.shapes(
// CHECK: arith.cmpi ne, %arg0, %c4
func.func @claim(%x: tensor<?xf32>) -> tensor<4xf32> {
  %0 = needle.relu %x : tensor<?xf32> -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// The rows of the product are the columns of the lhs when it is transposed; the
// bias agrees with the columns.

// CHECK: text = "needle.matmul: dimension 1 of rhs (input 1) must equal dimension 0 of lhs (input 0)"
// CHECK: text = "needle.matmul: dimension 0 of bias (input 2) must equal dimension 0 of rhs (input 1)"
// CHECK-LABEL: func.func private @transposed.shapes(
// CHECK-SAME: %[[K:.*]]: index, %[[M:.*]]: index, %[[N:.*]]: index, %[[K2:.*]]: index, %[[B:.*]]: index)
// CHECK: arith.cmpi ne, %[[K2]], %[[K]]
// CHECK: arith.cmpi ne, %[[B]], %[[N]]
// CHECK: return %{{.*}}, %[[M]], %[[N]]
func.func @transposed(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>, %b: tensor<?xf32>) -> tensor<?x?xf32> {
  %0 = needle.matmul %x, %w bias(%b : tensor<?xf32>) {transpose_lhs, transpose_rhs}
      : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// -----

// The dynamic dimension of a reshape follows from the number of elements.

// CHECK: text = "needle.reshape: the number of elements of operand (input 0) does not fit the shape [?x6] of the result"
// CHECK-LABEL: func.func private @reshape.shapes(
// CHECK-SAME: %[[A:.*]]: index, %[[B:.*]]: index)
// CHECK: %[[ALL:.*]] = arith.muli %[[A]], %[[B]]
// CHECK: %[[ROWS:.*]] = arith.divui %[[ALL]], %{{.*}}
// CHECK: %[[DIM:.*]] = arith.select %{{.*}}, %{{.*}}, %[[ROWS]]
// CHECK: %[[FILLED:.*]] = arith.muli %{{.*}}, %[[DIM]]
// CHECK: arith.cmpi ne, %[[ALL]], %[[FILLED]]
// CHECK: return %{{.*}}, %[[DIM]], %{{.*}}
func.func @reshape(%x: tensor<?x?xf32>) -> tensor<?x6xf32> {
  %0 = needle.reshape %x : tensor<?x?xf32> -> tensor<?x6xf32>
  return %0 : tensor<?x6xf32>
}

// -----

// CHECK-LABEL: func.func private @transpose.shapes(
// CHECK-SAME: %[[A:.*]]: index, %[[B:.*]]: index)
// CHECK: return %{{.*}}, %{{.*}}, %[[A]], %[[B]]
func.func @transpose(%x: tensor<?x?x4xf32>) -> tensor<4x?x?xf32> {
  %0 = needle.transpose %x {permutation = array<i64: 2, 0, 1>} : tensor<?x?x4xf32> -> tensor<4x?x?xf32>
  return %0 : tensor<4x?x?xf32>
}

// -----

// Messages of several entry points are numbered through; private functions are
// no entry points.

// CHECK: needle.messages = [{{{.*}}}, {{{.*}}}]
// CHECK-LABEL: func.func private @a.shapes
// CHECK: arith.select %{{.*}}, %c1_i64, %c0_i64
// CHECK-LABEL: func.func private @b.shapes
// CHECK: arith.select %{{.*}}, %c2_i64, %c0_i64
// CHECK-NOT: @c.shapes
func.func @a(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %0 = needle.add %x, %y : tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func @b(%x: tensor<?xf32>, %y: tensor<?xf32>) -> tensor<?xf32> {
  %0 = needle.add %x, %y : tensor<?xf32>, tensor<?xf32> -> tensor<?xf32>
  return %0 : tensor<?xf32>
}
func.func private @c(%x: tensor<?xf32>) -> tensor<?xf32> {
  return %x : tensor<?xf32>
}

// -----

// The types of quantized operands stay in the signature; every operation
// between float and integer keeps the shape.

// CHECK-LABEL: func.func private @quantized.shapes(
// CHECK-SAME: %[[A:.*]]: index) -> (i64, index, index)
// CHECK: return %{{.*}}, %[[A]], %{{.*}}
// CHECK: needle.signature = {inputs = [{name = "arg0", type = tensor<?x4x!quant.uniform<u8:f32, 5.000000e-01:3>>}]
func.func @quantized(%x: tensor<?x4x!quant.uniform<u8:f32, 0.5:3>>) -> tensor<?x4xui8> {
  %0 = needle.requantize %x : tensor<?x4x!quant.uniform<u8:f32, 0.5:3>> -> tensor<?x4x!quant.uniform<u8:f32, 0.25>>
  %1 = needle.dequantize %0 : tensor<?x4x!quant.uniform<u8:f32, 0.25>> -> tensor<?x4xf32>
  %q, %s, %z = needle.quantize_dynamic %1 : tensor<?x4xf32> -> tensor<?x4xui8>, tensor<f32>, tensor<i32>
  return %q : tensor<?x4xui8>
}

// -----

// Names that are not given differ from those that are.

// CHECK: needle.signature = {inputs = [{name = "arg0_", type = tensor<4xf32>}, {name = "arg0", type = tensor<4xf32>}, {name = "arg2", type = tensor<4xf32>}], outputs = [{name = "result0", type = tensor<4xf32>}]}
func.func @names(%x: tensor<4xf32>, %y: tensor<4xf32> {needle.name = "arg0"}, %z: tensor<4xf32> {needle.name = ""}) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// A kernel has to fit into an image; the extent is what is left of it.

// CHECK: needle.messages = [{location = {{.*}}, text = "needle.conv2d: dimension 1 of input (input 0) must be at least 3"}]
// CHECK-LABEL: func.func private @convolution.shapes(
// CHECK-SAME: %[[H:.*]]: index) -> (i64, index, index, index, index)
// CHECK: arith.cmpi slt, %[[H]], %c3
func.func @convolution(%x: tensor<1x?x9x3xf32>, %w: tensor<5x5x3x2xf32>) -> tensor<1x?x5x2xf32> {
  %0 = needle.conv2d %x, %w {padding = array<i64: 1, 1, 0, 0>} : tensor<1x?x9x3xf32>, tensor<5x5x3x2xf32> -> tensor<1x?x5x2xf32>
  return %0 : tensor<1x?x5x2xf32>
}
