//===- Interpreter.cpp - The oracle ---------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Walks a function, evaluates one operation after the other and holds every
// value against its type.
//
//===----------------------------------------------------------------------===//

#include "needle/Reference/Interpreter.h"
#include "Evaluator.h"
#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/STLExtras.h"

using namespace needle;
using namespace mlir;

EvaluatorRegistry::EvaluatorRegistry() {
  registerBlockwiseEvaluators(*this);
  registerConstantEvaluators(*this);
  registerContractionEvaluators(*this);
  registerConvolutionEvaluators(*this);
  registerElementwiseEvaluators(*this);
  registerMovingEvaluators(*this);
  registerReductionEvaluators(*this);
  registerShapeEvaluators(*this);
  registerQuantizationEvaluators(*this);
}

const EvaluatorRegistry::Evaluator *
EvaluatorRegistry::lookup(StringRef opName) const {
  auto it = evaluators.find(opName);
  return it == evaluators.end() ? nullptr : &it->second;
}

FailureOr<Tensor> needle::allocate(Operation *op, ElementKind kind,
                                   ArrayRef<int64_t> shape) {
  FailureOr<Tensor> tensor = Tensor::create(kind, shape);
  if (failed(tensor))
    op->emitOpError() << "result of shape [" << shape << "] and element type "
                      << stringifyElementKind(kind)
                      << " does not fit in memory";
  return tensor;
}

/// Checks what is known of `type` statically; errors start with `what`.
static LogicalResult checkFits(Operation *op, const Twine &what, Type type,
                               const Tensor &tensor) {
  auto tensorType = dyn_cast<RankedTensorType>(type);
  std::optional<ElementKind> kind =
      tensorType ? getElementKind(tensorType.getElementType()) : std::nullopt;
  if (!kind)
    return op->emitOpError()
           << what << ": the interpreter has no values of type " << type;
  if (tensor.getKind() != *kind)
    return op->emitOpError()
           << what << ": elements are "
           << stringifyElementKind(tensor.getKind()) << ", but " << type
           << " has " << stringifyElementKind(*kind);
  bool fits = tensor.getRank() == tensorType.getRank() &&
              llvm::all_of_zip(tensor.getShape(), tensorType.getShape(),
                               [](int64_t size, int64_t expected) {
                                 return ShapedType::isDynamic(expected) ||
                                        size == expected;
                               });
  if (!fits)
    return op->emitOpError() << what << ": shape [" << tensor.getShape()
                             << "] does not fit " << type;
  return success();
}

static const EvaluatorRegistry &getRegistry() {
  static const EvaluatorRegistry registry;
  return registry;
}

bool needle::canInterpret(StringRef opName) {
  return getRegistry().lookup(opName) != nullptr;
}

static LogicalResult evaluate(Operation *op, Environment &env) {
  StringRef name = op->getName().getStringRef();
  const EvaluatorRegistry::Evaluator *evaluator = getRegistry().lookup(name);
  if (!evaluator)
    return op->emitError() << "the reference interpreter cannot evaluate '"
                           << name << "'";
  FailureOr<Results> results = (*evaluator)(op, env);
  if (failed(results))
    return failure();
  for (auto [index, result] : llvm::enumerate(op->getResults())) {
    Tensor &tensor = (*results)[index];
    if (failed(
            checkFits(op, "result #" + Twine(index), result.getType(), tensor)))
      return failure();
    env.set(result, std::move(tensor));
  }
  return success();
}

static LogicalResult bindInputs(func::FuncOp func, ArrayRef<Tensor> inputs,
                                Environment &env) {
  if (func.isDeclaration() || !func.getBody().hasOneBlock())
    return func.emitOpError() << "must have a body of one block to be "
                                 "interpreted";
  if (inputs.size() != func.getNumArguments())
    return func.emitOpError() << "takes " << func.getNumArguments()
                              << " inputs, got " << inputs.size();
  for (auto [argument, input] : llvm::zip_equal(func.getArguments(), inputs)) {
    if (failed(checkFits(func, "input #" + Twine(argument.getArgNumber()),
                         argument.getType(), input)))
      return failure();
    env.set(argument, input);
  }
  return success();
}

FailureOr<SmallVector<Tensor>> needle::interpret(func::FuncOp func,
                                                 ArrayRef<Tensor> inputs) {
  Environment env;
  if (failed(bindInputs(func, inputs, env)))
    return failure();
  Block &body = func.getBody().front();
  for (Operation &op : body.without_terminator())
    if (failed(evaluate(&op, env)))
      return failure();
  auto returnOp = dyn_cast<func::ReturnOp>(body.getTerminator());
  if (!returnOp)
    return body.getTerminator()->emitError()
           << "the reference interpreter cannot evaluate '"
           << body.getTerminator()->getName() << "'";
  SmallVector<Tensor> results;
  for (Value value : returnOp.getOperands())
    results.push_back(env[value]);
  return std::move(results);
}
