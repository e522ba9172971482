# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Contraction kernels beside the limits of the machine and beside other libraries."""
