// RUN: needle-opt %s --needle-cpu-build-plan --split-input-file --verify-diagnostics

// expected-error@+1 {{is not supported as an entry point: argument 0 must be a ranked tensor, but is 'f32'}}
func.func @argument(%x: f32) {
  return
}

// -----

// expected-error@+1 {{is not supported as an entry point: result 0 must be a ranked tensor, but is 'tensor<*xf32>'}}
func.func @result(%x: tensor<4xf32>) -> tensor<*xf32> {
  %0 = tensor.cast %x : tensor<4xf32> to tensor<*xf32>
  return %0 : tensor<*xf32>
}

// -----

// expected-error@+1 {{is not supported as an entry point: control flow}}
func.func @control(%x: tensor<4xf32>) -> tensor<4xf32> {
  cf.br ^bb1
^bb1:
  return %x : tensor<4xf32>
}

// -----

func.func @recursive(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'func.call' op is not supported in an entry point: the callee cannot be inlined}}
  %0 = call @recursive(%x) : (tensor<4xf32>) -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

func.func @unknown(%x: tensor<?xf32>) -> tensor<?xf32> {
  // expected-error@+1 {{'math.exp' op is not supported in an entry point: no rule tells the shape of its result at run time}}
  %0 = math.exp %x : tensor<?xf32>
  return %0 : tensor<?xf32>
}

// -----

func.func @scalar(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'arith.constant' op is not supported in an entry point: its result is not a ranked tensor}}
  %0 = arith.constant 1.0 : f32
  return %x : tensor<4xf32>
}

// -----

// expected-error@+1 {{is not supported as an entry point: the name 'main.run' that belongs to it is taken}}
func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}
func.func private @main.run(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// expected-error@+1 {{has two inputs that are named 'x'}}
func.func @inputs(%x: tensor<4xf32> {needle.name = "x"}, %y: tensor<4xf32> {needle.name = "x"}) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// expected-error@+1 {{has two outputs that are named 'y'}}
func.func @outputs(%x: tensor<4xf32>) -> (tensor<4xf32> {needle.name = "y"}, tensor<4xf32> {needle.name = "y"}) {
  return %x, %x : tensor<4xf32>, tensor<4xf32>
}

// -----

// The result's shape is known, but nothing says that the operand has that much.
func.func @slice(%x: tensor<?xf32>) -> tensor<400000xf32> {
  // expected-error@+1 {{'tensor.extract_slice' op is not supported in an entry point: no rule tells which shapes its operands must have at run time}}
  %0 = tensor.extract_slice %x[0] [400000] [1] : tensor<?xf32> to tensor<400000xf32>
  return %0 : tensor<400000xf32>
}

// -----

#map = affine_map<(i) -> (i)>
func.func @generic(%x: tensor<?xf32>, %y: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'linalg.generic' op is not supported in an entry point: no rule tells which shapes its operands must have at run time}}
  %0 = linalg.generic {indexing_maps = [#map, #map], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%y : tensor<4xf32>) {
  ^bb0(%a: f32, %b: f32):
    linalg.yield %a : f32
  } -> tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// The region reads what is no operand, where the data say.
#map = affine_map<(i) -> (i)>
func.func @capture(%x: tensor<4xi32>, %y: tensor<?xi32>) -> tensor<4xi32> {
  // expected-error@+1 {{'linalg.generic' op is not supported in an entry point: its region does more than compute on scalars}}
  %0 = linalg.generic {indexing_maps = [#map], iterator_types = ["parallel"]}
      outs(%x : tensor<4xi32>) {
  ^bb0(%a: i32):
    %i = arith.index_cast %a : i32 to index
    %b = tensor.extract %y[%i] : tensor<?xi32>
    linalg.yield %b : i32
  } -> tensor<4xi32>
  return %0 : tensor<4xi32>
}

// -----

func.func @generate(%x: tensor<?xf32>) -> tensor<400000xf32> {
  // expected-error@+1 {{'tensor.generate' op is not supported in an entry point: its region does more than compute on scalars}}
  %0 = tensor.generate {
  ^bb0(%i: index):
    %a = tensor.extract %x[%i] : tensor<?xf32>
    tensor.yield %a : f32
  } : tensor<400000xf32>
  return %0 : tensor<400000xf32>
}

// -----

func.func @unreachable(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'llvm.unreachable' op is not supported in an entry point, which must end with func.return}}
  llvm.unreachable
}

// -----

// expected-error@+1 {{is not supported as an entry point: its name has a control character or starts with 'llvm.'}}
func.func @"\01main"(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// expected-error@+1 {{is not supported as an entry point: its name has a control character or starts with 'llvm.'}}
func.func @llvm.sqrt(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: the element type must be f32, i32, si8, ui8 or a uniform quantized type, but is 'f64'}}
func.func @float(%x: tensor<4xf64>) -> tensor<4xf64> {
  return %x : tensor<4xf64>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: the element type must be f32, i32, si8, ui8 or a uniform quantized type, but is 'i8'}}
func.func @signless(%x: tensor<4xi8>) -> tensor<4xi8> {
  return %x : tensor<4xi8>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: '!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>' must be uniform, per tensor or per axis}}
func.func @calibrated(%x: tensor<4x!quant.calibrated<f32<-1.0:1.0>>>) -> tensor<4x!quant.calibrated<f32<-1.0:1.0>>> {
  return %x : tensor<4x!quant.calibrated<f32<-1.0:1.0>>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: '!quant.any<i8:f32>' must be uniform, per tensor or per axis}}
func.func @any(%x: tensor<4x!quant.any<i8:f32>>) -> tensor<4x!quant.any<i8:f32>> {
  return %x : tensor<4x!quant.any<i8:f32>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: storage type of '!quant.uniform<i16:f32, 5.000000e-01>' must have 8 bits}}
func.func @storage(%x: tensor<4x!quant.uniform<i16:f32, 0.5>>) -> tensor<4x!quant.uniform<i16:f32, 0.5>> {
  return %x : tensor<4x!quant.uniform<i16:f32, 0.5>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: expressed type of '!quant.uniform<i8:f64, 5.000000e-01>' must be f32}}
func.func @expressed(%x: tensor<4x!quant.uniform<i8:f64, 0.5>>) -> tensor<4x!quant.uniform<i8:f64, 0.5>> {
  return %x : tensor<4x!quant.uniform<i8:f64, 0.5>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: zero point 300 of '!quant.uniform<i8:f32, 5.000000e-01:300>' is outside the storage range [-128, 127]}}
func.func @zero_point(%x: tensor<4x!quant.uniform<i8:f32, 0.5:300>>) -> tensor<4x!quant.uniform<i8:f32, 0.5:300>> {
  return %x : tensor<4x!quant.uniform<i8:f32, 0.5:300>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: scale of '!quant.uniform<i8:f32, 1.000000e-01>' is not an f32 value}}
func.func @scale(%x: tensor<4x!quant.uniform<i8:f32, 0.1>>) -> tensor<4x!quant.uniform<i8:f32, 0.1>> {
  return %x : tensor<4x!quant.uniform<i8:f32, 0.1>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: scale of '!quant.uniform<i8:f32, 0x7FF8000000000000>' must be positive and finite, got nan}}
func.func @nan(%x: tensor<4x!quant.uniform<i8:f32, 0x7FF8000000000000>>) {
  return
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: axis 1 of}}
func.func @axis(%x: tensor<4x!quant.uniform<i8:f32:1, {0.5, 0.25}>>) -> tensor<4x!quant.uniform<i8:f32:1, {0.5, 0.25}>> {
  return %x : tensor<4x!quant.uniform<i8:f32:1, {0.5, 0.25}>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: dimension 0 must be static}}
func.func @dynamic_axis(%x: tensor<?x!quant.uniform<i8:f32:0, {0.5, 0.25}>>) -> tensor<?x!quant.uniform<i8:f32:0, {0.5, 0.25}>> {
  return %x : tensor<?x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: '!quant.uniform<i8:f32:0, {5.000000e-01,2.500000e-01}>' has 2 scales, but dimension 0 is 4}}
func.func @count(%x: tensor<4x!quant.uniform<i8:f32:0, {0.5, 0.25}>>) -> tensor<4x!quant.uniform<i8:f32:0, {0.5, 0.25}>> {
  return %x : tensor<4x!quant.uniform<i8:f32:0, {0.5, 0.25}>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: result 0: '!quant.calibrated<f32<-1.000000e+00:1.000000e+00>>' must be uniform}}
func.func @calibrated_result(%x: tensor<4xf32>) -> tensor<4x!quant.calibrated<f32<-1.0:1.0>>> {
  %0 = builtin.unrealized_conversion_cast %x : tensor<4xf32> to tensor<4x!quant.calibrated<f32<-1.0:1.0>>>
  return %0 : tensor<4x!quant.calibrated<f32<-1.0:1.0>>>
}

// -----

// expected-error@+1 {{is not supported as an entry point: its name is empty}}
func.func @""(%x: tensor<4xf32>) -> tensor<4xf32> {
  return %x : tensor<4xf32>
}

// -----

func.func @arith(%x: tensor<4xf32>) -> tensor<4xf32> {
  // expected-error@+1 {{'arith.addf' op is not supported in an entry point: operations on tensors must be of the dialects needle, linalg or tensor, or arith.constant}}
  %0 = arith.addf %x, %x : tensor<4xf32>
  return %0 : tensor<4xf32>
}

// -----

// Equal constants count once; that of arith counts, too.
func.func @first() -> tensor<2147483648xf32> {
  %0 = needle.constant dense<1.0> : tensor<2147483648xf32> -> tensor<2147483648xf32>
  return %0 : tensor<2147483648xf32>
}
func.func @second() -> (tensor<2147483648xf32>, tensor<2147483648xf32>, tensor<1xf32>) {
  %0 = needle.constant dense<1.0> : tensor<2147483648xf32> -> tensor<2147483648xf32>
  %1 = needle.constant dense<2.0> : tensor<2147483648xf32> -> tensor<2147483648xf32>
  // expected-error@+1 {{'arith.constant' op makes the constants of the module larger than 16 GiB}}
  %2 = arith.constant dense<3.0> : tensor<1xf32>
  return %0, %1, %2 : tensor<2147483648xf32>, tensor<2147483648xf32>, tensor<1xf32>
}

// -----

// expected-error@+1 {{is not supported as an entry point: argument 0: 'tensor<4611686018427387904x?xi32>' is larger than any memory}}
func.func @size(%x: tensor<4611686018427387904x?xi32>) -> tensor<4611686018427387904x?xi32> {
  return %x : tensor<4611686018427387904x?xi32>
}
