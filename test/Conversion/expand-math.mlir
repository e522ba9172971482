// RUN: split-file %s %t
// RUN: needle-opt %t/f32.mlir --needle-expand-math --cse | FileCheck %t/f32.mlir --implicit-check-not='math.' --implicit-check-not=fastmath
// RUN: needle-opt %t/others.mlir --needle-expand-math | FileCheck %t/others.mlir

//--- f32.mlir

// The argument stays within the exponents of f32, NaN passes; the result is
// scaled in two steps, so that denormal results are rounded once.
// CHECK-LABEL: func.func @exp
// CHECK-SAME: (%[[X:.*]]: f32)
// CHECK: %[[LOW:.*]] = arith.constant -1.050000e+02 : f32
// CHECK: arith.cmpf ogt, %[[LOW]], %[[X]] : f32
// CHECK: %[[HALF:.*]] = arith.shrsi %{{.*}} : i32
// CHECK: %[[REST:.*]] = arith.subi %{{.*}}, %[[HALF]] : i32
// CHECK: %[[SCALED:.*]] = arith.mulf
// CHECK: %[[RESULT:.*]] = arith.mulf %[[SCALED]], %{{.*}} : f32
// CHECK: return %[[RESULT]]
func.func @exp(%x: f32) -> f32 {
  %0 = math.exp %x : f32
  return %0 : f32
}

// CHECK-LABEL: func.func @log
// CHECK: arith.shrui %{{.*}} : vector<4xi32>
// CHECK: arith.constant dense<0xFF800000> : vector<4xf32>
// CHECK: arith.constant dense<0x7FC00000> : vector<4xf32>
// CHECK: return %{{.*}} : vector<4xf32>
func.func @log(%x: vector<4xf32>) -> vector<4xf32> {
  %0 = math.log %x : vector<4xf32>
  return %0 : vector<4xf32>
}

// A fast-math flag has no effect.
// CHECK-LABEL: func.func @tanh
// CHECK: arith.divf %{{.*}} : vector<2x8xf32>
// CHECK: arith.ori %{{.*}} : vector<2x8xi32>
func.func @tanh(%x: vector<2x8xf32>) -> vector<2x8xf32> {
  %0 = math.tanh %x fastmath<fast> : vector<2x8xf32>
  return %0 : vector<2x8xf32>
}

// CHECK-LABEL: func.func @powf
// CHECK: arith.extf %{{.*}} : f32 to f64
// CHECK: arith.truncf %{{.*}} : f64 to f32
func.func @powf(%x: f32, %y: f32) -> f32 {
  %0 = math.powf %x, %y : f32
  return %0 : f32
}

//--- others.mlir

// Roots are instructions, and only f32 is expanded.
// CHECK-LABEL: func.func private @others
// CHECK-NEXT: math.sqrt %{{.*}} : f32
// CHECK-NEXT: math.exp %{{.*}} : f64
// CHECK-NEXT: math.powf %{{.*}} : f16
// CHECK-NEXT: math.log %{{.*}} : vector<4xbf16>
// CHECK-NEXT: return
func.func private @others(%a: f32, %b: f64, %c: f16, %d: vector<4xbf16>) -> (f32, f64, f16, vector<4xbf16>) {
  %0 = math.sqrt %a : f32
  %1 = math.exp %b : f64
  %2 = math.powf %c, %c : f16
  %3 = math.log %d : vector<4xbf16>
  return %0, %1, %2, %3 : f32, f64, f16, vector<4xbf16>
}
