# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Eager needle beside its peers: what is measured, how, and how it is shown."""
