//===- LibraryModule.cpp - Tables and typed functions of a library --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SharedLibrary.h"
#include "SharedLibrarySupport.h"
#include "needle/Codegen/CPU/EntryPoint.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/IRBuilder.h"

using namespace needle;

std::string needle::getBodySymbol(const ndl::BodyModel &body,
                                  llvm::StringRef function) {
  // To linkers an @ in a symbol starts a version.
  std::string name = "needle." + body.target + ".";
  for (char c : function)
    name += c == '@' ? "%40" : c == '%' ? "%25" : std::string(1, c);
  return name;
}

namespace {

/// Emits the LLVM IR of a library's interface.
class LibraryEmitter {
public:
  LibraryEmitter(llvm::Module &module, const ndl::ArtifactModel &model)
      : module(module), model(model), builder(module.getContext()),
        pointer(builder.getPtrTy()), word(builder.getInt64Ty()) {}

  void emitTables();
  void emitGeneral(llvm::StringRef prefix);
  void emitFunction(const LibraryFunction &function);

private:
  using Constants = llvm::ArrayRef<llvm::Constant *>;

  llvm::Constant *constant(int64_t value) {
    return llvm::ConstantInt::getSigned(word, value);
  }
  llvm::Constant *addGlobal(llvm::Constant *value, unsigned alignment = 8);
  llvm::Constant *addText(llvm::StringRef text);
  llvm::Constant *addPointers(Constants values);
  llvm::Constant *addStruct(Constants values);
  llvm::Constant *getStruct(Constants values);
  llvm::Constant *addWeights(uint32_t index);
  llvm::FunctionCallee declare(llvm::StringRef name, llvm::Type *result,
                               llvm::ArrayRef<llvm::Type *> parameters);
  llvm::Function *define(const llvm::Twine &name, llvm::Type *result,
                         llvm::ArrayRef<llvm::Type *> parameters);
  llvm::Constant *emitEntry(const LibraryFunction &function);
  llvm::Value *storeArray(llvm::Type *element,
                          llvm::ArrayRef<llvm::Value *> values);
  void emitPlan(const LibraryFunction &function, llvm::Constant *entry);
  void emitRun(const LibraryFunction &function, llvm::Constant *entry);
  /// Reads the dimensions of inputs off the function's arguments, skipping the
  /// data pointers when there are some.
  llvm::Value *storeDims(const LibraryFunction &function,
                         llvm::Function::arg_iterator &argument, bool hasData,
                         llvm::SmallVectorImpl<llvm::Value *> &data);
  llvm::Value *allocatePlan(const LibraryFunction &function);

  llvm::Module &module;
  const ndl::ArtifactModel &model;
  llvm::IRBuilder<> builder;
  llvm::Type *pointer, *word;
  llvm::Constant *library = nullptr;
  std::vector<llvm::Constant *> weights;
};

int64_t countDims(const std::vector<LibraryParameter> &parameters) {
  int64_t count = 0;
  for (const LibraryParameter &parameter : parameters)
    count += parameter.tensor->dims.size();
  return count;
}

} // namespace

llvm::Constant *LibraryEmitter::addGlobal(llvm::Constant *value,
                                          unsigned alignment) {
  auto *global =
      new llvm::GlobalVariable(module, value->getType(), /*isConstant=*/true,
                               llvm::GlobalValue::PrivateLinkage, value);
  global->setAlignment(llvm::Align(alignment));
  return global;
}

llvm::Constant *LibraryEmitter::addText(llvm::StringRef text) {
  return addGlobal(
      llvm::ConstantDataArray::getString(module.getContext(), text), 1);
}

llvm::Constant *LibraryEmitter::addPointers(Constants values) {
  return addGlobal(llvm::ConstantArray::get(
      llvm::ArrayType::get(pointer, values.size()), values));
}

llvm::Constant *LibraryEmitter::getStruct(Constants values) {
  return llvm::ConstantStruct::getAnon(module.getContext(), values);
}

llvm::Constant *LibraryEmitter::addStruct(Constants values) {
  return addGlobal(getStruct(values));
}

llvm::Constant *LibraryEmitter::addWeights(uint32_t index) {
  if (index == ndl::BodyModel::noWeights)
    return llvm::ConstantPointerNull::get(builder.getPtrTy());
  weights.resize(model.weights.size());
  if (!weights[index]) {
    const std::vector<uint8_t> &bytes = model.weights[index];
    weights[index] = addGlobal(llvm::ConstantDataArray::get(
                                   module.getContext(), llvm::ArrayRef(bytes)),
                               NDL_ABI_ALIGNMENT);
  }
  return weights[index];
}

llvm::FunctionCallee
LibraryEmitter::declare(llvm::StringRef name, llvm::Type *result,
                        llvm::ArrayRef<llvm::Type *> parameters) {
  llvm::FunctionCallee callee = module.getOrInsertFunction(
      name, llvm::FunctionType::get(result, parameters, false));
  llvm::cast<llvm::Function>(callee.getCallee())
      ->setVisibility(llvm::GlobalValue::HiddenVisibility);
  return callee;
}

llvm::Function *
LibraryEmitter::define(const llvm::Twine &name, llvm::Type *result,
                       llvm::ArrayRef<llvm::Type *> parameters) {
  auto *function =
      llvm::Function::Create(llvm::FunctionType::get(result, parameters, false),
                             llvm::GlobalValue::ExternalLinkage, name, module);
  builder.SetInsertPoint(
      llvm::BasicBlock::Create(module.getContext(), "", function));
  return function;
}

void LibraryEmitter::emitTables() {
  llvm::SmallVector<llvm::Constant *> bodies, messages;
  for (const ndl::BodyModel &body : model.bodies)
    bodies.push_back(
        getStruct({addText(body.target), constant(int64_t(body.features)),
                   addWeights(body.weights)}));
  for (const ndl::MessageModel &message : model.messages)
    messages.push_back(addText(message.location.empty()
                                   ? message.text
                                   : message.location + ": " + message.text));
  llvm::Constant *bodyTable = addGlobal(llvm::ConstantArray::get(
      llvm::ArrayType::get(bodies.front()->getType(), bodies.size()), bodies));
  library = addStruct({bodyTable, constant(bodies.size()),
                       addPointers(messages), constant(messages.size())});
}

void LibraryEmitter::emitGeneral(llvm::StringRef prefix) {
  define(prefix + "_target", pointer, {});
  builder.CreateRet(builder.CreateCall(
      declare("needle_library_target", pointer, {pointer}), {library}));
  llvm::Type *code = builder.getInt32Ty();
  llvm::Function *error = define(prefix + "_error", pointer, {code});
  builder.CreateRet(builder.CreateCall(
      declare("needle_library_error", pointer, {pointer, code}),
      {library, error->getArg(0)}));
}

llvm::Constant *LibraryEmitter::emitEntry(const LibraryFunction &function) {
  llvm::SmallVector<llvm::Constant *> plans, runs;
  for (const ndl::BodyModel &body : model.bodies) {
    auto symbol = [&](llvm::StringRef suffix) {
      std::string name =
          getBodySymbol(body, function.entry->name + suffix.str());
      return llvm::cast<llvm::Constant>(
          declare(name, builder.getVoidTy(), {}).getCallee());
    };
    plans.push_back(symbol(cpu::planSuffix));
    runs.push_back(symbol(cpu::runSuffix));
  }
  return addStruct({library, addPointers(plans), addPointers(runs),
                    constant(countDims(function.inputs)),
                    constant(countDims(function.outputs))});
}

llvm::Value *LibraryEmitter::storeArray(llvm::Type *element,
                                        llvm::ArrayRef<llvm::Value *> values) {
  auto *type = llvm::ArrayType::get(element, values.size());
  llvm::Value *array = builder.CreateAlloca(type);
  for (auto [i, value] : llvm::enumerate(values))
    builder.CreateStore(value, builder.CreateConstGEP2_64(type, array, 0, i));
  return array;
}

llvm::Value *
LibraryEmitter::storeDims(const LibraryFunction &function,
                          llvm::Function::arg_iterator &argument, bool hasData,
                          llvm::SmallVectorImpl<llvm::Value *> &data) {
  llvm::SmallVector<llvm::Value *> dims;
  for (const LibraryParameter &input : function.inputs) {
    if (hasData)
      data.push_back(&*argument++);
    for (auto [dim, name] : llvm::zip_equal(input.tensor->dims, input.dims))
      dims.push_back(name.empty() ? static_cast<llvm::Value *>(constant(dim))
                                  : &*argument++);
  }
  return storeArray(word, dims);
}

llvm::Value *LibraryEmitter::allocatePlan(const LibraryFunction &function) {
  return builder.CreateAlloca(
      llvm::ArrayType::get(word, 1 + countDims(function.outputs)));
}

static unsigned countDynamic(const LibraryFunction &function) {
  unsigned count = 0;
  for (const LibraryParameter &input : function.inputs)
    count += llvm::count_if(
        input.dims, [](const std::string &name) { return !name.empty(); });
  return count;
}

void LibraryEmitter::emitPlan(const LibraryFunction &function,
                              llvm::Constant *entry) {
  llvm::SmallVector<llvm::Type *> types(countDynamic(function), word);
  types.append({pointer, pointer});
  llvm::Type *code = builder.getInt32Ty();
  llvm::Function *plan = define(function.name + "_plan", code, types);
  auto argument = plan->arg_begin();
  llvm::SmallVector<llvm::Value *> data;
  llvm::Value *dims = storeDims(function, argument, /*hasData=*/false, data);
  llvm::Value *outputDims = &*argument++, *arenaBytes = &*argument;
  builder.CreateRet(builder.CreateCall(
      declare("needle_library_plan", code,
              {pointer, pointer, pointer, pointer, pointer}),
      {entry, dims, allocatePlan(function), outputDims, arenaBytes}));
}

void LibraryEmitter::emitRun(const LibraryFunction &function,
                             llvm::Constant *entry) {
  llvm::SmallVector<llvm::Type *> types;
  for (const LibraryParameter &input : function.inputs) {
    types.push_back(pointer);
    for (const std::string &name : input.dims)
      if (!name.empty())
        types.push_back(word);
  }
  types.append(function.outputs.size() + 1, pointer);
  llvm::Type *code = builder.getInt32Ty();
  llvm::Function *run = define(function.name, code, types);
  auto argument = run->arg_begin();
  llvm::SmallVector<llvm::Value *> inputs, outputs;
  llvm::Value *dims = storeDims(function, argument, /*hasData=*/true, inputs);
  for (unsigned i = 0; i < function.outputs.size(); ++i)
    outputs.push_back(&*argument++);
  llvm::Value *inputArray = storeArray(pointer, inputs);
  llvm::Value *outputArray = storeArray(pointer, outputs);
  builder.CreateRet(builder.CreateCall(
      declare("needle_library_run", code,
              {pointer, pointer, pointer, pointer, pointer, pointer}),
      {entry, dims, allocatePlan(function), inputArray, outputArray,
       &*argument}));
}

void LibraryEmitter::emitFunction(const LibraryFunction &function) {
  llvm::Constant *entry = emitEntry(function);
  emitPlan(function, entry);
  emitRun(function, entry);
}

void needle::emitLibrary(llvm::Module &module, const ndl::ArtifactModel &model,
                         const std::vector<LibraryFunction> &functions,
                         llvm::StringRef prefix) {
  LibraryEmitter emitter(module, model);
  emitter.emitTables();
  emitter.emitGeneral(prefix);
  for (const LibraryFunction &function : functions)
    emitter.emitFunction(function);
}
