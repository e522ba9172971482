//===- LibraryHeader.cpp - The C header of a compiled library -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SharedLibrary.h"
#include "SharedLibrarySupport.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/raw_ostream.h"

using namespace needle;

//===----------------------------------------------------------------------===//
// Names
//===----------------------------------------------------------------------===//

namespace {

/// Words that C or C++ reserve and that models use as names.
bool isReserved(llvm::StringRef name) {
  static const llvm::StringSet<> words = {
      "alignas",  "and",      "arena",   "auto",     "bool",     "break",
      "case",     "catch",    "char",    "class",    "const",    "continue",
      "default",  "delete",   "do",      "double",   "else",     "enum",
      "export",   "extern",   "false",   "float",    "for",      "goto",
      "if",       "inline",   "int",     "long",     "new",      "not",
      "operator", "or",       "private", "public",   "register", "restrict",
      "return",   "short",    "signed",  "sizeof",   "static",   "struct",
      "switch",   "template", "this",    "true",     "typedef",  "union",
      "unsigned", "using",    "void",    "volatile", "while",    "xor"};
  return words.contains(name);
}

/// Makes C identifiers that differ from each other.
class Namer {
public:
  std::string make(llvm::StringRef wanted) {
    std::string base;
    for (char c : wanted)
      base += llvm::isAlnum(c) ? c : '_';
    if (base.empty() || llvm::isDigit(base.front()))
      base.insert(base.begin(), '_');
    if (isReserved(base))
      base += '_';
    std::string name = base;
    for (unsigned i = 1; !taken.insert(name).second; ++i)
      name = base + "_" + std::to_string(i);
    return name;
  }

private:
  llvm::StringSet<> taken;
};

} // namespace

std::vector<LibraryFunction>
needle::nameFunctions(const ndl::ArtifactModel &model, llvm::StringRef prefix) {
  std::vector<LibraryFunction> functions;
  Namer functionNames;
  for (llvm::StringRef taken : {"target", "error"})
    functionNames.make((prefix + "_" + taken).str());
  for (const ndl::EntryModel &entry : model.entries) {
    LibraryFunction function;
    function.name = functionNames.make((prefix + "_" + entry.name).str());
    function.entry = &entry;
    Namer parameters;
    for (const ndl::TensorModel &input : entry.inputs) {
      LibraryParameter parameter{parameters.make(input.name), &input, {}};
      for (auto [i, dim] : llvm::enumerate(input.dims))
        parameter.dims.push_back(
            dim == NDL_DYNAMIC
                ? parameters.make(parameter.name + "_dim" + std::to_string(i))
                : "");
      function.inputs.push_back(std::move(parameter));
    }
    for (const ndl::TensorModel &output : entry.outputs)
      function.outputs.push_back({parameters.make(output.name), &output, {}});
    functions.push_back(std::move(function));
  }
  return functions;
}

//===----------------------------------------------------------------------===//
// Text
//===----------------------------------------------------------------------===//

static llvm::StringRef getCType(NdlDType dtype) {
  switch (dtype) {
  case NDL_DTYPE_F32:
    return "float";
  case NDL_DTYPE_I8:
    return "int8_t";
  case NDL_DTYPE_U8:
    return "uint8_t";
  case NDL_DTYPE_I32:
    return "int32_t";
  default:
    // Other types do not pass setInterface.
    return "void";
  }
}

static std::string describe(const LibraryParameter &parameter, bool isInput) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  stream << getCType(parameter.tensor->dtype) << " [";
  llvm::interleaveComma(llvm::enumerate(parameter.tensor->dims), stream,
                        [&](auto dim) {
                          if (dim.value() != NDL_DYNAMIC)
                            stream << dim.value();
                          else if (isInput)
                            stream << parameter.dims[dim.index()];
                          else
                            stream << "?";
                        });
  stream << "]";
  const ndl::QuantizationModel &quantization = parameter.tensor->quantization;
  if (quantization.kind == NDL_QUANTIZATION_PER_TENSOR)
    stream << llvm::formatv(", real = (stored - {0}) * {1:E9}",
                            quantization.zeroPoints[0], quantization.scales[0]);
  else if (quantization.kind == NDL_QUANTIZATION_PER_AXIS)
    stream << ", quantized along axis " << quantization.axis;
  return text;
}

static int64_t getRankSum(const std::vector<LibraryParameter> &parameters) {
  int64_t sum = 0;
  for (const LibraryParameter &parameter : parameters)
    sum += parameter.tensor->dims.size();
  return sum;
}

/// A model's name as it can stand in a comment.
static std::string inComment(llvm::StringRef name) {
  std::string text;
  for (char c : name)
    text += llvm::isPrint(c) && c != '*' ? c : '_';
  return text;
}

static void writeFunction(llvm::raw_ostream &out,
                          const LibraryFunction &function) {
  std::vector<std::string> dims, parameters;
  out << "\n/* Entry point '" << inComment(function.entry->name) << "'.\n";
  for (const LibraryParameter &input : function.inputs) {
    out << " *   " << input.name << ": " << describe(input, true) << "\n";
    parameters.push_back(
        ("const " + getCType(input.tensor->dtype) + " *" + input.name).str());
    for (const std::string &dim : input.dims)
      if (!dim.empty()) {
        dims.push_back("int64_t " + dim);
        parameters.push_back("int64_t " + dim);
      }
  }
  for (const LibraryParameter &output : function.outputs) {
    out << " *   " << output.name << ": " << describe(output, false)
        << " (output)\n";
    parameters.push_back(
        (getCType(output.tensor->dtype) + " *" + output.name).str());
  }
  parameters.emplace_back("void *arena");
  dims.emplace_back("int64_t *output_dims");
  dims.emplace_back("size_t *arena_bytes");
  out << llvm::formatv(
      " * Tensors are contiguous and row-major, aligned to their elements; no\n"
      " * output overlaps another tensor. Returns 0, or an error code.\n"
      " *\n"
      " * {0}_plan writes the {1} dimensions of the outputs, one output after\n"
      " * another, and the bytes of scratch memory; either pointer may be "
      "null.\n"
      " * {0} runs the model on the calling thread. `arena` is scratch memory\n"
      " * of that size, aligned to {2} bytes, or null to have it allocated. "
      "*/\n",
      function.name, getRankSum(function.outputs), NDL_ABI_ALIGNMENT);
  out << "int " << function.name << "_plan(" << llvm::join(dims, ", ")
      << ");\n";
  out << "int " << function.name << "(" << llvm::join(parameters, ", ")
      << ");\n";
}

std::string needle::writeHeader(const std::vector<LibraryFunction> &functions,
                                llvm::StringRef prefix) {
  std::string text;
  llvm::raw_string_ostream out(text);
  std::string guard = prefix.upper() + "_NEEDLE_MODEL_H";
  out << "/* C interface of the compiled model '" << prefix
      << "'. Generated by needle " NEEDLE_VERSION_STRING ".\n"
         " *\n"
         " * All functions may be called from several threads at a time. */\n"
         "#ifndef "
      << guard << "\n#define " << guard
      << "\n\n#include <stddef.h>\n#include <stdint.h>\n\n"
         "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n";
  out << "/* The target whose code runs on this CPU, e.g. \"avx2\"; null if "
         "the\n"
         " * library has no code for it. */\n"
      << "const char *" << prefix << "_target(void);\n\n";
  out << "/* What an error code means, with the place in the model's source.\n";
  out << llvm::formatv(
      " * {0}: no code for this CPU; {1}: out of memory; {2}: a "
      "dimension is\n"
      " * negative; {3}: the arena is not aligned; {4} and "
      "above: shapes do not fit. */\n",
      int(NDL_LIBRARY_UNSUPPORTED_CPU), int(NDL_LIBRARY_OUT_OF_MEMORY),
      int(NDL_LIBRARY_NEGATIVE_DIMENSION), int(NDL_LIBRARY_MISALIGNED_ARENA),
      int(NDL_LIBRARY_SHAPE));
  out << "const char *" << prefix << "_error(int code);\n";
  for (const LibraryFunction &function : functions)
    writeFunction(out, function);
  out << "\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n";
  return text;
}
