// Exponential functions, expanded by needle-expand-math.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

needle_cpu.map_kernel @exp {
^bb0(%x: f32):
  %r = math.exp %x : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @log {
^bb0(%x: f32):
  %r = math.log %x : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @tanh {
^bb0(%x: f32):
  %r = math.tanh %x : f32
  needle_cpu.yield %r : f32
}

// As needle.sigmoid, bit for bit: 1 / (1 + e^-x), and e^x / (1 + e^x) below 0.
needle_cpu.map_kernel @sigmoid {
^bb0(%x: f32):
  %zero = arith.constant 0.0 : f32
  %one = arith.constant 1.0 : f32
  %m = math.absf %x : f32
  %n = arith.negf %m : f32
  %e = math.exp %n : f32
  %below = arith.cmpf olt, %x, %zero : f32
  %p = arith.select %below, %e, %one : f32
  %d = arith.addf %one, %e : f32
  %r = arith.divf %p, %d : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @ewise_power {
^bb0(%a: f32, %b: f32):
  %r = math.powf %a, %b : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_power scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = math.powf %x, %s : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_rpower scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = math.powf %s, %x : f32
  needle_cpu.yield %r : f32
}
