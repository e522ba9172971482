// RUN: needle-opt %s --convert-needle-to-linalg --canonicalize --cse | FileCheck %s
// RUN: needle-opt %s --convert-needle-to-linalg | FileCheck %s --check-prefix=FLAGS

// FLAGS-NOT: {{fastmath|contract|math.roundeven}}

// The range is two integer maxima over magnitudes; NaN counts as 0, infinity as
// FLT_MAX (2139095039 are its bits).
// CHECK-LABEL: func @quantize_dynamic
// CHECK-SAME: %[[X:.*]]: tensor<?x7xf32>
// CHECK-SAME: -> (tensor<?x7xi8> {needle.type = tensor<?x7xui8>}, tensor<f32> {{.*}}, tensor<i32> {{.*}})
// CHECK-DAG: %[[FLAT:.*]] = tensor.collapse_shape %[[X]] {{\[}}[0, 1]] : tensor<?x7xf32> into tensor<?xf32>
// CHECK-DAG: %[[N:.*]] = tensor.dim %[[FLAT]], %c0
// CHECK: %[[RANGE:.*]]:2 = scf.for %[[I:.*]] = %c0 to %[[N]] step %c1 iter_args(%[[BELOW:.*]] = %c0_i32, %[[ABOVE:.*]] = %c0_i32) -> (i32, i32)
// CHECK: %[[V:.*]] = tensor.extract %[[FLAT]][%[[I]]]
// CHECK: %[[BITS:.*]] = arith.bitcast %[[V]] : f32 to i32
// CHECK: %[[MAG:.*]] = arith.andi %[[BITS]], %c2147483647_i32
// CHECK: %[[NAN:.*]] = arith.cmpi sgt, %[[MAG]], %c2139095040_i32
// CHECK: %[[MIN:.*]] = arith.minsi %[[MAG]], %c2139095039_i32
// CHECK: %[[FIN:.*]] = arith.select %[[NAN]], %c0_i32, %[[MIN]]
// CHECK: %[[NEG:.*]] = arith.cmpi slt, %[[BITS]], %c0_i32
// CHECK: %[[B:.*]] = arith.select %[[NEG]], %[[FIN]], %c0_i32
// CHECK: %[[A:.*]] = arith.select %[[NEG]], %c0_i32, %[[FIN]]
// CHECK: %[[B1:.*]] = arith.maxsi %[[BELOW]], %[[B]]
// CHECK: %[[A1:.*]] = arith.maxsi %[[ABOVE]], %[[A]]
// CHECK: scf.yield %[[B1]], %[[A1]]

// N2: f64, the scale rounded to f32 and clamped, 1 for a range of zero; the zero
// point clamped and rounded to even in f64.
// CHECK: %[[LOWABS:.*]] = arith.bitcast %[[RANGE]]#0 : i32 to f32
// CHECK: %[[HIGH:.*]] = arith.bitcast %[[RANGE]]#1 : i32 to f32
// CHECK: %[[LOW:.*]] = arith.negf %[[LOWABS]]
// CHECK: %[[LOW64:.*]] = arith.extf %[[LOW]] : f32 to f64
// CHECK: %[[HIGH64:.*]] = arith.extf %[[HIGH]] : f32 to f64
// CHECK: %[[WIDTH:.*]] = arith.subf %[[HIGH64]], %[[LOW64]] : f64
// CHECK: %[[S64:.*]] = arith.divf %[[WIDTH]], %{{.*}} : f64
// CHECK: arith.truncf %[[S64]] : f64 to f32
// CHECK: %[[ISZERO:.*]] = arith.cmpf oeq, %[[WIDTH]], %{{.*}} : f64
// CHECK: %[[SCALE:.*]] = arith.select %[[ISZERO]], %{{.*}}, %{{.*}} : f32
// CHECK: %[[SCALE64:.*]] = arith.extf %[[SCALE]] : f32 to f64
// CHECK: arith.divf %{{.*}}, %[[SCALE64]] : f64
// CHECK: %[[BIASED:.*]] = arith.addf %{{.*}}, %[[MAGIC:.*]] : f64
// CHECK: %[[ROUNDED:.*]] = arith.subf %[[BIASED]], %[[MAGIC]] : f64
// CHECK: %[[ZP:.*]] = arith.fptosi %[[ROUNDED]] : f64 to i32

// CHECK: %[[Q:.*]] = linalg.generic {{.*}} ins(%[[X]] : tensor<?x7xf32>) outs(%{{.*}} : tensor<?x7xi8>)
// CHECK: arith.divf %{{.*}}, %[[SCALE]] : f32
// CHECK: arith.addi %{{.*}}, %[[ZP]] : i32
// CHECK-DAG: %[[ST:.*]] = tensor.from_elements %[[SCALE]] : tensor<f32>
// CHECK-DAG: %[[ZT:.*]] = tensor.from_elements %[[ZP]] : tensor<i32>
// CHECK: return %[[Q]], %[[ST]], %[[ZT]]
func.func @quantize_dynamic(%x: tensor<?x7xf32>) -> (tensor<?x7xui8>, tensor<f32>, tensor<i32>) {
  %q, %s, %z = needle.quantize_dynamic %x : tensor<?x7xf32> -> tensor<?x7xui8>, tensor<f32>, tensor<i32>
  return %q, %s, %z : tensor<?x7xui8>, tensor<f32>, tensor<i32>
}

// CHECK-LABEL: func @rank_zero
// CHECK: tensor.expand_shape %{{.*}} [] output_shape [1] : tensor<f32> into tensor<1xf32>
func.func @rank_zero(%x: tensor<f32>) -> (tensor<ui8>, tensor<f32>, tensor<i32>) {
  %q, %s, %z = needle.quantize_dynamic %x : tensor<f32> -> tensor<ui8>, tensor<f32>, tensor<i32>
  return %q, %s, %z : tensor<ui8>, tensor<f32>, tensor<i32>
}

// CHECK-LABEL: func @rank_one
// CHECK-NOT: tensor.{{collapse|expand}}_shape
// CHECK: return
func.func @rank_one(%x: tensor<?xf32>) -> (tensor<?xui8>, tensor<f32>, tensor<i32>) {
  %q, %s, %z = needle.quantize_dynamic %x : tensor<?xf32> -> tensor<?xui8>, tensor<f32>, tensor<i32>
  return %q, %s, %z : tensor<?xui8>, tensor<f32>, tensor<i32>
}
