# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The parts of the demonstration examples/digits_mlp.py."""
