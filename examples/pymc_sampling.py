"""The eight schools of Rubin (1981), sampled by PyMC with compiled densities.

Needs `pip install "loopweld[pytensor]" pymc` and Python 3.12.
"""

import logging

import numpy as np
import pymc as pm

import loopweld.pytensor  # noqa: F401  (makes the mode known)

logging.getLogger("pymc").setLevel(logging.ERROR)
effect = np.array([28.0, 8, -3, 7, -1, 1, 18, 12])
error = np.array([15.0, 10, 16, 11, 9, 11, 10, 18])

with pm.Model():
    mean, spread = pm.Normal("mean", 0, 5), pm.HalfCauchy("spread", 5)
    school = pm.Normal("school", 0, 1, shape=8)
    pm.Normal("effect", mean + spread * school, error, observed=effect)
    trace = pm.sample(
        500, tune=500, chains=2, cores=1, random_seed=1, progressbar=False, compile_kwargs={"mode": "LOOPWELD"}
    )

draws = trace.posterior["mean"].values
print(f"{draws.size} draws, mean effect {draws.mean():.1f}, standard deviation {draws.std():.1f}")
