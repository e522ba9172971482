// Elementwise functions of one or two arrays; comparisons give 0 or 1.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

needle_cpu.map_kernel @negate {
^bb0(%x: f32):
  %r = arith.negf %x : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @abs {
^bb0(%x: f32):
  %r = math.absf %x : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @sqrt {
^bb0(%x: f32):
  %r = math.sqrt %x : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @relu {
^bb0(%x: f32):
  %zero = arith.constant 0.0 : f32
  %r = arith.maximumf %x, %zero : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_add {
^bb0(%a: f32, %b: f32):
  %r = arith.addf %a, %b : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_sub {
^bb0(%a: f32, %b: f32):
  %r = arith.subf %a, %b : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_mul {
^bb0(%a: f32, %b: f32):
  %r = arith.mulf %a, %b : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_div {
^bb0(%a: f32, %b: f32):
  %r = arith.divf %a, %b : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_maximum {
^bb0(%a: f32, %b: f32):
  %r = arith.maximumf %a, %b : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_minimum {
^bb0(%a: f32, %b: f32):
  %r = arith.minimumf %a, %b : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_eq {
^bb0(%a: f32, %b: f32):
  %c = arith.cmpf oeq, %a, %b : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_ne {
^bb0(%a: f32, %b: f32):
  %c = arith.cmpf une, %a, %b : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_ge {
^bb0(%a: f32, %b: f32):
  %c = arith.cmpf oge, %a, %b : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_gt {
^bb0(%a: f32, %b: f32):
  %c = arith.cmpf ogt, %a, %b : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_le {
^bb0(%a: f32, %b: f32):
  %c = arith.cmpf ole, %a, %b : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_lt {
^bb0(%a: f32, %b: f32):
  %c = arith.cmpf olt, %a, %b : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

// The gradient %b where the input %a of relu is positive.
needle_cpu.map_kernel @relu_grad {
^bb0(%a: f32, %b: f32):
  %zero = arith.constant 0.0 : f32
  %c = arith.cmpf ogt, %a, %zero : f32
  %r = arith.select %c, %b, %zero : f32
  needle_cpu.yield %r : f32
}
