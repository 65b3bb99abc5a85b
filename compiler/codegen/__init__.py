"""From the loops stage to LLVM IR text and objects."""
