// RUN: needle-opt %s --convert-needle-to-linalg | FileCheck %s

// CHECK-LABEL: func @dense
// CHECK: needle_cpu.weight dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32> -> tensor<2xf32>
func.func @dense() -> tensor<2xf32> {
  %0 = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  return %0 : tensor<2xf32>
}

// A resource stays a resource.
// CHECK-LABEL: func @resource
// CHECK: needle_cpu.weight dense_resource<w> : tensor<4xi8> -> tensor<4xi8>
func.func @resource() -> tensor<4x!quant.uniform<i8:f32, 0.5>> {
  %0 = needle.constant dense_resource<w> : tensor<4xi8> -> tensor<4x!quant.uniform<i8:f32, 0.5>>
  return %0 : tensor<4x!quant.uniform<i8:f32, 0.5>>
}

// Integers become signless, their bits stay.
// CHECK-LABEL: func @signedness
// CHECK: needle_cpu.weight dense<[0, 127, -128, -1]> : tensor<4xi8> -> tensor<4xi8>
// CHECK: needle_cpu.weight dense<-1> : tensor<2xi8> -> tensor<2xi8>
// CHECK: needle_cpu.weight dense_resource<w> : tensor<4xi8> -> tensor<4xi8>
func.func @signedness() -> (tensor<4xui8>, tensor<2xsi8>, tensor<4xui8>) {
  %0 = needle.constant dense<[0, 127, 128, 255]> : tensor<4xui8> -> tensor<4xui8>
  %1 = needle.constant dense<-1> : tensor<2xsi8> -> tensor<2xsi8>
  %2 = needle.constant dense_resource<w> : tensor<4xui8> -> tensor<4xui8>
  return %0, %1, %2 : tensor<4xui8>, tensor<2xsi8>, tensor<4xui8>
}

// CHECK-LABEL: func @other_kinds
// CHECK: needle_cpu.weight dense<3> : tensor<i32> -> tensor<i32>
// CHECK: needle_cpu.weight dense<> : tensor<0x3xf32> -> tensor<0x3xf32>
func.func @other_kinds() -> (tensor<i32>, tensor<0x3xf32>) {
  %0 = needle.constant dense<3> : tensor<i32> -> tensor<i32>
  %1 = needle.constant dense<> : tensor<0x3xf32> -> tensor<0x3xf32>
  return %0, %1 : tensor<i32>, tensor<0x3xf32>
}

{-#
  dialect_resources: {
    builtin: {
      w: "0x0400000001020304"
    }
  }
#-}
