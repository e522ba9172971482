//===- LibraryNames.cpp - C names for entry points and tensors ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "SharedLibrary.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace needle;

/// The keywords of C23 and of C++20, what GNU C predefines, and what the header
/// itself uses: <stddef.h>, its types and its parameters.
static constexpr llvm::StringLiteral takenWords =
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch "
    "char char16_t char32_t char8_t class co_await co_return co_yield compl "
    "concept const const_cast consteval constexpr constinit continue "
    "decltype default delete do double dynamic_cast else enum explicit "
    "export extern false float for friend goto if inline int long mutable "
    "namespace new noexcept not not_eq nullptr operator or or_eq private "
    "protected public register reinterpret_cast requires restrict return "
    "short signed sizeof static static_assert static_cast struct switch "
    "template this thread_local throw true try typedef typeid typename "
    "typeof typeof_unqual union unsigned using virtual void volatile "
    "wchar_t while xor xor_eq "
    "i386 linux unix "
    "NULL int8_t int32_t int64_t uint8_t size_t "
    "arena arena_bytes output_dims";

static bool isTaken(llvm::StringRef name) {
  static const llvm::StringSet<> words = [] {
    llvm::StringSet<> words;
    for (llvm::StringRef word : llvm::split(takenWords, ' '))
      words.insert(word);
    return words;
  }();
  // <stdint.h> defines limits of that form.
  return words.contains(name) || name.ends_with("_MAX") ||
         name.ends_with("_MIN") || name.ends_with("_WIDTH");
}

/// A C identifier much like `name` that means nothing yet.
static std::string toIdentifier(llvm::StringRef name) {
  std::string identifier;
  for (char c : name)
    identifier += llvm::isAlnum(c) ? c : '_';
  if (identifier.empty() || llvm::isDigit(identifier.front()))
    identifier.insert(identifier.begin(), '_');
  if (isTaken(identifier))
    identifier += '_';
  return identifier;
}

/// Nor does it begin as the language's own do: _Bool, __LINE__.
static std::string toParameter(llvm::StringRef name) {
  std::string identifier = toIdentifier(name);
  if (identifier.size() > 1 && identifier[0] == '_' &&
      (identifier[1] == '_' || llvm::isUpper(identifier[1])))
    identifier.insert(0, "tensor");
  return identifier;
}

namespace {

/// Makes names differ from each other, as they are and with a suffix.
class Namer {
public:
  explicit Namer(llvm::StringRef suffix = "") : suffix(suffix.str()) {}

  std::string make(const std::string &wanted) {
    std::string name = wanted;
    for (unsigned i = 1; taken.contains(name) || taken.contains(name + suffix);
         ++i)
      name = wanted + "_" + std::to_string(i);
    taken.insert(name);
    taken.insert(name + suffix);
    return name;
  }

private:
  std::string suffix;
  llvm::StringSet<> taken;
};

} // namespace

std::vector<LibraryFunction>
needle::nameFunctions(const ndl::ArtifactModel &model, llvm::StringRef prefix) {
  std::vector<LibraryFunction> functions;
  Namer functionNames("_plan");
  for (llvm::StringRef taken : {"target", "error"})
    functionNames.make((prefix + "_" + taken).str());
  for (const ndl::EntryModel &entry : model.entries) {
    LibraryFunction function;
    function.name =
        functionNames.make(toIdentifier((prefix + "_" + entry.name).str()));
    function.entry = &entry;
    Namer parameters;
    for (const ndl::TensorModel &input : entry.inputs) {
      LibraryParameter parameter{
          parameters.make(toParameter(input.name)), &input, {}};
      for (auto [i, dim] : llvm::enumerate(input.dims))
        parameter.dims.push_back(
            dim == NDL_DYNAMIC
                ? parameters.make(parameter.name + "_dim" + std::to_string(i))
                : "");
      function.inputs.push_back(std::move(parameter));
    }
    for (const ndl::TensorModel &output : entry.outputs)
      function.outputs.push_back(
          {parameters.make(toParameter(output.name)), &output, {}});
    functions.push_back(std::move(function));
  }
  return functions;
}
