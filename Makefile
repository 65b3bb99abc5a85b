# make demo   the environment and the main job
# make test   the environment and every check
# make lint   only ruff and pyright
# make docs   the documents as a site
# make clean  back to a fresh clone
#
# PYTHON=python3.12 picks the interpreter (else the newest that works), VENV=folder the environment.

VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test lint docs clean links

demo: $(VENV)/.installed
	$(BIN)/python -m loopweld demo

test: $(VENV)/.installed-dev links
	$(BIN)/python -m pytest -q -n auto
	$(BIN)/lit -q lit_tests/tools
	$(MAKE) lint

lint: $(VENV)/.installed-dev links
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python

# The documents as a site in build/site; dead links are errors.
docs: $(VENV)/.installed-docs
	$(BIN)/python tools/pages.py
	$(BIN)/mkdocs build --quiet

clean:
	rm -rf .venv build dist .pytest_cache .ruff_cache .hypothesis

# The environment. A stamp says what is installed; it is older than pyproject.toml when that has changed.

$(VENV)/.made: .ci/make-venv
	.ci/make-venv $(VENV) $(PYTHON)
	touch $@

$(VENV)/.installed: $(VENV)/.made pyproject.toml
	$(PIP) -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.made pyproject.toml
	$(PIP) -e '.[dev]'
	touch $@ $(VENV)/.installed

$(VENV)/.installed-docs: $(VENV)/.made pyproject.toml
	$(PIP) -e '.[docs]'
	touch $@ $(VENV)/.installed

# An environment whose interpreter has gone is made anew.
ifneq ($(shell $(BIN)/python -c 'print(1)' 2>/dev/null),1)
.PHONY: $(VENV)/.made
endif

# The package as an installed copy has it, so that pyright resolves `loopweld.compiler` and the like in the tests.
links:
	@rm -rf build/typing && mkdir -p build/typing/loopweld
	@cd build/typing/loopweld && ln -s ../../../compiler ../../../dialects ../../../passes ../../../loopweld/*.py ../../../loopweld/pytensor .
