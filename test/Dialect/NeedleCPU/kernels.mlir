// RUN: needle-opt %s | needle-opt | FileCheck %s

// CHECK-LABEL: needle_cpu.map_kernel @add {
// CHECK-NEXT: ^bb0(%[[A:.*]]: f32, %[[B:.*]]: f32):
// CHECK-NEXT: %[[SUM:.*]] = arith.addf %[[A]], %[[B]]
// CHECK-NEXT: needle_cpu.yield %[[SUM]] : f32
needle_cpu.map_kernel @add {
^bb0(%a: f32, %b: f32):
  %sum = arith.addf %a, %b : f32
  needle_cpu.yield %sum : f32
}

// CHECK: needle_cpu.map_kernel @fill scalars 1 {
needle_cpu.map_kernel @fill scalars 1 {
^bb0(%s: i8):
  needle_cpu.yield %s : i8
}

// CHECK: needle_cpu.reduce_kernel @sum identity 0.000000e+00 wide {
needle_cpu.reduce_kernel @sum identity 0.0 wide {
^bb0(%a: f32, %b: f32):
  %sum = arith.addf %a, %b : f32
  needle_cpu.yield %sum : f32
}

// CHECK: needle_cpu.contraction_kernel @float(f32, f32) -> f32
needle_cpu.contraction_kernel @float (f32, f32) -> f32
// CHECK: needle_cpu.contraction_kernel @bytes(ui8, si8) -> f32 bias
needle_cpu.contraction_kernel @bytes (ui8, si8) -> f32 bias
