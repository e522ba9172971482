//===- GraphBuilder.cpp - C API: building a module ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle-c/GraphBuilder.h"

#include "Module.h"
#include "mlir/AsmParser/AsmParser.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "needle/Frontend/GraphBuilder.h"
#include "needle/Frontend/ParseModule.h"
#include "needle/Frontend/SourceLocation.h"

using namespace mlir;
using namespace needle;
using namespace needle::capi;

struct NeedleGraphBuilder {
  explicit NeedleGraphBuilder(const char *name)
      : session(Session::create()), builder(&session->context, name) {}

  std::shared_ptr<Session> session;
  GraphBuilder builder;
  bool isBuilt = false;
  llvm::SmallVector<Value> values;
  std::unique_ptr<TensorDescription> described;
  NdlTensorInfo info = {};

  NeedleValue add(Value value) {
    values.push_back(value);
    return static_cast<NeedleValue>(values.size()) - 1;
  }
  bool has(NeedleValue value) const {
    return value >= 0 && static_cast<size_t>(value) < values.size();
  }
  Location locate(const NeedleLocation *location) {
    SourceLocation source;
    if (location) {
      source.file = location->file ? location->file : "";
      source.name = location->name ? location->name : "";
      source.line = location->line;
      source.column = location->column;
    }
    return makeLocation(&session->context, source);
  }
};

/// Parses a piece of MLIR text with `parse`; an error at `loc` has the parser's
/// words and the text.
template <typename Result>
static FailureOr<Result>
readText(StringRef text, Location loc,
         llvm::function_ref<Result(StringRef, MLIRContext *)> parse) {
  if (findExcessiveNesting(text))
    return emitError(loc) << "brackets are nested more than " << kMaxNesting
                          << " deep";
  std::string reason;
  Result result;
  {
    ScopedDiagnosticHandler handler(loc.getContext(), [&](Diagnostic &error) {
      reason = error.str();
      return success();
    });
    result = parse(text, loc.getContext());
  }
  if (result)
    return result;
  return emitError(loc) << "in '" << text << "': " << reason;
}

/// The dimensions as MLIR has them, or an error at `loc`.
static FailureOr<SmallVector<int64_t>> readShape(ArrayRef<int64_t> dims,
                                                 Location loc) {
  SmallVector<int64_t> shape;
  for (int64_t dim : dims) {
    if (dim < 0 && dim != NDL_DYNAMIC)
      return emitError(loc) << "a dimension cannot be " << dim;
    shape.push_back(dim == NDL_DYNAMIC ? ShapedType::kDynamic : dim);
  }
  return shape;
}

/// The tensor type that the caller describes, or an error at `loc`.
static FailureOr<RankedTensorType> readType(const NeedleTensorType &type,
                                            Location loc) {
  if (!type.elementType || type.rank < 0 || (type.rank > 0 && !type.dims))
    return emitError(loc, "incomplete tensor type");
  FailureOr<Type> element = readText<Type>(
      type.elementType, loc, [](StringRef text, MLIRContext *context) {
        return parseType(text, context);
      });
  if (failed(element))
    return failure();
  if (!RankedTensorType::isValidElementType(*element))
    return emitError(loc) << "'" << type.elementType
                          << "' is not the type of a tensor's elements";
  FailureOr<SmallVector<int64_t>> shape =
      readShape(ArrayRef(type.dims, type.rank), loc);
  if (failed(shape))
    return failure();
  return RankedTensorType::get(*shape, *element);
}

/// The dictionary that the caller wrote, or an error at `loc`.
static FailureOr<DictionaryAttr> readAttributes(const char *text,
                                                Location loc) {
  if (!text || !*text)
    return DictionaryAttr::get(loc.getContext());
  FailureOr<Attribute> attribute =
      readText<Attribute>(text, loc, [](StringRef text, MLIRContext *context) {
        return parseAttribute(text, context);
      });
  if (failed(attribute))
    return failure();
  auto dictionary = dyn_cast<DictionaryAttr>(*attribute);
  if (!dictionary)
    return emitError(loc) << "'" << text << "' is not an attribute dictionary";
  return dictionary;
}

static NeedleStatus checkOpen(NeedleGraphBuilder *builder) {
  if (!builder)
    return failNull("builder");
  if (builder->isBuilt)
    return fail(NEEDLE_INVALID_ARGUMENT, "the graph has already been built");
  return NEEDLE_OK;
}

static NeedleStatus failUnknown(NeedleValue value) {
  return fail(NEEDLE_INVALID_ARGUMENT,
              "the graph has no value " + llvm::Twine(value));
}

NeedleStatus needle_graph_builder_create(const char *name,
                                         NeedleGraphBuilder **builder) {
  if (!builder)
    return failNull("builder");
  *builder = new NeedleGraphBuilder(name ? name : "");
  return NEEDLE_OK;
}

void needle_graph_builder_destroy(NeedleGraphBuilder *builder) {
  delete builder;
}

NeedleStatus needle_graph_input(NeedleGraphBuilder *builder, const char *name,
                                const NeedleTensorType *type,
                                const NeedleLocation *location,
                                NeedleValue *value) {
  if (NeedleStatus status = checkOpen(builder))
    return status;
  if (!type || !value)
    return failNull(type ? "value" : "type");
  return builder->session->run([&]() -> LogicalResult {
    Location loc = builder->locate(location);
    FailureOr<RankedTensorType> tensor = readType(*type, loc);
    if (failed(tensor))
      return failure();
    FailureOr<Value> input =
        builder->builder.input(name ? name : "", *tensor, loc);
    if (succeeded(input))
      *value = builder->add(*input);
    return input;
  });
}

NeedleStatus needle_graph_constant(NeedleGraphBuilder *builder,
                                   const NeedleTensorType *type,
                                   const void *data, size_t size,
                                   const NeedleLocation *location,
                                   NeedleValue *value) {
  if (NeedleStatus status = checkOpen(builder))
    return status;
  if (!type || !value || (!data && size > 0))
    return failNull(!type ? "type" : !value ? "value" : "data");
  return builder->session->run([&]() -> LogicalResult {
    Location loc = builder->locate(location);
    FailureOr<RankedTensorType> tensor = readType(*type, loc);
    if (failed(tensor))
      return failure();
    FailureOr<Value> constant = builder->builder.constant(
        location && location->name ? location->name : "", *tensor,
        ArrayRef(static_cast<const char *>(data), size), loc);
    if (succeeded(constant))
      *value = builder->add(*constant);
    return constant;
  });
}

NeedleStatus needle_graph_op(NeedleGraphBuilder *builder, const char *mnemonic,
                             const NeedleValue *operands, size_t numOperands,
                             const char *attributes,
                             const NeedleTensorType *resultTypes,
                             size_t numResultTypes,
                             const NeedleLocation *location,
                             NeedleValue *results, size_t numResults) {
  if (NeedleStatus status = checkOpen(builder))
    return status;
  if (!mnemonic || (!operands && numOperands > 0) ||
      (!resultTypes && numResultTypes > 0) || (!results && numResults > 0))
    return fail(NEEDLE_INVALID_ARGUMENT, "an argument of needle_graph_op is "
                                         "null");
  SmallVector<Value> values;
  for (NeedleValue operand : ArrayRef(operands, numOperands)) {
    if (!builder->has(operand))
      return failUnknown(operand);
    values.push_back(builder->values[operand]);
  }
  return builder->session->run([&]() -> LogicalResult {
    Location loc = builder->locate(location);
    FailureOr<DictionaryAttr> dictionary = readAttributes(attributes, loc);
    if (failed(dictionary))
      return failure();
    SmallVector<Type> types;
    for (const NeedleTensorType &type : ArrayRef(resultTypes, numResultTypes)) {
      FailureOr<RankedTensorType> tensor = readType(type, loc);
      if (failed(tensor))
        return failure();
      types.push_back(*tensor);
    }
    FailureOr<Operation *> op =
        builder->builder.op(mnemonic, values, *dictionary, types, loc);
    if (failed(op))
      return failure();
    if ((*op)->getNumResults() != numResults) {
      InFlightDiagnostic error = emitError(loc)
                                 << "'" << (*op)->getName() << "' has "
                                 << (*op)->getNumResults() << " results, not "
                                 << numResults;
      (*op)->erase();
      return error;
    }
    for (auto [i, result] : llvm::enumerate((*op)->getResults()))
      results[i] = builder->add(result);
    return success();
  });
}

NeedleStatus needle_graph_reshape(NeedleGraphBuilder *builder,
                                  NeedleValue operand, const int64_t *dims,
                                  int32_t rank, const NeedleLocation *location,
                                  NeedleValue *value) {
  if (NeedleStatus status = checkOpen(builder))
    return status;
  if (!value || rank < 0 || (!dims && rank > 0))
    return failNull(value ? "dims" : "value");
  if (!builder->has(operand))
    return failUnknown(operand);
  return builder->session->run([&]() -> LogicalResult {
    Location loc = builder->locate(location);
    FailureOr<SmallVector<int64_t>> shape =
        readShape(ArrayRef(dims, rank), loc);
    if (failed(shape))
      return failure();
    FailureOr<Value> result =
        builder->builder.reshape(builder->values[operand], *shape, loc);
    if (succeeded(result))
      *value = builder->add(*result);
    return result;
  });
}

NeedleStatus needle_graph_output(NeedleGraphBuilder *builder, const char *name,
                                 NeedleValue value,
                                 const NeedleLocation *location) {
  if (NeedleStatus status = checkOpen(builder))
    return status;
  if (!builder->has(value))
    return failUnknown(value);
  return builder->session->run([&] {
    return builder->builder.output(name ? name : "", builder->values[value],
                                   builder->locate(location));
  });
}

NeedleStatus needle_graph_value_info(NeedleGraphBuilder *builder,
                                     NeedleValue value,
                                     const NdlTensorInfo **info) {
  if (NeedleStatus status = checkOpen(builder))
    return status;
  if (!info)
    return failNull("info");
  if (!builder->has(value))
    return failUnknown(value);
  builder->described =
      std::make_unique<TensorDescription>("", builder->values[value].getType());
  builder->info = builder->described->info();
  *info = &builder->info;
  return NEEDLE_OK;
}

NeedleStatus needle_graph_build(NeedleGraphBuilder *builder,
                                const NeedleLocation *location,
                                NeedleModule **module) {
  if (NeedleStatus status = checkOpen(builder))
    return status;
  if (!module)
    return failNull("module");
  OwningOpRef<ModuleOp> built;
  NeedleStatus status = builder->session->run([&]() -> LogicalResult {
    FailureOr<OwningOpRef<ModuleOp>> result =
        builder->builder.build(builder->locate(location));
    if (succeeded(result))
      built = std::move(*result);
    return result;
  });
  if (status != NEEDLE_OK)
    return status;
  builder->isBuilt = true;
  builder->values.clear();
  *module = new NeedleModule(builder->session, std::move(built));
  return NEEDLE_OK;
}
