// Operations that compute each element by itself.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#ifndef NEEDLE_DIALECT_NEEDLE_IR_ELEMENTWISEOPS_TD
#define NEEDLE_DIALECT_NEEDLE_IR_ELEMENTWISEOPS_TD

include "needle/Dialect/Needle/IR/NeedleOpBase.td"

/// The result's shape is that to which the operands broadcast.
class Needle_BroadcastingOp<string mnemonic, list<Trait> traits = []>
    : Needle_InferredOp<mnemonic, traits> {
  let results = (outs Needle_FloatTensor:$result);
  let extraClassDefinition = [{
    ::llvm::LogicalResult $cppClass::inferReturnTypes(
        ::mlir::MLIRContext *context, ::std::optional<::mlir::Location> location,
        ::mlir::ValueRange operands, ::mlir::DictionaryAttr,
        ::mlir::OpaqueProperties, ::mlir::RegionRange,
        ::llvm::SmallVectorImpl<::mlir::Type> &inferredReturnTypes) {
      auto shape = ::needle::inferBroadcastShape(location, getOperationName(),
                                                 operands, operandRoles);
      if (::mlir::failed(shape))
        return ::mlir::failure();
      inferredReturnTypes.push_back(::mlir::RankedTensorType::get(
          *shape, ::mlir::Float32Type::get(context)));
      return ::mlir::success();
    }
    ::needle::ShapeRule $cppClass::getShapeRule() {
      return ::needle::ShapeRule::broadcast(getOperands(), operandRoles, getResult());
    }
  }];
}

class Needle_BinaryOp<string mnemonic, list<Trait> traits = []>
    : Needle_BroadcastingOp<mnemonic, traits> {
  let arguments = (ins Needle_FloatTensor:$lhs, Needle_FloatTensor:$rhs);
  let extraClassDeclaration = inferenceDeclaration # [{
    static constexpr ::llvm::StringLiteral operandRoles[] = {"lhs", "rhs"};
  }];
  let assemblyFormat =
      "$lhs `,` $rhs attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)";
  string broadcastDescription = [{

    Operands broadcast as in NumPy: shapes are aligned at their last dimension
    and a dimension that is statically 1 stretches. A dynamic dimension never
    stretches.

    ```mlir
    %z = needle.}] # mnemonic # [{ %x, %y : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
    ```
  }];
}

class Needle_UnaryOp<string mnemonic, list<Trait> traits = []>
    : Needle_SameTypeOp<mnemonic, traits> {
  let arguments = (ins Needle_FloatTensor:$operand);
  string example = [{

    ```mlir
    %y = needle.}] # mnemonic # [{ %x : tensor<?x8xf32> -> tensor<?x8xf32>
    ```
  }];
}

def Needle_AddOp : Needle_BinaryOp<"add", [Commutative]> {
  let summary = "elementwise f32 sum";
  let description = [{
    IEEE f32 addition, rounded to nearest, ties to even (N7).
  }] # broadcastDescription;
  let hasFolder = 1;
}
def Needle_SubOp : Needle_BinaryOp<"sub"> {
  let summary = "elementwise f32 difference";
  let description = [{
    IEEE f32 subtraction, rounded to nearest, ties to even (N7).
  }] # broadcastDescription;
  let hasFolder = 1;
}
def Needle_MulOp : Needle_BinaryOp<"mul", [Commutative]> {
  let summary = "elementwise f32 product";
  let description = [{
    IEEE f32 multiplication, rounded to nearest, ties to even (N7).
  }] # broadcastDescription;
  let hasFolder = 1;
}
def Needle_DivOp : Needle_BinaryOp<"div"> {
  let summary = "elementwise f32 quotient";
  let description = [{
    IEEE f32 division, rounded to nearest, ties to even (N7). x / 0 is infinite
    or, for x zero or NaN, NaN.
  }] # broadcastDescription;
  let hasFolder = 1;
}
def Needle_MaximumOp : Needle_BinaryOp<"maximum", [Commutative]> {
  let summary = "elementwise f32 maximum";
  let description = [{
    IEEE 754-2019 maximum (N7): NaN if either operand is NaN, +0 is above −0.
  }] # broadcastDescription;
  let hasFolder = 1;
}
def Needle_MinimumOp : Needle_BinaryOp<"minimum", [Commutative]> {
  let summary = "elementwise f32 minimum";
  let description = [{
    IEEE 754-2019 minimum (N7): NaN if either operand is NaN, −0 is below +0.
  }] # broadcastDescription;
  let hasFolder = 1;
}

def Needle_ReluOp : Needle_UnaryOp<"relu"> {
  let summary = "rectified linear unit";
  let description = [{
    `maximum(operand, +0)` (N5): NaN stays NaN, −0 becomes +0.
  }] # example;
  let hasFolder = 1;
}
def Needle_NegOp : Needle_UnaryOp<"neg"> {
  let summary = "elementwise negation";
  let description = [{
    Flips the sign bit, of NaN and zero too; exact (N7).
  }] # example;
  let hasFolder = 1;
}
def Needle_AbsOp : Needle_UnaryOp<"abs"> {
  let summary = "elementwise magnitude";
  let description = [{
    Clears the sign bit; exact (N7).
  }] # example;
  let hasFolder = 1;
}
def Needle_SqrtOp : Needle_UnaryOp<"sqrt"> {
  let summary = "elementwise square root";
  let description = [{
    IEEE f32 square root, correctly rounded (N7): NaN below zero, −0 stays −0.
  }] # example;
  let hasFolder = 1;
}


/// A function whose values compiled code computes by an expansion of its own.
/// Nothing is folded: the bits of a constant would be others.
class Needle_ExpandedOp<string mnemonic, string function>
    : Needle_UnaryOp<mnemonic> {
  let summary = "elementwise " # function;
}

def Needle_ExpOp : Needle_ExpandedOp<"exp", "e^x"> {
  let description = [{
    e to the power of the operand (N7): the reference interpreter rounds the value
    once, compiled code is within 1 ulp of the exact one. Results may be denormal.
  }] # example;
}
def Needle_LogOp : Needle_ExpandedOp<"log", "natural logarithm"> {
  let description = [{
    The natural logarithm (N7): the reference interpreter rounds the value once,
    compiled code is within 1 ulp of the exact one. −inf of ±0, NaN below zero.
  }] # example;
}
def Needle_TanhOp : Needle_ExpandedOp<"tanh", "hyperbolic tangent"> {
  let description = [{
    The hyperbolic tangent (N7): the reference interpreter rounds the value once,
    compiled code is within 2 ulp of the exact one. −0 stays −0.
  }] # example;
}
def Needle_SigmoidOp : Needle_ExpandedOp<"sigmoid", "logistic function"> {
  let description = [{
    1 / (1 + e^−x), evaluated so that nothing overflows (N7): the reference
    interpreter rounds the value once, compiled code is within 3 ulp of the exact
    one.
  }] # example;
}

def Needle_PowerOp : Needle_BinaryOp<"power"> {
  let summary = "elementwise lhs to the power of rhs";
  let description = [{
    `lhs^rhs` with the special cases of C99 and NumPy: x^0 and 1^y are 1, of NaN
    too; a negative base under a fraction is NaN (N7). The reference interpreter
    rounds the value once, compiled code is within 1 ulp of the exact one.
  }] # broadcastDescription;
  let hasCanonicalizer = 1;
}

def Needle_CompareOp : Needle_BinaryOp<"compare"> {
  let summary = "elementwise comparison, 1 where it holds and else 0";
  let description = [{
    `predicate` is one of `eq`, `ne`, `lt`, `le`, `gt`, `ge`. With a NaN only `ne`
    holds; −0 equals +0. Operands broadcast as in `needle.add`.

    ```mlir
    %z = needle.compare %x, %y {predicate = #needle.predicate<lt>} : tensor<?x8xf32>, tensor<8xf32> -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$lhs, Needle_FloatTensor:$rhs,
    Needle_PredicateAttr:$predicate);
  let hasFolder = 1;
}

def Needle_SelectOp : Needle_BroadcastingOp<"select"> {
  let summary = "elementwise choice between two tensors";
  let description = [{
    `on_true` where `condition` is not zero, `on_false` where it is (±0); NaN is not
    zero. The chosen element keeps its bits. All three broadcast as in
    `needle.add`.

    ```mlir
    %z = needle.select %c, %x, %y : tensor<?x8xf32>, tensor<8xf32>, tensor<f32> -> tensor<?x8xf32>
    ```
  }];
  let arguments = (ins Needle_FloatTensor:$condition,
    Needle_FloatTensor:$on_true, Needle_FloatTensor:$on_false);
  let assemblyFormat = [{
    $condition `,` $on_true `,` $on_false attr-dict
    `:` type($condition) `,` type($on_true) `,` type($on_false) `->` type($result)
  }];
  let extraClassDeclaration = inferenceDeclaration # [{
    static constexpr ::llvm::StringLiteral operandRoles[] = {
        "condition", "on_true", "on_false"};
  }];
  let hasFolder = 1;
}

#endif // NEEDLE_DIALECT_NEEDLE_IR_ELEMENTWISEOPS_TD
