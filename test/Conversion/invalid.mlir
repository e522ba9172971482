// RUN: needle-opt %s --convert-needle-to-linalg --split-input-file --verify-diagnostics
// RUN: not needle-opt %s --convert-needle-to-linalg=panel=0 2>&1 | FileCheck %s --check-prefix=PANEL

// PANEL: error: convert-needle-to-linalg: the option panel must be positive, got 0

// expected-error @+1 {{'func.func' op cannot be converted to linalg: 'tensor<4x!quant.uniform<i4:f32, 5.000000e-01>>' is not stored in 8 bits}}
func.func @width(%x: tensor<4x!quant.uniform<i4:f32, 0.5>>) {
  return
}

// -----

func.func @foreign_operation(%x: tensor<4xf32>) {
  // expected-error @+1 {{'quant.qcast' op cannot be converted to linalg: only needle operations work on the type 'tensor<4x!quant.uniform<i8:f32, 5.000000e-01>>'}}
  %0 = quant.qcast %x : tensor<4xf32> to tensor<4x!quant.uniform<i8:f32, 0.5>>
  return
}

// -----

func.func @control_flow(%x: tensor<4xui8>, %c: i1) -> tensor<4xui8> {
  // expected-error @+1 {{'scf.if' op cannot be converted to linalg: only needle operations work on the type 'tensor<4xui8>'}}
  %0 = scf.if %c -> tensor<4xui8> {
    scf.yield %x : tensor<4xui8>
  } else {
    scf.yield %x : tensor<4xui8>
  }
  return %0 : tensor<4xui8>
}
