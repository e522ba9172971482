// RUN: needle-opt %s --needle-cpu-emit-entry --split-input-file --verify-diagnostics

llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @main(%n: i64) {
  // expected-error@+1 {{needs the external function 'malloc', which generated code cannot reach}}
  %0 = llvm.call @malloc(%n) : (i64) -> !llvm.ptr
  llvm.return
}

// -----

llvm.func @callback()
llvm.func @main() -> !llvm.ptr {
  // expected-error@+1 {{needs the external function 'callback', which generated code cannot reach}}
  %0 = llvm.mlir.addressof @callback : !llvm.ptr
  llvm.return %0 : !llvm.ptr
}

// -----

// expected-error@+1 {{is not constant: generated code has no data of its own}}
llvm.mlir.global internal @counter(0 : i64) : i64

// -----

// expected-error@+1 {{has no function 'main.shapes'}}
llvm.func @main() attributes {needle.signature = {inputs = [], outputs = []}} {
  llvm.return
}

// -----

llvm.func @main.shapes() -> i64 {
  %0 = llvm.mlir.constant(0 : i64) : i64
  llvm.return %0 : i64
}
llvm.func @main.arena(%threads: i64) -> i64 {
  llvm.return %threads : i64
}
// expected-error@+1 {{has not been lowered as its signature says}}
llvm.func @main(%x: i64) attributes {needle.signature = {inputs = [], outputs = []}} {
  llvm.return
}

// -----

// expected-error@+1 {{attribute 'needle.signature' must be}}
llvm.func @main() attributes {needle.signature = {}} {
  llvm.return
}
