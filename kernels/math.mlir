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

// 1 / (1 + exp(-x)): exp overflows to infinity where the result is 0.
needle_cpu.map_kernel @sigmoid {
^bb0(%x: f32):
  %one = arith.constant 1.0 : f32
  %n = arith.negf %x : f32
  %e = math.exp %n : f32
  %d = arith.addf %one, %e : f32
  %r = arith.divf %one, %d : f32
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
