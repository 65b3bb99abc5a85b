// Times, statistics, drawings and remarks.
// RUN: loopweld-opt %s -p cse,canonicalize --mlir-timing --mlir-timing-display=list 2>&1 | filecheck %s --check-prefix=LIST
// RUN: loopweld-opt %s -p cse --mlir-timing --mlir-output-format=json 2>&1 | filecheck %s --check-prefix=JSON
// RUN: loopweld-opt %s -p loopweld-pipeline --mlir-pass-statistics 2>&1 | filecheck %s --check-prefix=STATISTICS
// RUN: loopweld-opt %s --view-graph 2>&1 | filecheck %s --check-prefix=DOT
// RUN: loopweld-opt %s -p loopweld-pipeline --remarks-filter=. --remark-format=yaml --remarks-output-file=%t && filecheck %s --check-prefix=YAML --input-file=%t
// RUN: loopweld-opt %s -p loopweld-pipeline --remarks-filter-analyse=. 2>&1 | filecheck %s --check-prefix=ANALYSIS

// LIST:            Execution time report
// LIST:            ----Wall Time----  ----Name----
// LIST:            Total

// JSON:            "name": "Parser"
// JSON:            "name": "cse"
// JSON:            "percentage": 100.0
// JSON:            "name": "Total"

// STATISTICS:      Pass statistics report
// STATISTICS:      FuseProducers
// STATISTICS-NEXT:   (S){{ *[0-9]+}} num-ops-before
// STATISTICS-NEXT:   (S){{ *[0-9]+}} num-ops-after
// STATISTICS-NEXT:   (S)     1 num-fused
// STATISTICS-NEXT:   (S)     0 num-refused

// DOT:             digraph G {
// DOT:               v0 [label = "x", shape = ellipse];
// DOT-NEXT:          v1 [label = "exp"];
// DOT-NEXT:          v2 [label = "neg"];
// DOT-NEXT:          v3 [label = "out0", shape = ellipse];
// DOT-NEXT:          v0 -> v1;
// DOT-NEXT:          v1 -> v2;
// DOT-NEXT:          v2 -> v3;

// YAML:            --- !Passed
// YAML-NEXT:       Pass:            fusion
// YAML-NEXT:       Name:            fuse
// YAML-NEXT:       DebugLoc:        { File: {{.*}}reports.mlir, Line: {{[0-9]+}}, Column: 8 }
// YAML-NEXT:       Function:        '<unknown function>'
// YAML-NEXT:       Args:
// YAML-NEXT:         - Remark:          'fuse: exp -> neg'
// YAML-NEXT:         - Reason:          elementwise-producer
// YAML-NEXT:         - BytesSaved:      '8 * s0'
// YAML-NEXT:       ...
// YAML-NEXT:       --- !Analysis
// YAML:            Function:        main

// ANALYSIS-NOT:    [Passed]
// ANALYSIS:        remark: [Analysis] kernel: k0_exp_neg | Category:kernels | Function={{.*}} | Loops=1, Ops=exp+neg, SharedDims=0

func.func @main(%x: tensor<?xf32>) -> tensor<?xf32> {
  %0 = weld.exp %x : tensor<?xf32>
  %1 = weld.neg %0 : tensor<?xf32>
  func.return %1 : tensor<?xf32>
}
