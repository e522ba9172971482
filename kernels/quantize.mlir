// Quantization of arrays by the numeric rules of docs/Spec.md.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

// N1: round to even of x / scale, clamped first; NaN becomes the zero point.
// Adding 1.5 * 2^23 to a number of less than 2^22 leaves its nearest integer,
// ties to even, in the low bits of the sum.
needle_cpu.map_kernel @quantize_u8 scalars 2 {
^bb0(%x: f32, %scale: f32, %zero_point: i32):
  %quotient = arith.divf %x, %scale : f32
  %ordered = arith.cmpf ord, %quotient, %quotient : f32
  %zero = arith.constant 0.0 : f32
  %number = arith.select %ordered, %quotient, %zero : f32
  %qmin = arith.constant 0 : i32
  %qmax = arith.constant 255 : i32
  %low_i32 = arith.subi %qmin, %zero_point : i32
  %high_i32 = arith.subi %qmax, %zero_point : i32
  %low = arith.sitofp %low_i32 : i32 to f32
  %high = arith.sitofp %high_i32 : i32 to f32
  %above = arith.cmpf ogt, %number, %low : f32
  %at_least = arith.select %above, %number, %low : f32
  %below = arith.cmpf olt, %at_least, %high : f32
  %clamped = arith.select %below, %at_least, %high : f32
  %magic = arith.constant 12582912.0 : f32
  %magic_bits = arith.constant 0x4B400000 : i32
  %sum = arith.addf %clamped, %magic : f32
  %sum_bits = arith.bitcast %sum : f32 to i32
  %rounded = arith.subi %sum_bits, %magic_bits : i32
  %q = arith.addi %rounded, %zero_point : i32
  %stored = arith.trunci %q : i32 to i8
  needle_cpu.yield %stored : i8
}

// N3: the difference in integers, one multiplication.
needle_cpu.map_kernel @dequantize_u8 scalars 2 {
^bb0(%q: i8, %scale: f32, %zero_point: i32):
  %wide = arith.extui %q : i8 to i32
  %difference = arith.subi %wide, %zero_point : i32
  %number = arith.sitofp %difference : i32 to f32
  %r = arith.mulf %number, %scale : f32
  needle_cpu.yield %r : f32
}

// N2: the least and the greatest number, NaN left out, infinities as the
// greatest finite magnitude.
needle_cpu.reduce_kernel @range_min identity 0x7F7FFFFF {
^bb0(%a: f32, %x: f32):
  %least = arith.constant 0xFF7FFFFF : f32
  %less = arith.cmpf olt, %x, %a : f32
  %min = arith.select %less, %x, %a : f32
  %finite = arith.cmpf ogt, %min, %least : f32
  %r = arith.select %finite, %min, %least : f32
  needle_cpu.yield %r : f32
}

needle_cpu.reduce_kernel @range_max identity 0xFF7FFFFF {
^bb0(%a: f32, %x: f32):
  %greatest = arith.constant 0x7F7FFFFF : f32
  %more = arith.cmpf ogt, %x, %a : f32
  %max = arith.select %more, %x, %a : f32
  %finite = arith.cmpf olt, %max, %greatest : f32
  %r = arith.select %finite, %max, %greatest : f32
  needle_cpu.yield %r : f32
}
