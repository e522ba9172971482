// Constant tensors.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_CONSTANTOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_CONSTANTOPS_TD

include "needle/Dialect/Needle/IR/NeedleOpBase.td"

def Needle_ConstantOp : Needle_Op<"constant", [ConstantLike]> {
  let summary = "constant tensor";
  let description = [{
    Weights are `dense_resource` attributes, so that text stays short. The value
    of a quantized constant holds the stored integers: its element type is the
    storage type (`i8`, signless, also for `u8`) of the result's quantized element
    type, and every integer lies in the storage range of that type. A resource
    has data, as many bytes as the type asks for.

    ```mlir
    %bias = needle.constant dense<[1.0, 2.0]> : tensor<2xf32> -> tensor<2xf32>
    %w = needle.constant dense<[[1, -2], [127, -127]]> : tensor<2x2xi8> -> tensor<2x2x!quant.uniform<i8<-127:127>:f32, 0.25>>
    ```
  }];
  let arguments = (ins ElementsAttr:$value);
  let results = (outs Needle_AnyTensor:$result);
  let assemblyFormat = "attr-dict $value `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

#endif // NEEDLE_DIALECT_NEEDLE_IR_CONSTANTOPS_TD
