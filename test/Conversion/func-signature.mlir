// RUN: needle-opt %s --convert-needle-to-linalg | FileCheck %s
// RUN: needle-opt %s --convert-needle-to-linalg | needle-opt --convert-needle-to-linalg | FileCheck %s

!u8 = !quant.uniform<u8:f32, 0.5:3>

// Types become those of the stored integers; the original ones are kept, and so
// are names.
// CHECK-LABEL: func @signature
// CHECK-SAME: (%{{.*}}: tensor<?x3xi8> {needle.name = "x", needle.type = tensor<?x3x!quant.uniform<u8:f32, 5.000000e-01:3>>},
// CHECK-SAME: %{{.*}}: tensor<2xi8> {needle.type = tensor<2xsi8>}, %{{.*}}: tensor<4xf32> {needle.type = tensor<4xf32>}, %{{.*}}: index)
// CHECK-SAME: -> (tensor<?x3xi8> {needle.name = "y", needle.type = tensor<?x3x!quant.uniform<u8:f32, 5.000000e-01:3>>}, index)
func.func @signature(%x: tensor<?x3x!u8> {needle.name = "x"}, %r: tensor<2xsi8>, %f: tensor<4xf32>, %i: index) -> (tensor<?x3x!u8> {needle.name = "y"}, index) {
  return %x, %i : tensor<?x3x!u8>, index
}

// CHECK: func private @declaration(tensor<4xi8> {needle.type = tensor<4xui8>})
func.func private @declaration(tensor<4xui8>)

// CHECK-LABEL: func @call
// CHECK: call @signature(%{{.*}}) : (tensor<?x3xi8>, tensor<2xi8>, tensor<4xf32>, index) -> (tensor<?x3xi8>, index)
func.func @call(%x: tensor<?x3x!u8>, %r: tensor<2xsi8>, %f: tensor<4xf32>, %i: index) -> tensor<?x3x!u8> {
  %0:2 = call @signature(%x, %r, %f, %i) : (tensor<?x3x!u8>, tensor<2xsi8>, tensor<4xf32>, index) -> (tensor<?x3x!u8>, index)
  return %0#0 : tensor<?x3x!u8>
}
