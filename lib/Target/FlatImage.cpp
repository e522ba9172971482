//===- FlatImage.cpp - Links an object to a flat image --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Target/FlatImage.h"
#include "Relocation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/BinaryFormat/ELF.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace llvm::object;
using namespace needle;

namespace {

template <typename... Args>
Error makeError(const char *format, Args &&...args) {
  return createStringError(formatv(format, std::forward<Args>(args)...).str());
}

class Linker {
public:
  Linker(const ELFObjectFileBase &object) : object(object) {}

  Expected<FlatImage> link() {
    if (!isKnownMachine(object.getEMachine()))
      return makeError("machine {0} is not supported by the flat linker",
                       object.getEMachine());
    if (Error error = placeSections())
      return error;
    if (Error error = relocate())
      return error;
    if (Error error = collectFunctions())
      return error;
    return std::move(image);
  }

private:
  Error placeSections();
  Error relocate();
  Error apply(const ELFSectionRef &section, const ELFRelocationRef &relocation);
  Error collectFunctions();
  /// The offset of a symbol in the image.
  Expected<uint64_t> locate(const ELFSymbolRef &symbol);

  const ELFObjectFileBase &object;
  FlatImage image;
  DenseMap<uint64_t, uint64_t> offsets; ///< by section index
};

} // namespace

/// Code first, then constants; what is not loaded stays out.
Error Linker::placeSections() {
  for (bool code : {true, false})
    for (ELFSectionRef section : object.sections()) {
      uint64_t flags = section.getFlags();
      if (!(flags & ELF::SHF_ALLOC) || section.getSize() == 0 ||
          bool(flags & ELF::SHF_EXECINSTR) != code)
        continue;
      Expected<StringRef> name = section.getName();
      if (!name)
        return name.takeError();
      if (flags & ELF::SHF_WRITE)
        return makeError("section '{0}' can be written; generated code has no "
                         "data of its own",
                         *name);
      if (section.getType() != ELF::SHT_PROGBITS)
        return makeError("section '{0}' has the unexpected type {1}", *name,
                         section.getType());
      Expected<StringRef> contents = section.getContents();
      if (!contents)
        return contents.takeError();
      image.bytes.resize(
          alignTo(image.bytes.size(), section.getAlignment().value()));
      offsets[section.getIndex()] = image.bytes.size();
      image.bytes.insert(image.bytes.end(), contents->bytes_begin(),
                         contents->bytes_end());
    }
  return Error::success();
}

Expected<uint64_t> Linker::locate(const ELFSymbolRef &symbol) {
  Expected<StringRef> name = symbol.getName();
  if (!name)
    return name.takeError();
  Expected<section_iterator> section = symbol.getSection();
  if (!section)
    return section.takeError();
  if (*section == object.section_end())
    return makeError("generated code refers to '{0}', which is outside of it",
                     *name);
  auto offset = offsets.find((*section)->getIndex());
  if (offset == offsets.end())
    return makeError("generated code refers to '{0}' in a section that is not "
                     "loaded",
                     *name);
  Expected<uint64_t> value = symbol.getValue();
  if (!value)
    return value.takeError();
  return offset->second + *value;
}

Error Linker::relocate() {
  for (ELFSectionRef relocations : object.sections()) {
    Expected<section_iterator> target = relocations.getRelocatedSection();
    if (!target)
      return target.takeError();
    if (*target == object.section_end() ||
        !offsets.count((*target)->getIndex()))
      continue;
    for (ELFRelocationRef relocation : relocations.relocations())
      if (Error error = apply(**target, relocation))
        return error;
  }
  return Error::success();
}

Error Linker::apply(const ELFSectionRef &section,
                    const ELFRelocationRef &relocation) {
  symbol_iterator symbol = relocation.getSymbol();
  if (symbol == object.symbol_end())
    return makeError("relocation without a symbol");
  Expected<uint64_t> destination = locate(*symbol);
  if (!destination)
    return destination.takeError();
  Expected<int64_t> addend = relocation.getAddend();
  if (!addend)
    return addend.takeError();

  if (relocation.getOffset() > section.getSize())
    return makeError("relocation beyond the end of its section");
  uint64_t begin = offsets.lookup(section.getIndex());
  uint64_t place = begin + relocation.getOffset();
  MutableArrayRef<uint8_t> field =
      MutableArrayRef<uint8_t>(image.bytes)
          .slice(place, section.getSize() - relocation.getOffset());
  Expected<bool> applied = applyRelocation(
      object.getEMachine(), {uint32_t(relocation.getType()), field,
                             int64_t(place), int64_t(*destination) + *addend});
  if (!applied)
    return applied.takeError();
  if (*applied)
    return Error::success();
  SmallString<32> type;
  relocation.getTypeName(type);
  Expected<StringRef> name = symbol->getName();
  return makeError("relocation {0} to '{1}' depends on the load address", type,
                   name ? *name : "?");
}

Error Linker::collectFunctions() {
  for (ELFSymbolRef symbol : object.symbols()) {
    if (symbol.getBinding() != ELF::STB_GLOBAL ||
        symbol.getELFType() != ELF::STT_FUNC)
      continue;
    Expected<StringRef> name = symbol.getName();
    if (!name)
      return name.takeError();
    Expected<uint64_t> offset = locate(symbol);
    if (!offset)
      return offset.takeError();
    image.functions[*name] = *offset;
  }
  return Error::success();
}

Expected<FlatImage> needle::linkFlatImage(StringRef object) {
  Expected<std::unique_ptr<ObjectFile>> file = ObjectFile::createELFObjectFile(
      MemoryBufferRef(object, "generated code"));
  if (!file)
    return file.takeError();
  return Linker(cast<ELFObjectFileBase>(**file)).link();
}
