// RUN: needle-opt %s --needle-cpu-lower-copies | FileCheck %s

// CHECK-LABEL: func.func @copy(
// CHECK-SAME: %[[X:.*]]: memref<?xf32>, %[[Y:.*]]: memref<?xf32>)
// CHECK: linalg.generic
// CHECK-SAME: ins(%[[X]] : memref<?xf32>) outs(%[[Y]] : memref<?xf32>)
// CHECK-NOT: memref.copy
func.func @copy(%x: memref<?xf32>, %y: memref<?xf32>) {
  memref.copy %x, %y : memref<?xf32> to memref<?xf32>
  return
}

// CHECK-LABEL: func.func @self(
// CHECK-NEXT: return
func.func @self(%x: memref<?xf32>) {
  memref.copy %x, %x : memref<?xf32> to memref<?xf32>
  return
}
