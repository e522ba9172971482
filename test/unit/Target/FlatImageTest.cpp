//===- FlatImageTest.cpp - The linker for one closed object ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "needle/Target/FlatImage.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ObjectYAML/yaml2obj.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/YAMLTraits.h"
#include "llvm/Support/raw_ostream.h"
#include "gtest/gtest.h"

using namespace needle;

namespace {

/// An x86-64 object of these sections and symbols.
std::string makeObject(const std::string &sections,
                       const std::string &symbols) {
  std::string text = R"(--- !ELF
FileHeader:
  Class: ELFCLASS64
  Data: ELFDATA2LSB
  Type: ET_REL
  Machine: EM_X86_64
Sections:
)" + sections + "Symbols:\n" +
                     symbols + "...\n";
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

} // namespace
