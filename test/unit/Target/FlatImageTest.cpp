//===- FlatImageTest.cpp - The linker for one closed object ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Target/FlatImage.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ObjectYAML/yaml2obj.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/YAMLTraits.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace needle;

namespace {

/// An object of these sections and symbols.
std::string makeObject(const std::string &sections, const std::string &symbols,
                       const std::string &machine = "EM_X86_64") {
  std::string text = R"(--- !ELF
FileHeader:
  Class: ELFCLASS64
  Data: ELFDATA2LSB
  Type: ET_REL
  Machine: )" + machine +
                     "\nSections:\n" + sections + "Symbols:\n" + symbols +
                     "...\n";
  llvm::SmallString<0> bytes;
  llvm::raw_svector_ostream stream(bytes);
  llvm::yaml::Input input(text);
  bool made =
      llvm::yaml::convertYAML(input, stream, [](const llvm::Twine &message) {
        FAIL() << message.str();
      });
  EXPECT_TRUE(made);
  return bytes.str().str();
}

std::string getError(const std::string &object) {
  llvm::Expected<FlatImage> image = linkFlatImage(object);
  return image ? "none" : llvm::toString(image.takeError());
}

const char *const text = R"(  - Name: .text
    Type: SHT_PROGBITS
    Flags: [SHF_ALLOC, SHF_EXECINSTR]
    AddressAlign: 16
    Content: '00000000000000000000000000000000'
)";
const char *const constants = R"(  - Name: .rodata.cst32
    Type: SHT_PROGBITS
    Flags: [SHF_ALLOC, SHF_MERGE]
    AddressAlign: 32
    Content: '1122334455667788'
)";
const char *const function = R"(  - Name: main.run
    Type: STT_FUNC
    Binding: STB_GLOBAL
    Section: .text
    Value: 0x4
)";

std::string relocate(const char *section, const char *type, const char *symbol,
                     int offset, int64_t addend) {
  return std::string("  - Name: .rela") + section +
         "\n    Type: SHT_RELA\n    Info: " + section +
         "\n    Relocations:\n      - { Offset: " + std::to_string(offset) +
         ", Type: " + type + ", Symbol: " + symbol +
         ", Addend: " + std::to_string(addend) + " }\n";
}

int64_t read32(const FlatImage &image, size_t offset) {
  return int32_t(llvm::support::endian::read32le(&image.bytes[offset]));
}

TEST(FlatImage, PlacesCodeThenConstants) {
  auto image =
      linkFlatImage(makeObject(std::string(constants) + text, function));
  ASSERT_TRUE(bool(image)) << llvm::toString(image.takeError());
  EXPECT_EQ(image->bytes.size(), 40u);
  EXPECT_EQ(image->bytes[32], 0x11);
  EXPECT_EQ(image->functions.size(), 1u);
  EXPECT_EQ(image->functions.lookup("main.run"), 4u);
}

TEST(FlatImage, AppliesPCRelativeRelocations) {
  std::string symbols = std::string(R"(  - Name: constant
    Section: .rodata.cst32
    Value: 0x4
)") + function;
  auto image = linkFlatImage(
      makeObject(std::string(text) + constants +
                     relocate(".text", "R_X86_64_PC32", "constant", 8, -4),
                 symbols));
  ASSERT_TRUE(bool(image)) << llvm::toString(image.takeError());
  // The constant at 36, seen from the end of the field at 8.
  EXPECT_EQ(read32(*image, 8), 36 - 12);
}

TEST(FlatImage, RelocatesBetweenFunctionsAndInConstants) {
  auto call = linkFlatImage(
      makeObject(std::string(text) +
                     relocate(".text", "R_X86_64_PLT32", "main.run", 12, -4),
                 function));
  ASSERT_TRUE(bool(call)) << llvm::toString(call.takeError());
  EXPECT_EQ(read32(*call, 12), 4 - 16);

  auto table = linkFlatImage(makeObject(
      std::string(text) + constants +
          relocate(".rodata.cst32", "R_X86_64_PC64", "main.run", 0, 0),
      function));
  ASSERT_TRUE(bool(table)) << llvm::toString(table.takeError());
  EXPECT_EQ(int64_t(llvm::support::endian::read64le(&table->bytes[32])),
            4 - 32);
}

TEST(FlatImage, RelocatesJumpTables) {
  // Two entries, each the distance from the table to a label of the function,
  // which the object names by its section.
  std::string tables = R"(  - Name: .rodata
    Type: SHT_PROGBITS
    Flags: [SHF_ALLOC]
    AddressAlign: 4
    Content: '0000000000000000'
  - Name: .rela.rodata
    Type: SHT_RELA
    Info: .rodata
    Relocations:
      - { Offset: 0, Type: R_X86_64_PC32, Symbol: .text, Addend: 8 }
      - { Offset: 4, Type: R_X86_64_PC32, Symbol: .text, Addend: 16 }
)";
  std::string symbols = R"(  - Name: .text
    Type: STT_SECTION
    Section: .text
)" + std::string(function);
  auto image = linkFlatImage(makeObject(text + tables, symbols));
  ASSERT_TRUE(bool(image)) << llvm::toString(image.takeError());
  // The table is at 16; its entries lead to 8 and 12.
  EXPECT_EQ(16 + read32(*image, 16), 8);
  EXPECT_EQ(16 + read32(*image, 20), 12);
}

TEST(FlatImage, AlignsConstantsBehindCodeOfAnySize) {
  std::string odd = R"(  - Name: .text
    Type: SHT_PROGBITS
    Flags: [SHF_ALLOC, SHF_EXECINSTR]
    AddressAlign: 16
    Content: '0000000000000000000000000000000000000000000000000000000000000000CC'
)";
  std::string symbols = std::string(R"(  - Name: constant
    Section: .rodata.cst32
)") + function;
  auto image = linkFlatImage(makeObject(
      odd + constants + relocate(".text", "R_X86_64_PC32", "constant", 4, -4),
      symbols));
  ASSERT_TRUE(bool(image)) << llvm::toString(image.takeError());
  // 33 bytes of code, so the constants begin at 64.
  ASSERT_EQ(image->bytes.size(), 72u);
  EXPECT_EQ(image->bytes[32], 0xCC);
  EXPECT_EQ(image->bytes[64], 0x11);
  EXPECT_EQ(read32(*image, 4), 64 - 8);
}

TEST(FlatImage, RefusesDistancesBeyond32Bits) {
  // From the field at 8 to the function at 4 it is -4.
  auto link = [](const char *type, int64_t addend) {
    return getError(makeObject(
        std::string(text) + relocate(".text", type, "main.run", 8, addend),
        function));
  };
  int64_t largest = INT32_MAX, smallest = INT32_MIN;
  const char *const tooFar = "generated code exceeds 2 GiB";
  EXPECT_EQ(link("R_X86_64_PC32", largest + 4), "none");
  EXPECT_EQ(link("R_X86_64_PC32", largest + 5), tooFar);
  EXPECT_EQ(link("R_X86_64_PLT32", largest + 5), tooFar);
  EXPECT_EQ(link("R_X86_64_PC32", smallest + 4), "none");
  EXPECT_EQ(link("R_X86_64_PC32", smallest + 3), tooFar);
  EXPECT_EQ(link("R_X86_64_PC64", largest + 5), "none");
}

TEST(FlatImage, RefusesWhatIsOutside) {
  std::string symbols = std::string(function) + R"(  - Name: memcpy
    Binding: STB_GLOBAL
)";
  EXPECT_EQ(getError(makeObject(std::string(text) + relocate(".text",
                                                             "R_X86_64_PLT32",
                                                             "memcpy", 8, -4),
                                symbols)),
            "generated code refers to 'memcpy', which is outside of it");
}

TEST(FlatImage, RefusesAbsoluteAddresses) {
  EXPECT_EQ(
      getError(makeObject(std::string(text) + relocate(".text", "R_X86_64_64",
                                                       "main.run", 8, 0),
                          function)),
      "relocation R_X86_64_64 to 'main.run' depends on the load address");
}

TEST(FlatImage, RefusesWritableData) {
  EXPECT_EQ(getError(makeObject(std::string(text) + R"(  - Name: .data
    Type: SHT_PROGBITS
    Flags: [SHF_ALLOC, SHF_WRITE]
    Content: '00'
)",
                                function)),
            "section '.data' can be written; generated code has no data of its "
            "own");
}

TEST(FlatImage, RefusesRelocationsBeyondTheEnd) {
  EXPECT_EQ(getError(makeObject(
                std::string(text) + constants +
                    relocate(".text", "R_X86_64_PC32", "main.run", 14, 0),
                function)),
            "relocation beyond the end of its section");
}

TEST(FlatImage, RefusesWhatIsNoObject) {
  EXPECT_NE(getError("no object at all"), "none");
}

//===----------------------------------------------------------------------===//
// AArch64
//===----------------------------------------------------------------------===//

/// Code of 8 KiB that begins with this instruction, and a constant behind it.
std::string makeArmObject(uint32_t instruction, const char *type,
                          int64_t addend, const char *symbol = "constant") {
  std::string hex;
  for (unsigned shift = 0; shift < 32; shift += 8)
    hex += llvm::utohexstr(instruction >> shift & 255, /*LowerCase=*/true, 2);
  std::string sections = "  - Name: .text\n    Type: SHT_PROGBITS\n"
                         "    Flags: [SHF_ALLOC, SHF_EXECINSTR]\n"
                         "    AddressAlign: 16\n    Content: '" +
                         hex + "'\n    Size: 8192\n" + constants +
                         relocate(".text", type, symbol, 0, addend);
  std::string symbols = std::string(R"(  - Name: constant
    Section: .rodata.cst32
)") + function;
  return makeObject(sections, symbols, "EM_AARCH64");
}

/// The first instruction of the linked image, or the error.
std::string linkArm(uint32_t instruction, const char *type, int64_t addend,
                    const char *symbol = "constant") {
  auto image = linkFlatImage(makeArmObject(instruction, type, addend, symbol));
  if (!image)
    return llvm::toString(image.takeError());
  return llvm::utohexstr(uint32_t(read32(*image, 0)), /*LowerCase=*/true);
}

// The instructions are those that GNU as and objdump agree on.
TEST(FlatImage, RelocatesAddressesOfAArch64) {
  // The constant is at 0x2000: two pages on, so adrp x1, 0x2000.
  EXPECT_EQ(linkArm(0x90000001, "R_AARCH64_ADR_PREL_PG_HI21", 0), "d0000001");
  EXPECT_EQ(linkArm(0x90000001, "R_AARCH64_ADR_PREL_PG_HI21", 0xfff),
            "d0000001");
  EXPECT_EQ(linkArm(0x90000001, "R_AARCH64_ADR_PREL_PG_HI21", 0x1000),
            "f0000001");
  // adr x1, 0x2004
  EXPECT_EQ(linkArm(0x10000001, "R_AARCH64_ADR_PREL_LO21", 4), "10010021");
  // add x1, x1, #0x123
  EXPECT_EQ(linkArm(0x91000021, "R_AARCH64_ADD_ABS_LO12_NC", 0x123),
            "91048c21");
  EXPECT_EQ(linkArm(0x10000001, "R_AARCH64_ADR_PREL_LO21", 1 << 20),
            "generated code exceeds the reach of an address");
}

TEST(FlatImage, RelocatesLoadsOfAArch64) {
  // ldrb w0, [x1, #3], ldrh w0, [x1, #6], ldr w0, [x1, #8], ldr x0, [x1, #8],
  // ldr q0, [x1, #32]
  EXPECT_EQ(linkArm(0x39400020, "R_AARCH64_LDST8_ABS_LO12_NC", 3), "39400c20");
  EXPECT_EQ(linkArm(0x79400020, "R_AARCH64_LDST16_ABS_LO12_NC", 6), "79400c20");
  EXPECT_EQ(linkArm(0xb9400020, "R_AARCH64_LDST32_ABS_LO12_NC", 8), "b9400820");
  EXPECT_EQ(linkArm(0xf9400020, "R_AARCH64_LDST64_ABS_LO12_NC", 8), "f9400420");
  EXPECT_EQ(linkArm(0x3dc00020, "R_AARCH64_LDST128_ABS_LO12_NC", 32),
            "3dc00820");
  EXPECT_EQ(linkArm(0x3dc00020, "R_AARCH64_LDST128_ABS_LO12_NC", 8),
            "a constant is not aligned as its load expects");
}

TEST(FlatImage, RelocatesBranchesOfAArch64) {
  // main.run is at 4: bl 4, b 4
  EXPECT_EQ(linkArm(0x94000000, "R_AARCH64_CALL26", 0, "main.run"), "94000001");
  EXPECT_EQ(linkArm(0x14000000, "R_AARCH64_JUMP26", 0, "main.run"), "14000001");
  EXPECT_EQ(linkArm(0x14000000, "R_AARCH64_JUMP26", -8, "main.run"),
            "17ffffff");
  EXPECT_EQ(linkArm(0x94000000, "R_AARCH64_CALL26", 1 << 27, "main.run"),
            "generated code exceeds the reach of a branch, 128 MiB");
}

TEST(FlatImage, RelocatesConstantsOfAArch64) {
  EXPECT_EQ(linkArm(0, "R_AARCH64_PREL32", 0), "2000");
  EXPECT_EQ(linkArm(0, "R_AARCH64_PREL64", 8), "2008");
  EXPECT_EQ(linkArm(0, "R_AARCH64_PREL32", int64_t(1) << 31),
            "generated code exceeds 2 GiB");
  EXPECT_EQ(linkArm(0, "R_AARCH64_ABS64", 0),
            "relocation R_AARCH64_ABS64 to 'constant' depends on the load "
            "address");
}

TEST(FlatImage, RefusesOtherMachines) {
  EXPECT_EQ(getError(makeObject(text, function, "EM_RISCV")),
            "machine 243 is not supported by the flat linker");
}

} // namespace
