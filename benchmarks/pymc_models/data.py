"""The random numbers that the models' data are made of."""

import numpy as np

rng = np.random.default_rng(1)
