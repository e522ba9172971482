// RUN: needle-opt %s --allow-unregistered-dialect --needle-cpu-mark-steps --split-input-file --verify-diagnostics | FileCheck %s

// Each kernel and each loop nest is announced, and the end; what is between them
// is not.

// CHECK-LABEL: func.func @main(
// CHECK-SAME: %[[FRAME:[a-z0-9]*]]: !llvm.ptr)
// CHECK-SAME: needle.steps = [
// CHECK-SAME: {kernel = "matmul.test", location = "a.mlir:1:2", macs = 60 : i64, note = "because", op = "needle.matmul"},
// CHECK-SAME: {kernel = "transpose", location = "a.mlir:3:4", macs = 0 : i64, note = "", op = "needle.transpose"},
// CHECK-SAME: {kernel = "elementwise", location = "a.mlir:5:6, b (a.mlir:7:8)", macs = 0 : i64, note = "", op = "needle.add + needle.relu"},
// CHECK-SAME: {kernel = "copy", location = "a.mlir:9:1", macs = 0 : i64, note = "", op = "linalg.generic"},
// CHECK-SAME: {kernel = "fill", location = "", macs = 0 : i64, note = "", op = "linalg.fill"},
// CHECK-SAME: {kernel = "reduce", location = "", macs = 0 : i64, note = "", op = "linalg.reduce"},
// CHECK-SAME: {kernel = "loop", location = "loop", macs = 0 : i64, note = "", op = "scf.for"}]
// CHECK: %[[RUNTIME_AT:.*]] = llvm.getelementptr %[[FRAME]][8] : (!llvm.ptr) -> !llvm.ptr, i64
// CHECK: %[[RUNTIME:.*]] = llvm.load %[[RUNTIME_AT]]
// CHECK: %[[MARK_AT:.*]] = llvm.getelementptr %[[FRAME]][7] : (!llvm.ptr) -> !llvm.ptr, i64
// CHECK: %[[MARK:.*]] = llvm.load %[[MARK_AT]]
// CHECK: %[[I0:.*]] = llvm.mlir.constant(0 : i64)
// CHECK-NEXT: llvm.call %[[MARK]](%[[RUNTIME]], %[[I0]])
// CHECK-NEXT: needle_cpu.matmul
// CHECK-NEXT: llvm.mlir.constant(1 : i64)
// CHECK-NEXT: llvm.call %[[MARK]]
// CHECK-NEXT: linalg.transpose
// CHECK: llvm.mlir.constant(6 : i64)
// CHECK-NEXT: llvm.call %[[MARK]]
// CHECK-NEXT: scf.for
// CHECK: %[[END:.*]] = llvm.mlir.constant(-1 : i64)
// CHECK-NEXT: llvm.call %[[MARK]](%[[RUNTIME]], %[[END]])
// CHECK-NEXT: return
#map = affine_map<(d0, d1) -> (d0, d1)>
func.func @main(%x: memref<3x4xf32>, %w: memref<1x4x16xf32>, %y: memref<3x5xf32>, %t: memref<5x3xf32>, %s: memref<3xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<3x4xf32>}, {name = "w", type = tensor<1x4x16xf32>}, {name = "y", type = tensor<3x5xf32>}, {name = "t", type = tensor<5x3xf32>}, {name = "s", type = tensor<3xf32>}], outputs = []}} {
  %zero = arith.constant 0.0 : f32
  needle_cpu.matmul ins(%x, %w : memref<3x4xf32>, memref<1x4x16xf32>) outs(%y : memref<3x5xf32>)
      {needle.kernel = "matmul.test", needle.kernel_note = "because"} loc(fused<"needle.matmul">["a.mlir":1:2])
  linalg.transpose ins(%y : memref<3x5xf32>) outs(%t : memref<5x3xf32>) permutation = [1, 0] loc(#transpose)
  linalg.generic {indexing_maps = [#map], iterator_types = ["parallel", "parallel"]} outs(%y : memref<3x5xf32>) {
  ^bb0(%a: f32 loc(unknown)):
    %0 = arith.addf %a, %a : f32 loc(fused<"needle.add">["a.mlir":5:6])
    %1 = arith.maximumf %0, %zero : f32 loc(fused<"needle.relu">["b"("a.mlir":7:8)])
    linalg.yield %1 : f32 loc(unknown)
  } loc(fused<"needle.relu">["b"("a.mlir":7:8)])
  linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel", "parallel"]} ins(%y : memref<3x5xf32>) outs(%y : memref<3x5xf32>) {
  ^bb0(%a: f32 loc(unknown), %b: f32 loc(unknown)):
    linalg.yield %a : f32 loc(unknown)
  } loc("a.mlir":9:1)
  linalg.fill ins(%zero : f32) outs(%y : memref<3x5xf32>) loc(unknown)
  linalg.reduce ins(%y : memref<3x5xf32>) outs(%s : memref<3xf32>) dimensions = [1]
    (%a: f32 loc(unknown), %b: f32 loc(unknown)) {
      %0 = arith.addf %a, %b : f32 loc(unknown)
      linalg.yield %0 : f32 loc(unknown)
    } loc(unknown)
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %threads step %c1 {
    "test.use"(%i) : (index) -> () loc(unknown)
  } loc("loop")
  return
}
#file = loc("a.mlir":3:4)
#transpose = loc(fused<"needle.transpose">[#file])

// -----

// Without kernels there is nothing to announce.

// CHECK-LABEL: func.func @empty(
// CHECK-SAME: needle.steps = []
// CHECK-NEXT: return
func.func @empty(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  return
}

// -----

// The multiplications of a dynamic shape are not known.

// CHECK-LABEL: func.func @dynamic(
// CHECK-SAME: macs = -1 : i64
func.func @dynamic(%x: memref<?x4xf32>, %w: memref<1x4x16xf32>, %y: memref<?x5xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<?x4xf32>}, {name = "w", type = tensor<1x4x16xf32>}, {name = "y", type = tensor<?x5xf32>}], outputs = []}} {
  needle_cpu.matmul ins(%x, %w : memref<?x4xf32>, memref<1x4x16xf32>) outs(%y : memref<?x5xf32>) {needle.kernel = "k"}
  return
}

// -----

func.func @unnamed(%x: memref<3x4xf32>, %w: memref<1x4x16xf32>, %y: memref<3x5xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<3x4xf32>}, {name = "w", type = tensor<1x4x16xf32>}, {name = "y", type = tensor<3x5xf32>}], outputs = []}} {
  // expected-error@+1 {{has no kernel: attribute 'needle.kernel' is missing}}
  needle_cpu.matmul ins(%x, %w : memref<3x4xf32>, memref<1x4x16xf32>) outs(%y : memref<3x5xf32>)
  return
}

// -----

// More multiplications than an int64 counts are as good as unknown.

// CHECK-LABEL: func.func @large(
// CHECK-SAME: macs = -1 : i64
func.func @large(%x: memref<16777216x16777216xf32>, %w: memref<1048576x16777216x16xf32>, %y: memref<16777216x16777216xf32>,
    %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<16777216x16777216xf32>}, {name = "w", type = tensor<1048576x16777216x16xf32>}, {name = "y", type = tensor<16777216x16777216xf32>}], outputs = []}} {
  needle_cpu.matmul ins(%x, %w : memref<16777216x16777216xf32>, memref<1048576x16777216x16xf32>) outs(%y : memref<16777216x16777216xf32>)
      {needle.kernel = "matmul.test"}
  return
}
