// RUN: needle-opt %s --convert-needle-to-linalg --cse | FileCheck %s
// RUN: needle-opt %s --convert-needle-to-linalg | FileCheck %s --check-prefix=FLAGS

// FLAGS-NOT: {{fastmath|contract|math.roundeven}}

!u8 = !quant.uniform<u8:f32, 0.5:3>
!i8 = !quant.uniform<i8<-127:127>:f32, 0.25>
!axis = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25, 2.0}>
!axisz = !quant.uniform<u8:f32:1, {0.5, 0.25, 2.0:128}>

// CHECK-DAG: #[[ID:.*]] = affine_map<(d0, d1) -> (d0, d1)>
// CHECK-DAG: #[[AXIS:.*]] = affine_map<(d0, d1) -> (d1)>
// CHECK-DAG: #[[SCALAR:.*]] = affine_map<(d0, d1) -> ()>

// N1: divide, NaN to the zero point, clamp, round to even, add the zero point.
// CHECK-LABEL: func @quantize
// CHECK-SAME: -> (tensor<?x3xi8>
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[ID]]]
// CHECK: ^bb0(%[[X:.*]]: f32, %{{.*}}: i8):
// CHECK-DAG: %[[SCALE:.*]] = arith.constant 5.000000e-01 : f32
// CHECK-DAG: %[[T:.*]] = arith.divf %[[X]], %[[SCALE]] : f32
// CHECK-DAG: %[[ORD:.*]] = arith.cmpf ord, %[[T]], %[[T]] : f32
// CHECK-DAG: %[[ZERO:.*]] = arith.constant 0.000000e+00 : f32
// CHECK-DAG: %[[T1:.*]] = arith.select %[[ORD]], %[[T]], %[[ZERO]] : f32
// CHECK-DAG: %[[LOW:.*]] = arith.constant -3.000000e+00 : f32
// CHECK-DAG: %[[HIGH:.*]] = arith.constant 2.520000e+02 : f32
// CHECK: %[[GT:.*]] = arith.cmpf ogt, %[[T1]], %[[LOW]] : f32
// CHECK: %[[T2:.*]] = arith.select %[[GT]], %[[T1]], %[[LOW]] : f32
// CHECK: %[[LT:.*]] = arith.cmpf olt, %[[T2]], %[[HIGH]] : f32
// CHECK: %[[T3:.*]] = arith.select %[[LT]], %[[T2]], %[[HIGH]] : f32
// CHECK: %[[MAGIC:.*]] = arith.constant 0x4B400000 : f32
// CHECK: %[[SUM:.*]] = arith.addf %[[T3]], %[[MAGIC]] : f32
// CHECK: %[[BITS:.*]] = arith.bitcast %[[SUM]] : f32 to i32
// CHECK: %[[MAGICBITS:.*]] = arith.constant 1262485504 : i32
// CHECK: %[[R:.*]] = arith.subi %[[BITS]], %[[MAGICBITS]] : i32
// CHECK: %[[ZP:.*]] = arith.constant 3 : i32
// CHECK: %[[Q:.*]] = arith.addi %[[R]], %[[ZP]] : i32
// CHECK: %[[STORED:.*]] = arith.trunci %[[Q]] : i32 to i8
// CHECK: linalg.yield %[[STORED]]
func.func @quantize(%x: tensor<?x3xf32>) -> tensor<?x3x!u8> {
  %0 = needle.quantize %x : tensor<?x3xf32> -> tensor<?x3x!u8>
  return %0 : tensor<?x3x!u8>
}

// The bounds are those of the type; a zero point of 0 costs nothing.
// CHECK-LABEL: func @quantize_symmetric
// CHECK-DAG: arith.constant -1.270000e+02 : f32
// CHECK-DAG: arith.constant 1.270000e+02 : f32
// CHECK-NOT: arith.addi
// CHECK: return
func.func @quantize_symmetric(%x: tensor<2x3xf32>) -> tensor<2x3x!i8> {
  %0 = needle.quantize %x : tensor<2x3xf32> -> tensor<2x3x!i8>
  return %0 : tensor<2x3x!i8>
}

// Per axis the scales are indexed along the axis.
// CHECK-LABEL: func @quantize_per_axis
// CHECK: %[[S:.*]] = needle_cpu.weight dense<[5.000000e-01, 2.500000e-01, 2.000000e+00]> : tensor<3xf32>
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[AXIS]], #[[ID]]]
// CHECK-SAME: ins(%{{.*}}, %[[S]] : tensor<?x3xf32>, tensor<3xf32>)
// CHECK: ^bb0(%[[X:.*]]: f32, %[[SC:.*]]: f32, %{{.*}}: i8):
// CHECK: arith.divf %[[X]], %[[SC]] : f32
func.func @quantize_per_axis(%x: tensor<?x3xf32>) -> tensor<?x3x!axis> {
  %0 = needle.quantize %x : tensor<?x3xf32> -> tensor<?x3x!axis>
  return %0 : tensor<?x3x!axis>
}

// CHECK-LABEL: func @quantize_per_axis_zero_points
// CHECK: %[[S:.*]] = needle_cpu.weight dense<[5.000000e-01, 2.500000e-01, 2.000000e+00]> : tensor<3xf32>
// CHECK: %[[Z:.*]] = needle_cpu.weight dense<[0, 0, 128]> : tensor<3xi32>
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[AXIS]], #[[AXIS]], #[[ID]]]
// CHECK: ^bb0(%[[X:.*]]: f32, %[[SC:.*]]: f32, %[[ZP:.*]]: i32, %{{.*}}: i8):
// CHECK: %[[MIN:.*]] = arith.constant 0 : i32
// CHECK: %[[LOW:.*]] = arith.subi %[[MIN]], %[[ZP]]
// CHECK: arith.sitofp %[[LOW]]
// CHECK: %[[MAX:.*]] = arith.constant 255 : i32
// CHECK: %[[HIGH:.*]] = arith.subi %[[MAX]], %[[ZP]]
// CHECK: arith.sitofp %[[HIGH]]
// CHECK: arith.addi %{{.*}}, %[[ZP]]
func.func @quantize_per_axis_zero_points(%x: tensor<?x3xf32>) -> tensor<?x3x!axisz> {
  %0 = needle.quantize %x : tensor<?x3xf32> -> tensor<?x3x!axisz>
  return %0 : tensor<?x3x!axisz>
}

// N3: the subtraction in integers, one f32 multiplication.
// CHECK-LABEL: func @dequantize
// CHECK: ^bb0(%[[S:.*]]: i8, %{{.*}}: f32):
// CHECK: %[[Q:.*]] = arith.extui %[[S]] : i8 to i32
// CHECK: %[[Z:.*]] = arith.constant 3 : i32
// CHECK: %[[D:.*]] = arith.subi %[[Q]], %[[Z]] : i32
// CHECK: %[[F:.*]] = arith.sitofp %[[D]] : i32 to f32
// CHECK: %[[SC:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: %[[X:.*]] = arith.mulf %[[F]], %[[SC]] : f32
// CHECK: linalg.yield %[[X]]
func.func @dequantize(%q: tensor<?x3x!u8>) -> tensor<?x3xf32> {
  %0 = needle.dequantize %q : tensor<?x3x!u8> -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}

// CHECK-LABEL: func @dequantize_signed
// CHECK: arith.extsi %{{.*}} : i8 to i32
// CHECK-NOT: arith.subi
// CHECK: return
func.func @dequantize_signed(%q: tensor<2x3x!i8>) -> tensor<2x3xf32> {
  %0 = needle.dequantize %q : tensor<2x3x!i8> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @dequantize_per_axis
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[AXIS]], #[[AXIS]], #[[ID]]]
// CHECK: ^bb0(%{{.*}}: i8, %[[SC:.*]]: f32, %[[ZP:.*]]: i32, %{{.*}}: f32):
// CHECK: arith.subi %{{.*}}, %[[ZP]] : i32
// CHECK: arith.mulf %{{.*}}, %[[SC]] : f32
func.func @dequantize_per_axis(%q: tensor<2x3x!axisz>) -> tensor<2x3xf32> {
  %0 = needle.dequantize %q : tensor<2x3x!axisz> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// CHECK-LABEL: func @dequantize_params
// CHECK-SAME: %[[Q:.*]]: tensor<2x3xi8> {{.*}}, %[[S:[a-z0-9]+]]: tensor<f32> {{.*}}, %[[Z:[a-z0-9]+]]: tensor<i32>
// CHECK: linalg.generic {indexing_maps = [#[[ID]], #[[SCALAR]], #[[SCALAR]], #[[ID]]]
// CHECK-SAME: ins(%[[Q]], %[[S]], %[[Z]] :
// CHECK: ^bb0(%{{.*}}: i8, %[[SC:.*]]: f32, %[[ZP:.*]]: i32, %{{.*}}: f32):
// CHECK: arith.extsi
// CHECK: arith.subi %{{.*}}, %[[ZP]] : i32
// CHECK: arith.mulf %{{.*}}, %[[SC]] : f32
func.func @dequantize_params(%q: tensor<2x3xsi8>, %s: tensor<f32>, %z: tensor<i32>) -> tensor<2x3xf32> {
  %0 = needle.dequantize %q params(%s, %z : tensor<f32>, tensor<i32>) : tensor<2x3xsi8> -> tensor<2x3xf32>
  return %0 : tensor<2x3xf32>
}

// N3 with the operand's parameters, then N1 with the result's, in one loop nest.
// CHECK-LABEL: func @requantize
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<2x3xi8>) outs(%{{.*}} : tensor<2x3xi8>)
// CHECK: arith.extui
// CHECK: %[[FROM:.*]] = arith.constant 5.000000e-01 : f32
// CHECK: %[[X:.*]] = arith.mulf %{{.*}}, %[[FROM]] : f32
// CHECK: %[[TO:.*]] = arith.constant 2.500000e-01 : f32
// CHECK: arith.divf %[[X]], %[[TO]] : f32
// CHECK: arith.trunci
// CHECK-NOT: linalg.generic
// CHECK: return
func.func @requantize(%q: tensor<2x3x!u8>) -> tensor<2x3x!i8> {
  %0 = needle.requantize %q : tensor<2x3x!u8> -> tensor<2x3x!i8>
  return %0 : tensor<2x3x!i8>
}

// N1 then N3; nothing is stored in 8 bits.
// CHECK-LABEL: func @fake_quantize
// CHECK: linalg.generic {{.*}} ins(%{{.*}} : tensor<?x3xf32>) outs(%{{.*}} : tensor<?x3xf32>)
// CHECK: arith.divf
// CHECK-NOT: arith.trunci
// CHECK: arith.mulf
func.func @fake_quantize(%x: tensor<?x3xf32>) -> tensor<?x3xf32> {
  %0 = needle.fake_quantize %x {type = !u8} : tensor<?x3xf32> -> tensor<?x3xf32>
  return %0 : tensor<?x3xf32>
}
