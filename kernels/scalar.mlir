// Elementwise functions of an array and one number.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

needle_cpu.map_kernel @scalar_add scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = arith.addf %x, %s : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_sub scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = arith.subf %x, %s : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_rsub scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = arith.subf %s, %x : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_mul scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = arith.mulf %x, %s : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_div scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = arith.divf %x, %s : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_rdiv scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = arith.divf %s, %x : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_maximum scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = arith.maximumf %x, %s : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_minimum scalars 1 {
^bb0(%x: f32, %s: f32):
  %r = arith.minimumf %x, %s : f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_eq scalars 1 {
^bb0(%x: f32, %s: f32):
  %c = arith.cmpf oeq, %x, %s : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_ne scalars 1 {
^bb0(%x: f32, %s: f32):
  %c = arith.cmpf une, %x, %s : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_ge scalars 1 {
^bb0(%x: f32, %s: f32):
  %c = arith.cmpf oge, %x, %s : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_gt scalars 1 {
^bb0(%x: f32, %s: f32):
  %c = arith.cmpf ogt, %x, %s : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_le scalars 1 {
^bb0(%x: f32, %s: f32):
  %c = arith.cmpf ole, %x, %s : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}

needle_cpu.map_kernel @scalar_lt scalars 1 {
^bb0(%x: f32, %s: f32):
  %c = arith.cmpf olt, %x, %s : f32
  %r = arith.uitofp %c : i1 to f32
  needle_cpu.yield %r : f32
}
