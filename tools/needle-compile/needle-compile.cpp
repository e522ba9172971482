//===- needle-compile.cpp - Compiles MLIR text ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a module of needle operations to an artifact, a shared library, an
// object, or text of any stage. Exit code 0: written; 1: an error was reported
// and nothing was written.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Support/FileUtilities.h"
#include "needle-rt/atomic_file.h"
#include "needle/InitAll.h"
#include "needle/Pipelines/Pipelines.h"
#include "needle/Target/Compiler.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/WithColor.h"

using namespace mlir;
using namespace needle;

namespace {

enum class Emit {
  Artifact,
  MLIR,
  LLVMIR,
  Assembly,
  PTX,
  Object,
  SharedLibrary
};

enum class Quantize { None, Static, Dynamic };

/// The command line.
struct Options {
  llvm::cl::OptionCategory category{"needle-compile"};
  llvm::cl::list<std::string> inputs{
      llvm::cl::Positional,
      llvm::cl::desc("<model.mlir …, by default - for standard input>"),
      llvm::cl::cat(category)};
  llvm::cl::opt<std::string> output{
      "o", llvm::cl::value_desc("file"), llvm::cl::cat(category),
      llvm::cl::desc("Where to write; text goes to standard output without it, "
                     "- is standard output")};
  llvm::cl::opt<Emit> emit{
      "emit", llvm::cl::init(Emit::Artifact), llvm::cl::cat(category),
      llvm::cl::desc("What to write:"),
      llvm::cl::values(
          clEnumValN(Emit::Artifact, "artifact",
                     "a file for the runtime, with code for all targets"),
          clEnumValN(Emit::SharedLibrary, "so",
                     "a shared library with a C interface, for all targets"),
          clEnumValN(Emit::MLIR, "mlir", "the module after --stage"),
          clEnumValN(Emit::LLVMIR, "llvm", "optimized LLVM IR of one target"),
          clEnumValN(Emit::Assembly, "asm", "assembly of one target"),
          clEnumValN(Emit::PTX, "ptx", "PTX of one CUDA target"),
          clEnumValN(Emit::Object, "obj", "an ELF object of one target"))};
  /// An option's description refers to its text.
  std::string targetsHelp =
      "CPU targets, of " + needle::cpu::getCPUTargetNames() +
      " (the best one of this CPU); by default " +
      llvm::join(CompileOptions().targets, ",") + ". CUDA targets, of " +
      needle::cuda::getCUDATargetNames() + ", cuda (all of them)";
  llvm::cl::list<std::string> targets{
      "target", llvm::cl::CommaSeparated, llvm::cl::value_desc("names"),
      llvm::cl::cat(category), llvm::cl::desc(targetsHelp)};
  llvm::cl::opt<std::string> stage{
      "stage", llvm::cl::init("fused"), llvm::cl::value_desc("name"),
      llvm::cl::cat(category),
      llvm::cl::desc(
          "For --emit=mlir: needle, fused, linalg, buffers, kernels, "
          "llvm or llvmir")};
  llvm::cl::opt<std::string> header{
      "header", llvm::cl::value_desc("file"), llvm::cl::cat(category),
      llvm::cl::desc("For --emit=so: where to write the C header")};
  llvm::cl::opt<std::string> name{
      "name", llvm::cl::value_desc("identifier"), llvm::cl::cat(category),
      llvm::cl::desc("For --emit=so: prefix of the exported functions, by "
                     "default the name of the output")};
  llvm::cl::opt<Quantize> quantize{
      "quantize", llvm::cl::init(Quantize::None), llvm::cl::cat(category),
      llvm::cl::desc("Quantize before compiling:"),
      llvm::cl::values(
          clEnumValN(Quantize::None, "none", "take the module as it is"),
          clEnumValN(Quantize::Static, "static",
                     "with the ranges on needle.observe"),
          clEnumValN(Quantize::Dynamic, "dynamic",
                     "with ranges computed at run time"))};
  llvm::cl::opt<bool> time{
      "time", llvm::cl::cat(category),
      llvm::cl::desc("For --emit=artifact: print the time of each part to "
                     "standard error")};

  /// CPU targets; those that are made without being named where there is none.
  llvm::SmallVector<std::string> getTargets() const {
    llvm::SmallVector<std::string> named;
    llvm::copy_if(targets, std::back_inserter(named),
                  [](const std::string &name) { return !isCUDA(name); });
    return named.empty() ? CompileOptions().targets : named;
  }
  llvm::SmallVector<std::string> getCUDATargets() const {
    llvm::SmallVector<std::string> named;
    for (const std::string &name : targets) {
      if (name == allCUDATargets)
        for (const cuda::CUDATarget &target : cuda::getCUDATargets())
          named.push_back(target.name.str());
      else if (isCUDA(name))
        named.push_back(name);
    }
    return named;
  }

private:
  static constexpr llvm::StringLiteral allCUDATargets = "cuda";

  static bool isCUDA(llvm::StringRef name) {
    return name == allCUDATargets || cuda::lookupCUDATarget(name);
  }
};

/// One file to write.
struct Output {
  std::string path;
  std::string bytes;
};

LogicalResult error(const llvm::Twine &message) {
  llvm::WithColor::error(llvm::errs(), "needle-compile") << message << "\n";
  return failure();
}

LogicalResult writeToStandardOutput(llvm::StringRef bytes) {
  llvm::outs() << bytes;
  llvm::outs().flush();
  if (!llvm::outs().has_error())
    return success();
  std::error_code code = llvm::outs().error();
  llvm::outs().clear_error();
  return error("cannot write to standard output: " + code.message());
}

/// Writes all files or none.
LogicalResult write(llvm::ArrayRef<Output> outputs) {
  if (outputs.size() == 1 && outputs.front().path == "-")
    return writeToStandardOutput(outputs.front().bytes);
  std::vector<ndl::AtomicFile> files;
  for (const Output &output : outputs) {
    std::string message = files.emplace_back(output.path)
                              .write(output.bytes.data(), output.bytes.size());
    if (!message.empty())
      return error(message);
  }
  for (auto [i, file] : llvm::enumerate(files)) {
    std::string message = file.commit();
    if (message.empty())
      continue;
    for (const Output &written : outputs.take_front(i))
      if (std::error_code code = llvm::sys::fs::remove(written.path))
        message += "; '" + written.path +
                   "' was written before and cannot be " +
                   "removed: " + code.message();
    return error(message);
  }
  return success();
}

/// Whether two paths name one place, existing or not.
bool isSamePlace(llvm::StringRef a, llvm::StringRef b) {
  auto resolve = [](llvm::StringRef path) {
    llvm::StringRef folder = llvm::sys::path::parent_path(path);
    llvm::SmallString<128> resolved;
    if (llvm::sys::fs::real_path(folder.empty() ? llvm::StringRef(".") : folder,
                                 resolved))
      resolved = folder; // Does not exist: nothing can be written there.
    llvm::sys::path::append(resolved, llvm::sys::path::filename(path));
    return resolved;
  };
  return resolve(a) == resolve(b);
}

/// A library and its header are two files.
LogicalResult checkLibrary(const Options &options) {
  if (options.header.empty())
    return error("give the C header of the library with --header");
  if (options.output == "-" || options.header == "-")
    return error("a shared library and its header cannot go to standard "
                 "output; name two files");
  if (isSamePlace(options.output, options.header))
    return error("-o and --header name the same file");
  return success();
}

/// Names on the command line have no place in the source to point at.
LogicalResult checkNames(const Options &options) {
  if (std::string reason = cpu::explainCPUTargets(options.getTargets());
      !reason.empty())
    return error(reason + "; CUDA targets are " + cuda::getCUDATargetNames());
  llvm::StringRef stage = options.stage;
  if (!llvm::is_contained(getStageNames(), stage))
    return error("unknown stage '" + stage + "'; there are " +
                 llvm::join(getStageNames(), ", "));
  return success();
}

/// Kinds of targets and kinds of output.
LogicalResult checkCUDA(const Options &options) {
  llvm::SmallVector<std::string> targets = options.getCUDATargets();
  for (auto [i, name] : llvm::enumerate(targets))
    if (llvm::is_contained(llvm::ArrayRef(targets).take_front(i), name))
      return error("the CUDA target '" + name + "' is given twice");
  if (options.emit == Emit::PTX && targets.empty())
    return error("--emit=ptx needs a CUDA target; give one with --target, of " +
                 cuda::getCUDATargetNames());
  if (!targets.empty() && options.emit != Emit::PTX &&
      options.emit != Emit::Artifact)
    return error("the CUDA target '" + targets.front() +
                 "' has no code of this kind; give CPU targets, or --emit=ptx");
  return success();
}

/// What the options ask for must make sense together.
LogicalResult check(const Options &options) {
  if (failed(checkNames(options)) || failed(checkCUDA(options)))
    return failure();
  bool single =
      options.emit != Emit::Artifact && options.emit != Emit::SharedLibrary;
  if (single && options.targets.size() > 1)
    return error("this kind of output holds code for one target; give one with "
                 "--target");
  bool binary = options.emit == Emit::Artifact ||
                options.emit == Emit::SharedLibrary ||
                options.emit == Emit::Object;
  if (binary && options.output.empty())
    return error("give the output file with -o");
  if (options.emit == Emit::SharedLibrary && failed(checkLibrary(options)))
    return failure();
  if (options.emit != Emit::SharedLibrary &&
      (!options.header.empty() || !options.name.empty()))
    return error("--header and --name belong to --emit=so");
  if (options.emit != Emit::MLIR && options.stage.getNumOccurrences() > 0)
    return error("--stage belongs to --emit=mlir");
  if (options.emit != Emit::Artifact && options.time)
    return error("--time belongs to --emit=artifact");
  return success();
}

LogicalResult quantize(ModuleOp module, Quantize mode) {
  if (mode == Quantize::None)
    return success();
  QuantizeOptions options;
  options.mode = mode == Quantize::Static ? QuantizationMode::Static
                                          : QuantizationMode::Dynamic;
  PassManager pm(module.getContext(), ModuleOp::getOperationName());
  addQuantizePasses(pm, options);
  return pm.run(module);
}

void printTimes(llvm::ArrayRef<StageTime> times) {
  double total = 0;
  for (const StageTime &time : times) {
    llvm::errs() << llvm::format("%10.2f ms  ", time.seconds * 1e3)
                 << time.stage << "\n";
    total += time.seconds;
  }
  llvm::errs() << llvm::format("%10.2f ms  total\n", total * 1e3);
}

/// A C identifier made from the name of the library's file.
std::string getLibraryName(const Options &options) {
  if (!options.name.empty())
    return options.name;
  llvm::StringRef stem = llvm::sys::path::stem(options.output);
  stem.consume_front("lib");
  std::string name = stem.str();
  for (char &c : name)
    if (!llvm::isAlnum(c))
      c = '_';
  return name.empty() || llvm::isDigit(name.front()) ? "_" + name : name;
}

FailureOr<llvm::SmallVector<Output>> compile(ModuleOp module,
                                             const Options &options) {
  using Outputs = llvm::SmallVector<Output>;
  std::string path = options.output.empty() ? "-" : options.output.getValue();
  llvm::SmallVector<std::string> targets = options.getTargets();
  auto one = [&](FailureOr<std::string> text) -> FailureOr<Outputs> {
    if (failed(text))
      return failure();
    return Outputs{{path, std::move(*text)}};
  };
  switch (options.emit) {
  case Emit::MLIR:
    return one(printStage(module, options.stage, targets.back()));
  case Emit::LLVMIR:
    return one(printStage(module, "llvmir", targets.back()));
  case Emit::Assembly:
    return one(compileToAssembly(module, targets.back()));
  case Emit::Object:
    return one(compileToObject(module, targets.back()));
  case Emit::PTX:
    return one(compileToPTX(module, options.getCUDATargets().back()));
  case Emit::Artifact: {
    FailureOr<CompileResult> result =
        compileToArtifact(module, {targets, options.getCUDATargets()});
    if (failed(result))
      return failure();
    if (options.time)
      printTimes(result->times);
    return one(std::string(result->artifact.begin(), result->artifact.end()));
  }
  case Emit::SharedLibrary: {
    FailureOr<SharedLibrary> result =
        compileToSharedLibrary(module, {targets, {}}, getLibraryName(options));
    if (failed(result))
      return failure();
    return Outputs{{path, std::move(result->library)},
                   {options.header, std::move(result->header)}};
  }
  }
  llvm_unreachable("unknown kind of output");
}

/// A file that has been read, and what shows its lines in messages.
struct Source {
  llvm::SourceMgr manager;
  std::optional<SourceMgrDiagnosticHandler> handler;
};

/// Moves what `added` defines to `module`; no name may be defined twice.
LogicalResult merge(ModuleOp module, ModuleOp added) {
  for (Operation &op : llvm::make_early_inc_range(*added.getBody())) {
    StringAttr name =
        op.getAttrOfType<StringAttr>(mlir::SymbolTable::getSymbolAttrName());
    if (name && module.lookupSymbol(name))
      return op.emitError("'")
             << name.getValue() << "' is defined in another file too";
    op.moveBefore(module.getBody(), module.getBody()->end());
  }
  return success();
}

/// Parses all files to one module.
OwningOpRef<ModuleOp> parse(llvm::ArrayRef<std::string> paths,
                            MLIRContext &context,
                            std::vector<std::unique_ptr<Source>> &sources) {
  OwningOpRef<ModuleOp> module;
  for (const std::string &path : paths) {
    std::string message;
    std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(path, &message);
    if (!file) {
      (void)error(message);
      return {};
    }
    Source &source = *sources.emplace_back(std::make_unique<Source>());
    source.manager.AddNewSourceBuffer(std::move(file), llvm::SMLoc());
    source.handler.emplace(source.manager, &context);
    OwningOpRef<ModuleOp> parsed =
        parseSourceFile<ModuleOp>(source.manager, ParserConfig(&context));
    if (!parsed)
      return {};
    if (!module)
      module = std::move(parsed);
    else if (failed(merge(*module, *parsed)))
      return {};
  }
  return module;
}

LogicalResult run(const Options &options) {
  if (failed(check(options)))
    return failure();
  DialectRegistry registry;
  registerAllDialects(registry);
  MLIRContext context(registry);
  // The place in the source says more than the operation in generic form.
  context.printOpOnDiagnostic(false);
  std::vector<std::string> paths(options.inputs.begin(), options.inputs.end());
  if (paths.empty())
    paths = {"-"};
  std::vector<std::unique_ptr<Source>> sources;
  OwningOpRef<ModuleOp> module = parse(paths, context, sources);
  if (!module || failed(quantize(*module, options.quantize)))
    return failure();
  FailureOr<llvm::SmallVector<Output>> outputs = compile(*module, options);
  if (failed(outputs))
    return failure();
  return write(*outputs);
}

} // namespace

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  Options options;
  llvm::cl::HideUnrelatedOptions(options.category);
  llvm::cl::ParseCommandLineOptions(
      argc, argv, "needle compiler: MLIR text to code for CPUs\n");
  return succeeded(run(options)) ? 0 : 1;
}
