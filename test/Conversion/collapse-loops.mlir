// RUN: needle-opt %s --needle-collapse-loops | FileCheck %s

#id3 = affine_map<(d0, d1, d2) -> (d0, d1, d2)>
#last = affine_map<(d0, d1, d2) -> (d2)>
#rows = affine_map<(d0, d1, d2) -> (d0)>
#swap = affine_map<(d0, d1, d2) -> (d1, d0, d2)>
#zero = affine_map<(d0, d1, d2) -> (d0, 0, d2)>

// CHECK-LABEL: func @whole
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel"]} ins(%{{.*}} : memref<48xf32>) outs(%{{.*}} : memref<48xf32>)
func.func @whole(%x: memref<2x3x8xf32>, %y: memref<2x3x8xf32>) {
  linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x : memref<2x3x8xf32>) outs(%y : memref<2x3x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.negf %a : f32
    linalg.yield %0 : f32
  }
  return
}

// CHECK-LABEL: func @bias
// CHECK: memref.collapse_shape %{{.*}} {{\[}}[0, 1], [2]] : memref<2x?x8xf32> into memref<?x8xf32>
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%{{.*}}, %{{.*}} : memref<?x8xf32>, memref<8xf32>)
func.func @bias(%x: memref<2x?x8xf32>, %b: memref<8xf32>, %y: memref<2x?x8xf32>) {
  linalg.generic {indexing_maps = [#id3, #last, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x, %b : memref<2x?x8xf32>, memref<8xf32>) outs(%y : memref<2x?x8xf32>) {
  ^bb0(%a: f32, %c: f32, %d: f32):
    %0 = arith.addf %a, %c : f32
    linalg.yield %0 : f32
  }
  return
}

// Reductions merge with each other alone.
// CHECK-LABEL: func @reduction
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "reduction"]} ins(%{{.*}} : memref<2x24xf32>) outs(%{{.*}} : memref<2xf32>)
func.func @reduction(%x: memref<2x3x8xf32>, %y: memref<2xf32>) {
  linalg.generic {indexing_maps = [#id3, #rows], iterator_types = ["parallel", "reduction", "reduction"]}
    ins(%x : memref<2x3x8xf32>) outs(%y : memref<2xf32>) {
  ^bb0(%a: f32, %b: f32):
    %0 = arith.addf %a, %b : f32
    linalg.yield %0 : f32
  }
  return
}

// Transposed, with gaps, stretched, or with indices: as it was.
// CHECK-LABEL: func @stays
// CHECK-COUNT-4: iterator_types = ["parallel", "parallel", "parallel"]
func.func @stays(%x: memref<2x2x8xf32>, %g: memref<2x2x8xf32, strided<[64, 20, 2]>>, %s: memref<2x1x8xf32>, %y: memref<2x2x8xf32>) {
  linalg.generic {indexing_maps = [#swap, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%g : memref<2x2x8xf32, strided<[64, 20, 2]>>) outs(%y : memref<2x2x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%g : memref<2x2x8xf32, strided<[64, 20, 2]>>) outs(%y : memref<2x2x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#zero, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%s : memref<2x1x8xf32>) outs(%y : memref<2x2x8xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  linalg.generic {indexing_maps = [#id3], iterator_types = ["parallel", "parallel", "parallel"]}
    outs(%y : memref<2x2x8xf32>) {
  ^bb0(%b: f32):
    %i = linalg.index 0 : index
    %c = arith.index_cast %i : index to i32
    %f = arith.sitofp %c : i32 to f32
    linalg.yield %f : f32
  }
  return
}

// A row of a larger array: its extent of 1 could go with either neighbour, but
// all three dimensions do not go together.
// CHECK-LABEL: func @unit
// CHECK: linalg.generic {{.*}} iterator_types = ["parallel", "parallel"]} ins(%{{.*}} : memref<5x6xf32>
func.func @unit(%x: memref<5x1x6xf32>, %y: memref<5x1x6xf32, strided<[12, 6, 1]>>) {
  linalg.generic {indexing_maps = [#id3, #id3], iterator_types = ["parallel", "parallel", "parallel"]}
    ins(%x : memref<5x1x6xf32>) outs(%y : memref<5x1x6xf32, strided<[12, 6, 1]>>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  }
  return
}
