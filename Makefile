# Two commands do all the set-up on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test lint bench fuzz-engines slow clean

$(VENV)/run.stamp: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable .
	touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

# The demo's manifests hold mistakes on purpose: exit code 1 is the expected one.
demo: $(VENV)/run.stamp
	@$(BIN)/k8snetlint check fixtures/demo || test $$? -eq 1

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 -m "not network and not slow"

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# For hours: FUZZ_EXAMPLES=100000 make fuzz-engines
fuzz-engines: $(VENV)/dev.stamp
	K8SNETLINT_FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-5000} $(BIN)/python -m pytest -n 2 tests/analysis/test_engines_agree.py \
		tests/analysis/test_port_paths.py tests/analysis/test_exposure.py

slow: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 -m slow

bench: $(VENV)/dev.stamp
	$(BIN)/python -m bench

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
