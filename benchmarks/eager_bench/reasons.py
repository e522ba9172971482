# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Why targets are missed: the beginning of a row's key → what is known."""

REASONS: dict[str, str] = {}
