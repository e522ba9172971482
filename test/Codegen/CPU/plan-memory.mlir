// RUN: needle-opt %s --allow-unregistered-dialect --needle-cpu-plan-memory --split-input-file | FileCheck %s

// Static buffers: the third uses the memory of the first, which is dead by then;
// the second lies behind, at the next multiple of 64.

// CHECK-LABEL: func.func private @main.arena(%{{.*}}: index) -> index
// CHECK: %[[BYTES:.*]] = arith.constant 192 : index
// CHECK: return %[[BYTES]]
// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[X:.*]]: memref<20xf32>, %[[Y:.*]]: memref<20xf32>, %[[ARENA:.*]]: memref<?xi8>, %[[WEIGHTS:.*]]: memref<?xi8>, %{{.*}}: index, %{{.*}}: !llvm.ptr)
// CHECK: %[[A:.*]] = memref.view %[[ARENA]][%c0{{.*}}][] : memref<?xi8> to memref<20xf32>
// CHECK: %[[B:.*]] = memref.view %[[ARENA]][%c128][] : memref<?xi8> to memref<16xf32>
// CHECK: %[[C:.*]] = memref.view %[[ARENA]][%c0{{.*}}][] : memref<?xi8> to memref<20xf32>
func.func @main(%x: memref<20xf32>, %y: memref<20xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<20xf32>}], outputs = [{name = "y", type = tensor<20xf32>}]}} {
  %a = memref.alloc() : memref<20xf32>
  %b = memref.alloc() : memref<16xf32>
  %c = memref.alloc() : memref<20xf32>
  memref.copy %x, %a : memref<20xf32> to memref<20xf32>
  "test.use"(%a, %b) : (memref<20xf32>, memref<16xf32>) -> ()
  "test.use"(%b, %c) : (memref<16xf32>, memref<20xf32>) -> ()
  memref.copy %c, %y : memref<20xf32> to memref<20xf32>
  return
}

// -----

// Dynamic buffers share slots; a slot is as large as its largest buffer, and
// the layout is computed once, for plan and run.

// CHECK-LABEL: func.func private @dynamic.arena(
// CHECK-SAME: %[[D:.*]]: index, %[[T:.*]]: index) -> (index, index, index)
// CHECK: %[[A:.*]], %[[HIGH_A:.*]] = arith.mului_extended %c64{{.*}}, %[[D]]
// CHECK: %[[OVER_A:.*]] = arith.cmpi ne, %[[HIGH_A]], %c0
// CHECK: %[[B:.*]], %{{.*}} = arith.mului_extended %c32{{.*}}, %[[D]]
// CHECK: %[[C:.*]], %{{.*}} = arith.mului_extended %c16{{.*}}, %[[D]]
// CHECK: %[[SLOT:.*]] = arith.maxui %[[A]], %[[C]]
// CHECK: %[[PADDED:.*]] = arith.addi %[[SLOT]], %c63
// CHECK: %[[ALIGNED:.*]] = arith.andi %[[PADDED]], %c-64
// CHECK: %[[OFFSET:.*]] = arith.addi %c0{{.*}}, %[[ALIGNED]]
// CHECK: %[[TOTAL:.*]] = arith.select %{{.*}}, %c9223372036854775807, %{{.*}}
// CHECK: return %[[TOTAL]], %c0{{.*}}, %[[OFFSET]]
// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME: %[[X:.*]]: memref<?x4xf32>, %[[Y:.*]]: memref<?x4xf32>, %[[ARENA:[a-z0-9]*]]: memref<?xi8>, %{{.*}}: memref<?xi8>, %[[THREADS:.*]]: index, %{{.*}}: !llvm.ptr)
// CHECK: %[[DIM:.*]] = memref.dim %[[X]], %c0
// CHECK: %[[LAYOUT:.*]]:3 = call @dynamic.arena(%[[DIM]], %[[THREADS]])
// CHECK: memref.view %[[ARENA]][%[[LAYOUT]]#1][%[[SIZE:.*]]] : memref<?xi8> to memref<?x16xf32>
// CHECK: memref.view %[[ARENA]][%[[LAYOUT]]#2][%[[SIZE]]] : memref<?xi8> to memref<?x8xf32>
// CHECK: memref.view %[[ARENA]][%[[LAYOUT]]#1][%[[SIZE]]] : memref<?xi8> to memref<?x4xf32>
func.func @dynamic(%x: memref<?x4xf32>, %y: memref<?x4xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<?x4xf32>}], outputs = [{name = "y", type = tensor<?x4xf32>}]}} {
  %c0 = arith.constant 0 : index
  %d = memref.dim %x, %c0 : memref<?x4xf32>
  %a = memref.alloc(%d) : memref<?x16xf32>
  %b = memref.alloc(%d) : memref<?x8xf32>
  %c = memref.alloc(%d) : memref<?x4xf32>
  "test.use"(%x, %a) : (memref<?x4xf32>, memref<?x16xf32>) -> ()
  "test.use"(%a, %b) : (memref<?x16xf32>, memref<?x8xf32>) -> ()
  "test.use"(%b, %c) : (memref<?x8xf32>, memref<?x4xf32>) -> ()
  "test.use"(%c, %y) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  return
}

// -----

// A use of a view is a use of the buffer; one inside a loop counts for the whole
// loop. So nothing is shared here.

// CHECK-LABEL: func.func private @views.arena
// CHECK: arith.constant 128 : index
// CHECK-LABEL: func.func @views(
// CHECK: memref.view %{{.*}}[%c0{{.*}}][] : memref<?xi8> to memref<4x4xf32>
// CHECK: memref.view %{{.*}}[%c64{{.*}}][] : memref<?xi8> to memref<16xf32>
func.func @views(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %a = memref.alloc() : memref<4x4xf32>
  %b = memref.alloc() : memref<16xf32>
  %view = memref.collapse_shape %a [[0, 1]] : memref<4x4xf32> into memref<16xf32>
  scf.for %i = %c0 to %threads step %c1 {
    "test.use"(%b) : (memref<16xf32>) -> ()
    "test.use"(%view) : (memref<16xf32>) -> ()
  }
  return
}

// -----

// Sizes may depend on the number of threads and on the shape of an output.

// CHECK-LABEL: func.func private @sizes.shapes
// CHECK-LABEL: func.func private @sizes.arena(
// CHECK-SAME: %[[D:.*]]: index, %[[THREADS:.*]]: index)
// CHECK: %[[SIZE:.*]] = arith.muli %[[THREADS]], %c100
// CHECK: arith.mului_extended %c1{{.*}}, %[[SIZE]]
// CHECK: %[[SHAPES:.*]]:3 = call @sizes.shapes(%[[D]])
// CHECK: arith.mului_extended %c4{{.*}}, %[[SHAPES]]#2
func.func private @sizes.shapes(%d: index) -> (i64, index, index) {
  %c0 = arith.constant 0 : i64
  %c7 = arith.constant 7 : index
  return %c0, %d, %c7 : i64, index, index
}
func.func @sizes(%x: memref<?xf32>, %y: memref<?x?xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<?xf32>}], outputs = [{name = "y", type = tensor<?x?xf32>}]}} {
  %c1 = arith.constant 1 : index
  %c100 = arith.constant 100 : index
  %0 = arith.muli %threads, %c100 : index
  %a = memref.alloc(%0) : memref<?xi8>
  %1 = memref.dim %y, %c1 : memref<?x?xf32>
  %b = memref.alloc(%1) : memref<?xf32>
  "test.use"(%a, %b) : (memref<?xi8>, memref<?xf32>) -> ()
  return
}

// -----

// Weights: equal bytes are stored once, whatever their type; each place is
// aligned. A buffer that nobody uses is dropped.

// CHECK: module attributes {needle.weights = dense_resource<needle_weights> : tensor<72xi8>}
// CHECK-LABEL: func.func private @weights.arena
// CHECK: arith.constant 0 : index
// CHECK-LABEL: func.func @weights(
// CHECK-SAME: %{{[a-z0-9]*}}: memref<?xi8>, %[[WEIGHTS:.*]]: memref<?xi8>, %{{.*}}: index, %{{.*}}: !llvm.ptr)
// CHECK-NOT: memref.alloc
// CHECK: %[[A:.*]] = memref.view %[[WEIGHTS]][%c0{{.*}}][] : memref<?xi8> to memref<2xf32>
// CHECK: %[[B:.*]] = memref.view %[[WEIGHTS]][%c64{{.*}}][] : memref<?xi8> to memref<8xi8>
// CHECK: %[[C:.*]] = memref.view %[[WEIGHTS]][%c0{{.*}}][] : memref<?xi8> to memref<2xf32>
// CHECK: %[[D:.*]] = memref.view %[[WEIGHTS]][%c64{{.*}}][] : memref<?xi8> to memref<2xi32>
// CHECK: "test.use"(%[[A]], %[[B]], %[[C]], %[[D]])
// CHECK: needle_weights: "0x400000000000803F000000400000000000000000{{(00)+}}0101010101010101"
func.func @weights(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  %dead = memref.alloc() : memref<4xf32>
  %a = needle_cpu.weight dense<[1.0, 2.0]> : tensor<2xf32> -> memref<2xf32>
  %b = needle_cpu.weight dense<1> : tensor<8xi8> -> memref<8xi8>
  %c = needle_cpu.weight dense<[1.0, 2.0]> : tensor<2xf32> -> memref<2xf32>
  %d = needle_cpu.weight dense<16843009> : tensor<2xi32> -> memref<2xi32>
  "test.use"(%a, %b, %c, %d) : (memref<2xf32>, memref<8xi8>, memref<2xf32>, memref<2xi32>) -> ()
  return
}

// -----

// The dimension of a reshaped buffer follows from the dimensions of what is
// reshaped.

// CHECK-LABEL: func.func private @collapsed.arena(
// CHECK-SAME: %[[M:.*]]: index, %[[N:.*]]: index, %{{.*}}: index) -> (index, index)
// CHECK: %[[ROWS:.*]], %[[HIGH:.*]] = arith.mului_extended %[[M]], %[[N]]
// CHECK: arith.cmpi ne, %[[HIGH]], %c0
// CHECK: arith.mului_extended %c64{{.*}}, %[[ROWS]]
func.func @collapsed(%x: memref<?x?x4xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<?x?x4xf32>}], outputs = []}} {
  %c0 = arith.constant 0 : index
  %view = memref.collapse_shape %x [[0, 1], [2]] : memref<?x?x4xf32> into memref<?x4xf32>
  %d = memref.dim %view, %c0 : memref<?x4xf32>
  %a = memref.alloc(%d) : memref<?x16xf32>
  "test.use"(%view, %a) : (memref<?x4xf32>, memref<?x16xf32>) -> ()
  return
}

// -----

// CHECK-LABEL: func.func private @expanded.arena(
// CHECK-SAME: %[[M:.*]]: index, %{{.*}}: index) -> (index, index)
// CHECK: %[[COUNT:.*]], %{{.*}} = arith.mului_extended %[[M]], %c4
// CHECK: %[[ROWS:.*]] = arith.divui %[[COUNT]], %c8
// CHECK: arith.mului_extended %c32{{.*}}, %[[ROWS]]
func.func @expanded(%x: memref<?x4xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<?x4xf32>}], outputs = []}} {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  %flat = memref.collapse_shape %x [[0, 1]] : memref<?x4xf32> into memref<?xf32>
  %count = memref.dim %flat, %c0 : memref<?xf32>
  %rows = arith.divui %count, %c8 : index
  %view = memref.expand_shape %flat [[0, 1]] output_shape [%rows, 8] : memref<?xf32> into memref<?x8xf32>
  %d = memref.dim %view, %c0 : memref<?x8xf32>
  %a = memref.alloc(%d) : memref<?x8xf32>
  "test.use"(%view, %a) : (memref<?x8xf32>, memref<?x8xf32>) -> ()
  return
}

// -----

// Likewise where the reshaped buffer is itself in the arena, or renamed by a
// cast.

// CHECK-LABEL: func.func private @allocated.arena(
// CHECK-SAME: %[[M:.*]]: index, %{{.*}}: index) -> (index, index, index)
// CHECK: arith.mului_extended %c16{{.*}}, %[[M]]
// CHECK: %[[COUNT:.*]], %{{.*}} = arith.mului_extended %[[M]], %c4
// CHECK: arith.mului_extended %c4{{.*}}, %[[COUNT]]
func.func @allocated(%x: memref<?x4xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<?x4xf32>}], outputs = []}} {
  %c0 = arith.constant 0 : index
  %m = memref.dim %x, %c0 : memref<?x4xf32>
  %a = memref.alloc(%m) : memref<?x4xf32>
  "test.use"(%x, %a) : (memref<?x4xf32>, memref<?x4xf32>) -> ()
  %cast = memref.cast %a : memref<?x4xf32> to memref<?x?xf32>
  %flat = memref.collapse_shape %cast [[0, 1]] : memref<?x?xf32> into memref<?xf32>
  %d = memref.dim %flat, %c0 : memref<?xf32>
  %b = memref.alloc(%d) : memref<?xf32>
  "test.use"(%flat, %b) : (memref<?xf32>, memref<?xf32>) -> ()
  return
}

// -----

// Without elements there are no bytes, however large the other dimensions.

// CHECK-LABEL: func.func private @empty.arena(
// CHECK: %[[BYTES:.*]] = arith.constant 0 : index
// CHECK: return %[[BYTES]]
func.func @empty(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  %a = memref.alloc() : memref<281474976710656x8x0xf32>
  "test.use"(%a) : (memref<281474976710656x8x0xf32>) -> ()
  return
}
