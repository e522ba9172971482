// RUN: needle-opt %s --split-input-file --verify-diagnostics --needle-expose-observed

func.func @same_id(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-note @below {{it is here}}
  %o = needle.observe %x {id = 3 : i64} : tensor<4xf32> -> tensor<4xf32>
  // expected-error @below {{another observe has the id 3 too}}
  %p = needle.observe %o {id = 3 : i64} : tensor<4xf32> -> tensor<4xf32>
  return %p : tensor<4xf32>
}

// -----

func.func @nested(%x: tensor<4xf32>, %c: i1) -> tensor<4xf32> {
  %y = scf.if %c -> tensor<4xf32> {
    // expected-error @below {{observe 1 cannot be exposed: it lies in a nested region or in a function of several blocks}}
    %o = needle.observe %x {id = 1 : i64} : tensor<4xf32> -> tensor<4xf32>
    scf.yield %o : tensor<4xf32>
  } else {
    scf.yield %x : tensor<4xf32>
  }
  return %y : tensor<4xf32>
}

// -----

func.func @blocks(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^next
^next:
  // expected-error @below {{observe 2 cannot be exposed: it lies in a nested region or in a function of several blocks}}
  %o = needle.observe %x {id = 2 : i64} : tensor<4xf32> -> tensor<4xf32>
  return %o : tensor<4xf32>
}

// -----

// expected-error @below {{'callee' has observed values, which cannot become results of it because other operations refer to it; inline its calls first}}
func.func private @callee(%x: tensor<4xf32>) -> tensor<4xf32> {
  %o = needle.observe %x {id = 0 : i64} : tensor<4xf32> -> tensor<4xf32>
  return %o : tensor<4xf32>
}
func.func @caller(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-note @below {{used here}}
  %y = func.call @callee(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %y : tensor<4xf32>
}

// -----

func.func @unreachable(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{observe 0 cannot be exposed: its function does not end with func.return}}
  %0 = needle.observe %x {id = 0 : i64} : tensor<4xf32> -> tensor<4xf32>
  // expected-note@+1 {{it ends here}}
  llvm.unreachable
}
