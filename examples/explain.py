"""What the compiler decided and why: the report of a function, as a table and as data, and the IR of each stage."""

import numpy as np

import loopweld as lw


@lw.jit
def cross_entropy(logits, labels):
    """The mean negative log probability of each row's label."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_total = np.log(np.exp(shifted).sum(axis=1))
    return (log_total - shifted[np.arange(labels.shape[0]), labels]).mean()


def main():
    rng = np.random.default_rng(0)
    logits, labels = rng.standard_normal((512, 1000), np.float32), rng.integers(0, 1000, 512)
    report = cross_entropy.explain(logits, labels)
    print(report)
    for decision in report.decisions:
        verdict = "fused" if decision.fused else "kept apart"
        print(f"{decision.producer} -> {decision.consumer}: {verdict}, {decision.reason}, {decision.location}")
    print("as data:", sorted(report.to_dict()))
    lowered = cross_entropy.lower(logits, labels)
    for stage in ("tensor", "fused", "kernels", "loops", "llvm"):
        print(f"stage {stage}: {len(lowered.as_text(stage).splitlines())} lines")


if __name__ == "__main__":
    main()
