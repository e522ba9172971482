// RUN: needle-opt %s --needle-cpu-pack-weights -split-input-file | FileCheck %s

// A ragged panel and an odd K are padded with zeros, the sum of each column lies
// behind it: [1][1 + 1][4][4] of a 3×2 matrix.
// CHECK-LABEL: @integers
func.func @integers() -> tensor<1x2x4x4xi8> {
  // CHECK: needle_cpu.weight dense_resource<packed> : tensor<1x2x4x4xi8>
  // CHECK-NOT: pack_rhs
  %w = needle_cpu.weight dense<[[1, 2], [3, 4], [5, 6]]> : tensor<3x2xi8> -> tensor<3x2xi8>
  %e = tensor.empty() : tensor<1x2x4x4xi8>
  %p = needle_cpu.pack_rhs ins(%w : tensor<3x2xi8>) outs(%e : tensor<1x2x4x4xi8>) -> tensor<1x2x4x4xi8>
  return %p : tensor<1x2x4x4xi8>
}
// Quads along K side by side: (1,3,5,0) (2,4,6,0) 0 0 | 9 12 0 0.
// CHECK: packed: "0x{{........}}01030500020406000000000000000000090000000C0000000000000000000000"

// -----

// Transposed source: the same bytes.
// CHECK-LABEL: @transposed
func.func @transposed() -> tensor<1x2x4x4xi8> {
  %w = needle_cpu.weight dense<[[1, 3, 5], [2, 4, 6]]> : tensor<2x3xi8> -> tensor<2x3xi8>
  %e = tensor.empty() : tensor<1x2x4x4xi8>
  %p = needle_cpu.pack_rhs ins(%w : tensor<2x3xi8>) outs(%e : tensor<1x2x4x4xi8>) {transposed} -> tensor<1x2x4x4xi8>
  return %p : tensor<1x2x4x4xi8>
}
// CHECK: packed: "0x{{........}}01030500020406000000000000000000090000000C0000000000000000000000"

// -----

// Unsigned values with a zero point per column are widened: 255-1, 2-2.
// CHECK-LABEL: @wide
func.func @wide() -> tensor<1x2x2x2xi16> {
  %w = needle_cpu.weight dense<[[-1, 2]]> : tensor<1x2xi8> -> tensor<1x2xi8>
  %e = tensor.empty() : tensor<1x2x2x2xi16>
  %p = needle_cpu.pack_rhs ins(%w : tensor<1x2xi8>) outs(%e : tensor<1x2x2x2xi16>) {source_unsigned, zero_points = array<i32: 1, 2>} -> tensor<1x2x2x2xi16>
  return %p : tensor<1x2x2x2xi16>
}
// CHECK: packed: "0x{{........}}FE000000000000000000000000000000"

// -----

// f32 panels of two columns: [2][2][2] of a 2×3 matrix.
// CHECK-LABEL: @floats
func.func @floats() -> tensor<2x2x2xf32> {
  %w = needle_cpu.weight dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> -> tensor<2x3xf32>
  %e = tensor.empty() : tensor<2x2x2xf32>
  %p = needle_cpu.pack_rhs ins(%w : tensor<2x3xf32>) outs(%e : tensor<2x2x2xf32>) -> tensor<2x2x2xf32>
  return %p : tensor<2x2x2xf32>
}
// 1 2 4 5 | 3 0 6 0
// CHECK: packed: "0x{{........}}0000803F00000040000080400000A04000004040000000000000C04000000000"

// -----

// A run-time value is packed by a kernel.
// CHECK-LABEL: @dynamic
// CHECK: needle_cpu.pack_rhs
func.func @dynamic(%w: tensor<3x2xi8>) -> tensor<1x2x4x4xi8> {
  %e = tensor.empty() : tensor<1x2x4x4xi8>
  %p = needle_cpu.pack_rhs ins(%w : tensor<3x2xi8>) outs(%e : tensor<1x2x4x4xi8>) -> tensor<1x2x4x4xi8>
  return %p : tensor<1x2x4x4xi8>
}
