"""A hierarchical model of PyMC: its log density and gradient are one native call.

Needs `pip install "loopweld[pytensor]" pymc` and Python 3.12.
"""

import numpy as np
import pymc as pm

import loopweld.pytensor

COUNTIES, HOUSES = 85, 919
rng = np.random.default_rng(0)
county, floor = rng.integers(0, COUNTIES, HOUSES), rng.integers(0, 2, HOUSES).astype(float)
radon = rng.normal(1.4, 0.3, COUNTIES)[county] - 0.7 * floor + rng.normal(0, 0.8, HOUSES)

with pm.Model() as model:
    mean, spread = pm.Normal("mean", 0, 5), pm.HalfNormal("spread", 2)
    level = pm.Normal("level", mean, spread, shape=COUNTIES)
    slope, noise = pm.Normal("slope", 0, 5), pm.HalfNormal("noise", 2)
    pm.Normal("radon", level[county] + slope * floor, noise, observed=radon)

point = pm.blocking.DictToArrayBijection.map(model.initial_point()).data + 0.1
fast, slow = (model.logp_dlogp_function(ravel_inputs=True, mode=mode) for mode in ("LOOPWELD", "FAST_COMPILE"))
for function in (fast, slow):
    function.set_extra_values({})
value, gradient = fast(point)
expected, exact = slow(point)

report = loopweld.pytensor.report(fast)
print(f"log density {value:.3f}  largest difference of the gradient {np.abs(gradient - exact).max():.1e}")
print(f"native programs {len(report.segments)}  kernels {report.kernels}  run by PyTensor {report.fallbacks}")
