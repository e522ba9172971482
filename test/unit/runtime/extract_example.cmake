# Writes the C code block of the Markdown file DOCUMENT to the file OUTPUT.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
file(READ ${DOCUMENT} text)
string(FIND "${text}" "\n```c\n" begin)
if(begin LESS 0)
  message(FATAL_ERROR "${DOCUMENT} has no block of C")
endif()
math(EXPR begin "${begin} + 6")
string(SUBSTRING "${text}" ${begin} -1 text)
string(FIND "${text}" "\n```\n" end)
string(SUBSTRING "${text}" 0 ${end} text)
file(WRITE ${OUTPUT} "${text}\n")
