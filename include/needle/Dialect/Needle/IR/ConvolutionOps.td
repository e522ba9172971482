// Convolutions, float and integer, on images N x H x W x C.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_CONVOLUTIONOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_CONVOLUTIONOPS_TD

include "needle/Dialect/Needle/IR/NeedleOpBase.td"

/// Two numbers, for height and width.
class Needle_PairAttr<string default>
    : DefaultValuedAttr<DenseI64ArrayAttr, default>;
/// What is put around an image: top, bottom, left, right.
def Needle_PaddingAttr : DefaultValuedAttr<DenseI64ArrayAttr, "{0, 0, 0, 0}">;

def Needle_Conv2DOp : Needle_InferredOp<"conv2d", [
    Needle_EpilogueOpInterface,
    DeclareOpInterfaceMethods<Needle_QuantizableOpInterface>]> {
  let summary = "float convolution of images with bias and activation";
  let description = [{
    For input N×H×W×C and filter KH×KW×(C/groups)×O, with O divided into `groups`
    groups of neighbours as C is,

    `result[n, y, x, o] = activation(Σ input[n, y·sh + i·dh − top, x·sw + j·dw − left, c] · filter[i, j, c′, o] + bias[o])`

    over all i, j and the channels c of o's group, c′ counting them from 0. The
    filter is not mirrored. `strides` are sh and sw, `dilations` dh and dw,
    `padding` counts the zeros put on top, at the bottom, left and right. The
    result is N×OH×OW×O with OH = ⌊(H + top + bottom − (KH − 1)·dh − 1) / sh⌋ + 1
    and OW likewise; the kernel has to fit into the padded image.

    The sum is evaluated as that of `needle.matmul` over K = KH·KW·C/groups
    (N7, N8), whose terms on padding are left out or +0; the bias is added in f32
    after it, the activation comes last. With more than one group the channels
    are static, and KH and KW always are.

    ```mlir
    %y = needle.conv2d %x, %w bias(%b : tensor<16xf32>) {activation = #needle.activation<relu>, padding = array<i64: 1, 1, 1, 1>}
       : tensor<?x32x32x8xf32>, tensor<3x3x8x16xf32> -> tensor<?x32x32x16xf32>
    %z = needle.conv2d %x, %k {groups = 8 : i64, strides = array<i64: 2, 2>} : tensor<?x32x32x8xf32>, tensor<3x3x1x8xf32> -> tensor<?x15x15x8xf32>
    ```
  }];
  let arguments = (ins
    Needle_FloatTensor:$input, Needle_FloatTensor:$filter,
    Optional<Needle_FloatTensor>:$bias,
    Needle_PairAttr<"{1, 1}">:$strides, Needle_PaddingAttr:$padding,
    Needle_PairAttr<"{1, 1}">:$dilations,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    DefaultValuedAttr<Needle_ActivationAttr, "::needle::Activation::None">:$activation);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $filter (`bias` `(` $bias^ `:` type($bias) `)`)? attr-dict
    `:` type($input) `,` type($filter) `->` type($result)
  }];
}

def Needle_ConvTranspose2DOp : Needle_InferredOp<"conv_transpose2d", [
    Needle_EpilogueOpInterface, Needle_NoIntegerForm]> {
  let summary = "float transposed convolution of images with bias and activation";
  let description = [{
    Spreads each pixel of the input, weighted by the filter, over the result: for
    input N×H×W×C and filter KH×KW×C×O

    `result[n, y, x, o] = activation(Σ input[n, h, w, c] · filter[i, j, c, o] + bias[o])`

    over all c and all h, w, i, j with y = h·sh + i − top and x = w·sw + j − left,
    `strides` being sh and sw. `padding` counts the rows and columns cut off at the
    top, at the bottom, left and right, `output_padding` those added at the bottom
    and on the right, fewer than the stride. The result is N×OH×OW×O with
    OH = (H − 1)·sh − top − bottom + KH + output_padding, OW likewise. The filter
    is not mirrored; that of PyTorch and ONNX is C×O×KH×KW.

    Each element of the result is a sum as that of `needle.matmul` over the terms
    that meet in it, at most KH·KW·C (N7, N8); over none it is +0.

    ```mlir
    %y = needle.conv_transpose2d %x, %w bias(%b : tensor<8xf32>) {strides = array<i64: 2, 2>}
       : tensor<?x16x16x8xf32>, tensor<2x2x8x8xf32> -> tensor<?x32x32x8xf32>
    ```
  }];
  let arguments = (ins
    Needle_FloatTensor:$input, Needle_FloatTensor:$filter,
    Optional<Needle_FloatTensor>:$bias,
    Needle_PairAttr<"{1, 1}">:$strides, Needle_PaddingAttr:$padding,
    Needle_PairAttr<"{0, 0}">:$output_padding,
    DefaultValuedAttr<Needle_ActivationAttr, "::needle::Activation::None">:$activation);
  let results = (outs Needle_FloatTensor:$result);
  let assemblyFormat = [{
    $input `,` $filter (`bias` `(` $bias^ `:` type($bias) `)`)? attr-dict
    `:` type($input) `,` type($filter) `->` type($result)
  }];
}

def Needle_QConv2DOp : Needle_ShapedOp<"qconv2d", [AttrSizedOperandSegments]> {
  let summary = "integer convolution of images with rescale, bias, activation";
  let description = [{
    The convolution of `needle.conv2d` on quantized operands: `sum` is that of
    (input − input_zero_point)(filter − filter_zero_point), exact (N4), the terms
    on padding being zero: padding is the real 0. What follows, rescale, bias,
    activation and requantization, is that of `needle.qmatmul` (N5, N1), the
    columns being the O of the filter. Parameters are part of the type of an
    operand (`!quant.uniform`; the filter may be per axis along O), or operands:
    then the operand's element type is `ui8` or `si8`.

    ```mlir
    %y = needle.qconv2d %x, %w bias(%b : tensor<2xf32>) {activation = #needle.activation<relu>, padding = array<i64: 1, 1, 1, 1>}
       : tensor<?x8x8x4x!quant.uniform<u8:f32, 0.0078125:3>>, tensor<3x3x4x2x!quant.uniform<i8<-127:127>:f32:3, {0.5, 0.25}>>
       -> tensor<?x8x8x2x!quant.uniform<u8:f32, 0.015625>>
    %z = needle.qconv2d %q, %w input_params(%scale, %zp : tensor<f32>, tensor<i32>)
       : tensor<?x8x8x4xui8>, tensor<1x1x4x2x!quant.uniform<i8:f32, 0.5>> -> tensor<?x8x8x2xf32>
    ```
  }];
  let arguments = (ins
    Needle_QMatmulOperand:$input, Needle_QMatmulOperand:$filter,
    Optional<Needle_ScaleTensor>:$input_scale,
    Optional<Needle_ZeroPointTensor>:$input_zero_point,
    Optional<Needle_ScaleTensor>:$filter_scale,
    Optional<Needle_ZeroPointTensor>:$filter_zero_point,
    Optional<Needle_BiasTensor>:$bias,
    Needle_PairAttr<"{1, 1}">:$strides, Needle_PaddingAttr:$padding,
    Needle_PairAttr<"{1, 1}">:$dilations,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    DefaultValuedAttr<Needle_ActivationAttr, "::needle::Activation::None">:$activation);
  let results = (outs Needle_QMatmulResult:$result);
  let assemblyFormat = [{
    $input `,` $filter
    (`input_params` `(` $input_scale^ `,` $input_zero_point `:` type($input_scale) `,` type($input_zero_point) `)`)?
    (`filter_params` `(` $filter_scale^ `,` $filter_zero_point `:` type($filter_scale) `,` type($filter_zero_point) `)`)?
    (`bias` `(` $bias^ `:` type($bias) `)`)? attr-dict
    `:` type($input) `,` type($filter) `->` type($result)
  }];
  let hasVerifier = 1;
}

#endif // NEEDLE_DIALECT_NEEDLE_IR_CONVOLUTIONOPS_TD
