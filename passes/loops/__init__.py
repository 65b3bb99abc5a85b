"""From kernels to explicit loops: schedule, vectorise, plan buffers, annotate alias scopes."""
