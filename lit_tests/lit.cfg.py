"""lit's configuration: `.venv/bin/lit lit_tests`. `tests/test_lit.py` runs the same files faster, in one process."""

import os
import sys

import lit.formats

here = os.path.dirname(__file__)

config.name = "loopweld"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_source_root = here
config.test_exec_root = os.path.join(here, "..", "build", "lit")
config.environment["PATH"] = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
config.environment["LOOPWELD_CACHE_DIR"] = "off"
