// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse | FileCheck %s
// RUN: needle-opt %s --convert-needle-to-linalg=panel=8 --canonicalize --cse | FileCheck %s --check-prefix=PANEL8
// RUN: needle-opt %s --convert-needle-to-linalg | FileCheck %s --check-prefix=FLAGS

// FLAGS-NOT: {{fastmath|contract}}

// The right-hand side is packed in panels of 16 columns; the batch is dynamic.
// CHECK-LABEL: func @matmul
// CHECK-SAME: %[[X:.*]]: tensor<?x784xf32> {{.*}}, %[[W:.*]]: tensor<784x250xf32>
// CHECK-DAG: %[[E0:.*]] = tensor.empty() : tensor<16x784x16xf32>
// CHECK-DAG: %[[P:.*]] = needle_cpu.pack_rhs ins(%[[W]] : tensor<784x250xf32>) outs(%[[E0]] : tensor<16x784x16xf32>) -> tensor<16x784x16xf32>
// CHECK-DAG: %[[M:.*]] = tensor.dim %[[X]], %{{.*}}
// CHECK-DAG: %[[E1:.*]] = tensor.empty(%[[M]]) : tensor<?x250xf32>
// CHECK: needle_cpu.matmul ins(%[[X]], %[[P]] : {{.*}}) outs(%[[E1]] : tensor<?x250xf32>) -> tensor<?x250xf32>
// PANEL8-LABEL: func @matmul
// PANEL8: tensor.empty() : tensor<32x784x8xf32>
func.func @matmul(%x: tensor<?x784xf32>, %w: tensor<784x250xf32>) -> tensor<?x250xf32> {
  %0 = needle.matmul %x, %w : tensor<?x784xf32>, tensor<784x250xf32> -> tensor<?x250xf32>
  return %0 : tensor<?x250xf32>
}

// CHECK-LABEL: func @bias_and_activation
// CHECK-SAME: %[[B:[a-z0-9]+]]: tensor<4xf32>
// CHECK: needle_cpu.matmul {{.*}} bias(%[[B]] : tensor<4xf32>) outs({{.*}}) {activation = #needle.activation<relu>}
func.func @bias_and_activation(%x: tensor<2x3xf32>, %w: tensor<3x4xf32>, %b: tensor<4xf32>) -> tensor<2x4xf32> {
  %0 = needle.matmul %x, %w bias(%b : tensor<4xf32>) {activation = #needle.activation<relu>} : tensor<2x3xf32>, tensor<3x4xf32> -> tensor<2x4xf32>
  return %0 : tensor<2x4xf32>
}

// M, N and K come from the transposed dimensions; the number of panels is
// computed at run time.
// CHECK-LABEL: func @transposed_dynamic
// CHECK-SAME: %[[X:.*]]: tensor<?x?xf32> {{.*}}, %[[W:.*]]: tensor<?x?xf32>
// CHECK-DAG: %[[C0:.*]] = arith.constant 0 : index
// CHECK-DAG: %[[C1:.*]] = arith.constant 1 : index
// CHECK-DAG: %[[C15:.*]] = arith.constant 15 : index
// CHECK-DAG: %[[C16:.*]] = arith.constant 16 : index
// CHECK: %[[N:.*]] = tensor.dim %[[W]], %[[C0]]
// CHECK: %[[SUM:.*]] = arith.addi %[[N]], %[[C15]]
// CHECK: %[[PANELS:.*]] = arith.divui %[[SUM]], %[[C16]]
// CHECK: %[[K:.*]] = tensor.dim %[[W]], %[[C1]]
// CHECK: %[[E0:.*]] = tensor.empty(%[[PANELS]], %[[K]]) : tensor<?x?x16xf32>
// CHECK: needle_cpu.pack_rhs ins(%[[W]] {{.*}}) outs(%[[E0]] {{.*}}) {transposed}
// CHECK: %[[M:.*]] = tensor.dim %[[X]], %[[C1]]
// CHECK: %[[E1:.*]] = tensor.empty(%[[M]], %[[N]])
// CHECK: needle_cpu.matmul {{.*}} outs(%[[E1]] : {{.*}}) {transpose_lhs}
func.func @transposed_dynamic(%x: tensor<?x?xf32>, %w: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %0 = needle.matmul %x, %w {transpose_lhs, transpose_rhs} : tensor<?x?xf32>, tensor<?x?xf32> -> tensor<?x?xf32>
  return %0 : tensor<?x?xf32>
}

// CHECK-LABEL: func @empty
// CHECK: tensor.empty() : tensor<0x0x16xf32>
// CHECK: needle_cpu.matmul {{.*}} outs(%{{.*}} : tensor<2x0xf32>)
func.func @empty(%x: tensor<2x0xf32>, %w: tensor<0x0xf32>) -> tensor<2x0xf32> {
  %0 = needle.matmul %x, %w : tensor<2x0xf32>, tensor<0x0xf32> -> tensor<2x0xf32>
  return %0 : tensor<2x0xf32>
}
