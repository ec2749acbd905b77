# Four words: demo, test, check, format; `make` alone says all.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: help demo test test-kube test-forge check golden format lock bench clean

help:            ## Say what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

$(VENV)/demo.stamp: requirements/demo.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/demo.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/dev.stamp: requirements/dev.lock pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(VENV)/demo.stamp ## Run the whole loop on real model servers; ends by itself
	$(BIN)/hubctl demo

check: $(VENV)/dev.stamp ## Lint, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check      ## Everything the tests need, then the tests
	tests/install-servers.sh
	$(BIN)/python -m pytest

test-kube: $(VENV)/dev.stamp ## Send every manifest to a real kube-apiserver (needs Go; the first run builds for minutes)
	$(BIN)/python -m pytest -m kube

test-forge: $(VENV)/dev.stamp ## Open pull requests on a real Gitea (needs Go and a C compiler; the first run builds for minutes)
	$(BIN)/python -m pytest -m forge

golden: $(VENV)/dev.stamp ## Write the golden trees anew; review the difference
	HUBCTL_REFRESH_GOLDEN=1 $(BIN)/python -m pytest -q tests/golden

format: $(VENV)/dev.stamp ## Rewrite the code in the house's format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/dev.stamp ## Run the benchmarks; prints ours, the floor and the ratio
	$(BIN)/python benchmarks/render.py
	$(BIN)/python benchmarks/publish.py
	$(BIN)/python benchmarks/poll.py

lock:            ## Refresh the lock files (needs uv)
	uv pip compile pyproject.toml --group dev --extra demo --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -q -o requirements/dev.lock
	uv pip compile pyproject.toml --group build --extra demo -c requirements/dev.lock --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -q -o requirements/demo.lock

clean:           ## Remove what was built and cached
	rm -rf $(VENV) .hubctl .mypy_cache .ruff_cache .pytest_cache .hypothesis
