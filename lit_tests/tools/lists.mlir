// RUN: loopweld-opt --show-dialects | filecheck %s --check-prefix=DIALECTS
// RUN: loopweld-opt --list-passes | filecheck %s --check-prefix=PASSES

// DIALECTS: Available Dialects: affine,arith,builtin,cf,func,linalg,
// PASSES-DAG: canonicalize: Applies all canonicalization patterns.
// PASSES-DAG: cse
// PASSES-DAG: dce
