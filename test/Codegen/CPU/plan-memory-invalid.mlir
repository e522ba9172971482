// RUN: needle-opt %s --allow-unregistered-dialect --needle-cpu-plan-memory --split-input-file --verify-diagnostics

func.func @nested(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  scf.for %i = %c0 to %threads step %c1 {
    // expected-error@+1 {{'memref.alloc' op cannot be planned: it is executed conditionally or repeatedly}}
    %a = memref.alloc() : memref<4xf32>
  }
  return
}

// -----

func.func @layout(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  // expected-error@+1 {{cannot be planned: 'memref<4xf32, strided<[2]>>' has a layout or memory space}}
  %a = memref.alloc() : memref<4xf32, strided<[2]>>
  return
}

// -----

func.func @element(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  // expected-error@+1 {{cannot be planned: its element type is 'vector<4xf32>'}}
  %a = memref.alloc() : memref<4xvector<4xf32>>
  return
}

// -----

func.func @large(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  // expected-error@+1 {{is larger than any memory}}
  %a = memref.alloc() : memref<1099511627776x1099511627776xf32>
  "test.use"(%a) : (memref<1099511627776x1099511627776xf32>) -> ()
  return
}

// -----

func.func @data(%x: memref<1xindex>, %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<1xi32>}], outputs = []}} {
  %c0 = arith.constant 0 : index
  %d = memref.load %x[%c0] : memref<1xindex>
  // expected-error@+1 {{cannot be planned: its size does not follow from the dimensions of the inputs}}
  %a = memref.alloc(%d) : memref<?xf32>
  "test.use"(%a) : (memref<?xf32>) -> ()
  return
}

// -----

func.func @tensor(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  // expected-error@+1 {{must be a contiguous buffer here, but is 'tensor<2xf32>'}}
  %a = needle_cpu.weight dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
  return
}

// -----

func.func @missing(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  // expected-error@+1 {{cannot be stored: the resource 'nowhere' has no data}}
  %a = needle_cpu.weight dense_resource<nowhere> : tensor<2xf32> -> memref<2xf32>
  return
}

// -----

func.func @short(%arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [], outputs = []}} {
  // expected-error@+1 {{cannot be stored: the resource 'short' has 4 bytes instead of 8}}
  %a = needle_cpu.weight dense_resource<short> : tensor<2xf32> -> memref<2xf32>
  return
}
{-# dialect_resources: { builtin: { short: "0x040000000000803F" } } #-}

// -----

// expected-error@+1 {{attribute 'needle.signature' must be {inputs = […], outputs = […]} of {name = "…", type = tensor<…>}}}
func.func @signature() attributes {needle.signature = 1} {
  return
}

// -----

// expected-error@+1 {{attribute 'needle.signature' must be}}
func.func @type() attributes {needle.signature = {inputs = [{name = "x", type = f32}], outputs = []}} {
  return
}

// -----

// expected-error@+1 {{must have its 1 inputs and outputs and the arguments of needle-cpu-add-runtime-arguments}}
func.func @arguments(%x: memref<4xf32>) attributes {needle.signature = {inputs = [{name = "x", type = tensor<4xf32>}], outputs = []}} {
  return
}

// -----

// expected-error@+1 {{argument 0 is 'memref<5xf32>', but 'x' is 'tensor<4xf32>'}}
func.func @shape(%x: memref<5xf32>, %arena: memref<?xi8>, %weights: memref<?xi8>, %threads: index, %frame: !llvm.ptr)
    attributes {needle.signature = {inputs = [{name = "x", type = tensor<4xf32>}], outputs = []}} {
  return
}
