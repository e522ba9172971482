// Passes on the needle dialect.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_TRANSFORMS_PASSES_TD
#define NEEDLE_DIALECT_NEEDLE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

// Which operations are quantized; the same for observing and for quantizing.
defvar IncludeOption = ListOption<"include", "include", "std::string",
  "Glob patterns: quantize only the operations with a matching name "
  "(all, when the list is empty)">;
defvar ExcludeOption = ListOption<"exclude", "exclude", "std::string",
  "Glob patterns: leave the operations with a matching name in float; wins "
  "over include">;

def InsertObserversPass : Pass<"needle-insert-observers", "::mlir::ModuleOp"> {
  let summary = "Mark the values whose range calibration has to learn";
  let description = [{
    Puts a `needle.observe` behind every value that is an activation operand of
    an operation with `QuantizableOpInterface`. A value has one observe, which
    all these operands share; other users keep the value itself, and so stay
    exact. Ids are counted up in the order of the operations, leaving out those
    that the module already uses.

    A result is observed exactly where it is an activation operand of another
    quantizable operation, that is behind its bias and activation function; the
    results of a model stay float. A constant is not observed (its range is that
    of its values), nor is the result of a `needle.dequantize`.

    ```mlir
    // before
    %h = needle.relu %g : tensor<?x256xf32> -> tensor<?x256xf32>
    %y = needle.matmul %h, %w : tensor<?x256xf32>, tensor<256x10xf32> -> tensor<?x10xf32>
    // after
    %h = needle.relu %g : tensor<?x256xf32> -> tensor<?x256xf32>
    %o = needle.observe %h {id = 1 : i64} : tensor<?x256xf32> -> tensor<?x256xf32>
    %y = needle.matmul %o, %w : tensor<?x256xf32>, tensor<256x10xf32> -> tensor<?x10xf32>
    ```

    The name of an operation is its attribute `needle.op_name` or else the
    `loc("name")` in its location. A pattern that matches no quantizable
    operation is an error that lists the names there are.
  }];
  let options = [IncludeOption, ExcludeOption];
  let statistics = [
    Statistic<"numObservers", "num-observers", "Number of observes inserted">];
  let dependentDialects = ["::needle::NeedleDialect"];
}

def ExposeObservedPass : Pass<"needle-expose-observed", "::mlir::ModuleOp"> {
  let summary = "Turn observed values into additional function results";
  let description = [{
    Each observed value becomes an additional result of its function, in the
    order of the observes, with the result attribute `needle.observed` = id; the
    observe itself is erased. Calibration compiles this module, runs it, and
    sets the ranges that it saw on the observes of the original module.

    ```mlir
    // before
    func.func @main(%x: tensor<?x4xf32>) -> tensor<?x2xf32> {
      %o = needle.observe %x {id = 0 : i64} : tensor<?x4xf32> -> tensor<?x4xf32>
      %y = needle.matmul %o, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
      return %y : tensor<?x2xf32>
    }
    // after
    func.func @main(%x: tensor<?x4xf32>) -> (tensor<?x2xf32>, tensor<?x4xf32> {needle.observed = 0 : i64}) {
      %y = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
      return %y, %x : tensor<?x2xf32>, tensor<?x4xf32>
    }
    ```

    It is an error if an id occurs twice, if an observe lies in a nested region
    or a function of several blocks, or if its function is used by another
    operation: inline calls first.
  }];
  let statistics = [
    Statistic<"numExposed", "num-exposed", "Number of results added">];
}

def QuantizePass : Pass<"needle-quantize", "::mlir::ModuleOp"> {
  let summary = "Quantize the operands of quantizable operations";
  let description = [{
    Rounds the operands of operations with `QuantizableOpInterface` to integers,
    in pairs that leave the operation itself in float; `needle-fuse-quantized`
    then builds the integer form.

    Static mode, an observed activation: parameters from its range by N2.

    ```mlir
    // before
    %o = needle.observe %x {id = 0 : i64, min = 0.0 : f64, max = 31.875 : f64} : tensor<?x4xf32> -> tensor<?x4xf32>
    // after
    %q = needle.quantize %x : tensor<?x4xf32> -> tensor<?x4x!quant.uniform<u8:f32, 0.125>>
    %o = needle.dequantize %q : tensor<?x4x!quant.uniform<u8:f32, 0.125>> -> tensor<?x4xf32>
    ```

    Dynamic mode, any activation: parameters computed when the program runs.

    ```mlir
    %q, %s, %z = needle.quantize_dynamic %x : tensor<?x4xf32> -> tensor<?x4xui8>, tensor<f32>, tensor<i32>
    %o = needle.dequantize %q params(%s, %z : tensor<f32>, tensor<i32>) : tensor<?x4xui8> -> tensor<?x4xf32>
    ```

    Constants, as weight or as activation, in both modes: parameters from their
    values by N2 (per axis: for each index along the axis that the interface
    names), rounded by N1 at compile time.

    ```mlir
    // before
    %w = needle.constant dense_resource<fc1> : tensor<4x2xf32> -> tensor<4x2xf32>
    // after
    %c = needle.constant dense_resource<fc1_int8> : tensor<4x2xi8> -> tensor<4x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>>
    %w = needle.dequantize %c : tensor<4x2x!quant.uniform<i8<-127:127>:f32:1, {0.5, 0.25}>> -> tensor<4x2xf32>
    ```

    An operation is quantized as a whole or not at all. One that is not keeps its
    float operands and gets the attribute `needle.not_quantized` = "why"; so does
    one on weights that has no integer form, `needle.conv_transpose2d`. A value
    or weight that several operations use is quantized once; users that are not
    quantized keep the float value. No `needle.observe` is left.

    An activation whose range nobody measured is an error, or, with
    `allow-uncalibrated`, a reason to leave its operation in float. Names and
    patterns are those of `needle-insert-observers`.
  }];
  let options = [
    Option<"mode", "mode", "::needle::QuantizationMode",
      "::needle::QuantizationMode::Static",
      "When the parameters of activations are computed", [{::llvm::cl::values(
        clEnumValN(::needle::QuantizationMode::Static, "static",
          "at compile time, from the ranges on needle.observe"),
        clEnumValN(::needle::QuantizationMode::Dynamic, "dynamic",
          "at run time, from the values"))}]>,
    Option<"activationType", "activation-type", "::needle::ActivationType",
      "::needle::ActivationType::UInt8",
      "Type of quantized activations", [{::llvm::cl::values(
        clEnumValN(::needle::ActivationType::UInt8, "uint8",
          "8 bits, asymmetric"),
        clEnumValN(::needle::ActivationType::None, "none",
          "stay float: only weights are quantized"))}]>,
    Option<"weightType", "weight-type", "::needle::WeightType",
      "::needle::WeightType::Int8",
      "Type of quantized weights", [{::llvm::cl::values(
        clEnumValN(::needle::WeightType::Int8, "int8",
          "8 bits, symmetric, -127 to 127"),
        clEnumValN(::needle::WeightType::UInt8, "uint8",
          "8 bits, asymmetric"),
        clEnumValN(::needle::WeightType::None, "none",
          "stay float: only activations are quantized"))}]>,
    Option<"weightGranularity", "weight-granularity",
      "::needle::WeightGranularity", "::needle::WeightGranularity::PerAxis",
      "What shares one pair of parameters", [{::llvm::cl::values(
        clEnumValN(::needle::WeightGranularity::PerAxis, "per-axis",
          "each output channel, where the operation allows"),
        clEnumValN(::needle::WeightGranularity::PerTensor, "per-tensor",
          "the whole weight"))}]>,
    IncludeOption, ExcludeOption,
    Option<"allowUncalibrated", "allow-uncalibrated", "bool", "false",
      "Leave an operation with an unmeasured activation in float instead of "
      "failing (static mode)">];
  let statistics = [
    Statistic<"numQuantized", "num-quantized", "Operations quantized">,
    Statistic<"numSkipped", "num-skipped", "Operations left in float">,
    Statistic<"numConstants", "num-constants", "Constants quantized">];
  let dependentDialects = ["::needle::NeedleDialect"];
}

def FuseEpiloguePass : Pass<"needle-fuse-epilogue"> {
  let summary = "Fuse bias and activation function into matrix multiplications";
  let description = [{
    Makes the addition of a bias behind a `needle.matmul`, and then the activation
    function `relu`, part of the operation.

    ```mlir
    // before
    %m = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
    %a = needle.add %m, %b : tensor<?x2xf32>, tensor<2xf32> -> tensor<?x2xf32>
    %y = needle.relu %a : tensor<?x2xf32> -> tensor<?x2xf32>
    // after
    %y = needle.matmul %x, %w bias(%b : tensor<2xf32>) {activation = #needle.activation<relu>}
       : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
    ```

    The bias is any value of shape N or 1×N, N static, on either side of the
    sum; it must not broadcast along N (a scalar), vary along M, or have a
    dynamic dimension. Every intermediate value must have no other user. Exact:
    `needle.matmul` adds its bias in f32 after the sum and then applies the
    activation, as the separate operations do, so no bit changes.
  }];
  let statistics = [
    Statistic<"numBiases", "num-biases", "Number of biases fused">,
    Statistic<"numActivations", "num-activations",
      "Number of activation functions fused">];
  let dependentDialects = ["::needle::NeedleDialect"];
}

def FuseQuantizedPass : Pass<"needle-fuse-quantized"> {
  let summary = "Build the integer form of operations on dequantized operands";
  let description = [{
    Replaces an operation with `QuantizableOpInterface` all of whose quantizable
    operands are results of `needle.dequantize` by the integer form that the
    interface builds. If the result has a single user and that is a
    `needle.quantize` with per-tensor parameters, the integer form requantizes
    itself.

    ```mlir
    // before
    %x = needle.dequantize %xq : tensor<?x4x!quant.uniform<u8:f32, 0.125>> -> tensor<?x4xf32>
    %w = needle.dequantize %wq : tensor<4x2x!quant.uniform<i8<-127:127>:f32, 0.5>> -> tensor<4x2xf32>
    %y = needle.matmul %x, %w : tensor<?x4xf32>, tensor<4x2xf32> -> tensor<?x2xf32>
    %q = needle.quantize %y : tensor<?x2xf32> -> tensor<?x2x!quant.uniform<u8:f32, 0.25>>
    // after
    %q = needle.qmatmul %xq, %wq
       : tensor<?x4x!quant.uniform<u8:f32, 0.125>>, tensor<4x2x!quant.uniform<i8<-127:127>:f32, 0.5>>
       -> tensor<?x2x!quant.uniform<u8:f32, 0.25>>
    ```

    A `needle.quantize` whose operand is a `needle.dequantize` becomes a
    `needle.requantize`, which is the same by definition. Other pairs of quantize
    and dequantize, around float operations, stay: they are part of the
    program's meaning. How far the integer form may differ from the float one
    is N8.

    Where it does not apply, the operation gets the attribute `needle.not_fused` =
    "why", which names the operand, unless `needle.not_quantized` says already why
    it is float. Where only the requantization does not fit, the `needle.quantize`
    gets the attribute.
  }];
  let statistics = [
    Statistic<"numFused", "num-fused", "Integer forms built">,
    Statistic<"numRequantized", "num-requantized",
      "Integer forms that requantize their result">,
    Statistic<"numNotFused", "num-not-fused", "Operations left in float">];
  let dependentDialects = ["::needle::NeedleDialect"];
}

def PrintQuantizationReportPass
    : Pass<"needle-print-quantization-report", "::mlir::ModuleOp"> {
  let summary = "Print the precision of each operation and why it is float";
  let description = [{
    Writes one line for each needle operation except constants to standard
    error: name, operation, precision, and for a quantizable operation that is
    float the reason. The module is not changed.

    ```
    fc1          needle.qmatmul u8, i8 -> u8
    fc2          needle.matmul  f32            not quantized: excluded by 'fc2'
    ```
  }];
}

#endif // NEEDLE_DIALECT_NEEDLE_TRANSFORMS_PASSES_TD
