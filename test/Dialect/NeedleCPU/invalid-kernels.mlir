// RUN: needle-opt %s -split-input-file -verify-diagnostics

// expected-error @below {{has 2 scalars, but its body takes 1 arguments}}
needle_cpu.map_kernel @scalars scalars 2 {
^bb0(%x: f32):
  needle_cpu.yield %x : f32
}

// -----

// expected-error @below {{computes nothing}}
needle_cpu.map_kernel @nothing {
^bb0(%x: f32):
  "needle_cpu.yield"() : () -> ()
}

// -----

// expected-error @below {{takes 'index', but elements are f32, f64 or integers}}
needle_cpu.map_kernel @argument {
^bb0(%x: index):
  %0 = arith.constant 0.0 : f32
  needle_cpu.yield %0 : f32
}

// -----

// expected-error @below {{stores 'i1', but elements are f32, f64 or integers}}
needle_cpu.map_kernel @bits {
^bb0(%x: f32):
  %0 = arith.cmpf oeq, %x, %x : f32
  needle_cpu.yield %0 : i1
}

// -----

needle_cpu.map_kernel @memory {
^bb0(%x: f32):
  // expected-error @below {{is not elementwise; the body of a kernel is computed on vectors of elements}}
  %0 = vector.broadcast %x : f32 to vector<4xf32>
  needle_cpu.yield %x : f32
}

// -----

needle_cpu.map_kernel @half {
^bb0(%x: f32):
  // expected-error @below {{computes 'f16', but elements are f32, f64 or integers}}
  %0 = arith.truncf %x : f32 to f16
  needle_cpu.yield %x : f32
}

// -----

needle_cpu.map_kernel @erf {
^bb0(%x: f32):
  // expected-error @below {{'math.erf' op on 'f32' is not supported in kernels; supported are arith operations except remf, math.absf, math.sqrt, and on f32 math.exp, math.log, math.powf and math.tanh}}
  %0 = math.erf %x : f32
  needle_cpu.yield %0 : f32
}

// -----

needle_cpu.map_kernel @floor {
^bb0(%x: f32):
  // expected-error @below {{'math.floor' op on 'f32' is not supported in kernels}}
  %0 = math.floor %x : f32
  needle_cpu.yield %0 : f32
}

// -----

needle_cpu.map_kernel @exp_of_f64 {
^bb0(%x: f64):
  // expected-error @below {{'math.exp' op on 'f64' is not supported in kernels}}
  %0 = math.exp %x : f64
  needle_cpu.yield %0 : f64
}

// -----

needle_cpu.map_kernel @remainder {
^bb0(%a: f32, %b: f32):
  // expected-error @below {{'arith.remf' op on 'f32' is not supported in kernels}}
  %0 = arith.remf %a, %b : f32
  needle_cpu.yield %0 : f32
}

// -----

needle_cpu.reduce_kernel @wide_power identity 1.0 wide {
^bb0(%a: f32, %b: f32):
  // expected-error @below {{'math.powf' op on 'f32' is not supported in wide reductions}}
  %0 = math.powf %a, %b : f32
  needle_cpu.yield %0 : f32
}

// -----

// expected-error @below {{combines two f32 to one}}
needle_cpu.reduce_kernel @one identity 0.0 {
^bb0(%x: f32):
  needle_cpu.yield %x : f32
}

// -----

// expected-error @below {{combines two f32 to one}}
needle_cpu.reduce_kernel @integers identity 0.0 {
^bb0(%a: i32, %b: i32):
  needle_cpu.yield %a : i32
}

// -----

needle_cpu.reduce_kernel @wide identity 0.0 wide {
^bb0(%a: f32, %b: f32):
  // expected-error @below {{is f32; the body of a wide reduction is computed in f64 as well}}
  %0 = arith.constant 1.0 : f32
  needle_cpu.yield %0 : f32
}

// -----

// expected-error @below {{multiplies f32, or ui8 and si8, to f32; got ('f32', 'ui8') -> 'f32'}}
needle_cpu.contraction_kernel @mixed (f32, ui8) -> f32

// -----

// expected-error @below {{got ('ui8', 'ui8') -> 'i32'}}
needle_cpu.contraction_kernel @sums (ui8, ui8) -> i32
