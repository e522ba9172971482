// Every operation of the dialect parses, prints and parses again, in the custom
// and in the generic form.
// RUN: needle-opt %s | FileCheck %s
// RUN: needle-opt %s | needle-opt | FileCheck %s
// RUN: needle-opt %s --mlir-print-op-generic | needle-opt | FileCheck %s
// RUN: needle-opt %s --emit-bytecode | needle-opt | FileCheck %s

// CHECK-LABEL: func @constant
func.func @constant() {
  // CHECK: needle.constant dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> -> tensor<2xf32>
  %0 = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  // CHECK: needle.constant dense<[-127, 0, 127]> : tensor<3xi8> -> tensor<3x!quant.uniform<i8<-127:127>:f32, 5.000000e-01>>
  %1 = needle.constant dense<[-127, 0, 127]> : tensor<3xi8>
      -> tensor<3x!quant.uniform<i8<-127:127>:f32, 0.5>>
  // CHECK: needle.constant dense<7> : tensor<2x2xi32> -> tensor<2x2xi32>
  %2 = needle.constant dense<7> : tensor<2x2xi32> -> tensor<2x2xi32>
  // CHECK: needle.constant dense<255> : tensor<2xui8> -> tensor<2xui8>
  %3 = needle.constant dense<255> : tensor<2xui8> -> tensor<2xui8>
  // CHECK: needle.constant dense_resource<weights> : tensor<2xf32> -> tensor<2xf32>
  %4 = needle.constant dense_resource<weights> : tensor<2xf32> -> tensor<2xf32>
  // CHECK: needle.constant dense<> : tensor<0x4xf32> -> tensor<0x4xf32>
  %5 = needle.constant dense<> : tensor<0x4xf32> -> tensor<0x4xf32>
  // The storage of u8 is a signless i8.
  // CHECK: needle.constant dense<-1> : tensor<3xi8> -> tensor<3x!quant.uniform<u8:f32, 5.000000e-01:128>>
  %6 = needle.constant dense<-1> : tensor<3xi8> -> tensor<3x!quant.uniform<u8:f32, 0.5:128>>
  return
}

// CHECK-LABEL: func @matmul
func.func @matmul(%x: tensor<?x8xf32>, %w: tensor<8x4xf32>, %b: tensor<4xf32>,
                  %xt: tensor<8x?xf32>, %wt: tensor<4x8xf32>) {
  // CHECK: needle.matmul %{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<8x4xf32> -> tensor<?x4xf32>
  %0 = needle.matmul %x, %w : tensor<?x8xf32>, tensor<8x4xf32> -> tensor<?x4xf32>
  // CHECK: needle.matmul %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<4xf32>) {activation = #needle.activation<relu>} : tensor<?x8xf32>, tensor<8x4xf32> -> tensor<?x4xf32>
  %1 = needle.matmul %x, %w bias(%b : tensor<4xf32>) {activation = #needle.activation<relu>}
      : tensor<?x8xf32>, tensor<8x4xf32> -> tensor<?x4xf32>
  // CHECK: needle.matmul %{{.*}}, %{{.*}} {transpose_lhs, transpose_rhs} : tensor<8x?xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  %2 = needle.matmul %xt, %wt {transpose_lhs, transpose_rhs}
      : tensor<8x?xf32>, tensor<4x8xf32> -> tensor<?x4xf32>
  return
}

!u8 = !quant.uniform<u8:f32, 0.25:3>
!out = !quant.uniform<u8:f32, 0.5>
!w = !quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25, 0.125, 2.0}>
!wt = !quant.uniform<i8<-127:127>:f32:0, {0.5, 0.25, 0.125, 2.0}>

// CHECK-LABEL: func @qmatmul
func.func @qmatmul(%x: tensor<?x8x!u8>, %w: tensor<8x4x!w>, %wt: tensor<4x8x!wt>,
                   %b: tensor<4xf32>, %bi: tensor<4xi32>, %q: tensor<?x8xui8>,
                   %r: tensor<8x4xsi8>, %s: tensor<f32>, %z: tensor<i32>) {
  // CHECK: needle.qmatmul %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<4xf32>) {activation = #needle.activation<relu>} : tensor<?x8x!quant.uniform<u8:f32, 2.500000e-01:3>>, tensor<8x4x!quant.uniform<i8<-127:127>:f32:1, {5.000000e-01,2.500000e-01,1.250000e-01,2.000000e+00}>> -> tensor<?x4x!quant.uniform<u8:f32, 5.000000e-01>>
  %0 = needle.qmatmul %x, %w bias(%b : tensor<4xf32>) {activation = #needle.activation<relu>}
      : tensor<?x8x!u8>, tensor<8x4x!w> -> tensor<?x4x!out>
  // CHECK: needle.qmatmul %{{.*}}, %{{.*}} {transpose_rhs} : {{.*}} -> tensor<?x4xf32>
  %1 = needle.qmatmul %x, %wt {transpose_rhs} : tensor<?x8x!u8>, tensor<4x8x!wt> -> tensor<?x4xf32>
  // CHECK: needle.qmatmul %{{.*}}, %{{.*}} bias(%{{.*}} : tensor<4xi32>) : {{.*}} -> tensor<?x4xi32>
  %2 = needle.qmatmul %x, %w bias(%bi : tensor<4xi32>) : tensor<?x8x!u8>, tensor<8x4x!w> -> tensor<?x4xi32>
  // CHECK: needle.qmatmul %{{.*}}, %{{.*}} lhs_params(%{{.*}}, %{{.*}} : tensor<f32>, tensor<i32>) : tensor<?x8xui8>, {{.*}} -> tensor<?x4xf32>
  %3 = needle.qmatmul %q, %w lhs_params(%s, %z : tensor<f32>, tensor<i32>)
      : tensor<?x8xui8>, tensor<8x4x!w> -> tensor<?x4xf32>
  // CHECK: needle.qmatmul %{{.*}}, %{{.*}} lhs_params(%{{.*}}, %{{.*}} : tensor<f32>, tensor<i32>) rhs_params(%{{.*}}, %{{.*}} : tensor<f32>, tensor<i32>) bias(%{{.*}} : tensor<4xi32>) : tensor<?x8xui8>, tensor<8x4xsi8> -> tensor<?x4xi32>
  %4 = needle.qmatmul %q, %r lhs_params(%s, %z : tensor<f32>, tensor<i32>)
      rhs_params(%s, %z : tensor<f32>, tensor<i32>) bias(%bi : tensor<4xi32>)
      : tensor<?x8xui8>, tensor<8x4xsi8> -> tensor<?x4xi32>
  return
}

// CHECK-LABEL: func @elementwise
func.func @elementwise(%x: tensor<?x8xf32>, %y: tensor<8xf32>) {
  // CHECK: needle.add %{{.*}}, %{{.*}} : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
  %0 = needle.add %x, %y : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
  // CHECK: needle.sub
  %1 = needle.sub %x, %y : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
  // CHECK: needle.mul
  %2 = needle.mul %x, %y : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
  // CHECK: needle.div
  %3 = needle.div %y, %x : tensor<8xf32>, tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: needle.maximum
  %4 = needle.maximum %x, %y : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
  // CHECK: needle.minimum
  %5 = needle.minimum %x, %y : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
  // CHECK: needle.relu %{{.*}} : tensor<?x8xf32> -> tensor<?x8xf32>
  %6 = needle.relu %x : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: needle.neg
  %7 = needle.neg %x : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: needle.abs
  %8 = needle.abs %x : tensor<?x8xf32> -> tensor<?x8xf32>
  // CHECK: needle.sqrt
  %9 = needle.sqrt %x : tensor<?x8xf32> -> tensor<?x8xf32>
  return
}

// CHECK-LABEL: func @shape
func.func @shape(%x: tensor<?x28x28xf32>, %w: tensor<8x4x!w>) {
  // CHECK: needle.transpose %{{.*}} {permutation = array<i64: 2, 0, 1>} : tensor<?x28x28xf32> -> tensor<28x?x28xf32>
  %0 = needle.transpose %x {permutation = array<i64: 2, 0, 1>} : tensor<?x28x28xf32> -> tensor<28x?x28xf32>
  // The axis of a per-axis type moves along.
  // CHECK: needle.transpose %{{.*}} {permutation = array<i64: 1, 0>} : {{.*}} -> tensor<4x8x!quant.uniform<i8<-127:127>:f32:0,
  %1 = needle.transpose %w {permutation = array<i64: 1, 0>} : tensor<8x4x!w> -> tensor<4x8x!wt>
  // CHECK: needle.reshape %{{.*}} : tensor<?x28x28xf32> -> tensor<?x784xf32>
  %2 = needle.reshape %x : tensor<?x28x28xf32> -> tensor<?x784xf32>
  return
}

// CHECK-LABEL: func @quantization
func.func @quantization(%x: tensor<?x4xf32>) {
  // CHECK: needle.quantize %{{.*}} : tensor<?x4xf32> -> tensor<?x4x!quant.uniform<u8:f32, 2.500000e-01:3>>
  %0 = needle.quantize %x : tensor<?x4xf32> -> tensor<?x4x!u8>
  // CHECK: needle.dequantize %{{.*}} : tensor<?x4x!quant.uniform<u8:f32, 2.500000e-01:3>> -> tensor<?x4xf32>
  %1 = needle.dequantize %0 : tensor<?x4x!u8> -> tensor<?x4xf32>
  // CHECK: %{{.*}}, %{{.*}}, %{{.*}} = needle.quantize_dynamic %{{.*}} : tensor<?x4xf32> -> tensor<?x4xui8>, tensor<f32>, tensor<i32>
  %q, %s, %z = needle.quantize_dynamic %x : tensor<?x4xf32> -> tensor<?x4xui8>, tensor<f32>, tensor<i32>
  // CHECK: needle.dequantize %{{.*}} params(%{{.*}}, %{{.*}} : tensor<f32>, tensor<i32>) : tensor<?x4xui8> -> tensor<?x4xf32>
  %2 = needle.dequantize %q params(%s, %z : tensor<f32>, tensor<i32>) : tensor<?x4xui8> -> tensor<?x4xf32>
  // CHECK: needle.requantize %{{.*}} : tensor<?x4x!quant.uniform<u8:f32, 2.500000e-01:3>> -> tensor<?x4x!quant.uniform<u8:f32, 5.000000e-01>>
  %3 = needle.requantize %0 : tensor<?x4x!u8> -> tensor<?x4x!out>
  // CHECK: needle.fake_quantize %{{.*}} {type = !quant.uniform<u8:f32, 5.000000e-01>} : tensor<?x4xf32> -> tensor<?x4xf32>
  %4 = needle.fake_quantize %x {type = !out} : tensor<?x4xf32> -> tensor<?x4xf32>
  // CHECK: needle.observe %{{.*}} {id = 0 : i64} : tensor<?x4xf32> -> tensor<?x4xf32>
  %5 = needle.observe %x {id = 0 : i64} : tensor<?x4xf32> -> tensor<?x4xf32>
  // CHECK: needle.observe %{{.*}} {id = 1 : i64, max = 6.000000e+00 : f64, min = -1.500000e+00 : f64}
  %6 = needle.observe %x {id = 1 : i64, min = -1.5 : f64, max = 6.0 : f64} : tensor<?x4xf32> -> tensor<?x4xf32>
  return
}

{-#
  dialect_resources: {
    builtin: {
      weights: "0x040000000000803F00000040"
    }
  }
#-}
