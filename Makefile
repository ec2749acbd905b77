# Four words: demo, test, check, format; `make` alone says all.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# One more than there are cores, since tests wait as well; each may start an API server of its own, which takes 600 MB.
WORKERS ?= $(shell cores=$$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2); echo $$((cores < 4 ? cores + 1 : 5)))

.PHONY: help demo test test-kube test-thorough test-kind test-forge test-proxy build-kube e2e check golden format lock bench bench-peers clean

help:            ## Say what can be made
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/ -/'

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

MLSERVER := .cache/mlserver
$(MLSERVER)/stamp: tests/mlserver/requirements.lock
	$(PYTHON) -m venv --clear $(MLSERVER)
	$(MLSERVER)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

test: build-kube check $(MLSERVER)/stamp ## Everything the tests need, then the tests
	tests/install-servers.sh
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

build-kube:      # kube-apiserver, kustomize, kubectl, once, at lowest priority beside all else; tests that need them wait
	@if command -v go >/dev/null; then (cd tests/kube && ./build.sh && ./kustomize.sh && ./kubectl.sh) >/dev/null & fi

test-kube: $(VENV)/dev.stamp ## Only the tests on a real kube-apiserver, or on HUBCTL_TEST_KUBECONFIG's cluster
	$(BIN)/python -m pytest -m kube

test-thorough: $(VENV)/dev.stamp ## The suite, with every test that tries again and again trying more often (half an hour)
	HUBCTL_TEST_THOROUGH=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-kind: $(VENV)/dev.stamp ## The same on a kind cluster, made and removed (needs Go or kind, and a container engine)
	PYTHON=$(BIN)/python tests/kube/kind.sh

e2e: $(VENV)/dev.stamp ## Let a real Argo CD deliver to a real kube-apiserver (needs Go; the first run builds both, 15 minutes)
	$(BIN)/python -m pytest -m argo

test-forge: $(VENV)/dev.stamp ## Open pull requests on a real Gitea (needs Go and a C compiler; the first run builds for minutes)
	$(BIN)/python -m pytest -m forge

test-proxy: $(VENV)/dev.stamp ## Ask a real cluster-proxy (needs Go and user namespaces; the first run builds for minutes)
	$(BIN)/python -m pytest -m clusterproxy

golden: $(VENV)/dev.stamp ## Write the golden trees anew; review the difference
	HUBCTL_REFRESH_GOLDEN=1 $(BIN)/python -m pytest -q tests/golden

format: $(VENV)/dev.stamp ## Rewrite the code in the house's format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

bench: $(VENV)/dev.stamp ## Run the benchmarks; prints ours, the floor and the ratio
	$(BIN)/python benchmarks/render.py --no-peers
	$(BIN)/python benchmarks/publish.py
	$(BIN)/python benchmarks/fetch.py
	$(BIN)/python benchmarks/validate.py
	$(BIN)/python benchmarks/aggregate.py --runs 3
	$(BIN)/python benchmarks/poll.py
	$(BIN)/python benchmarks/discover.py
	$(BIN)/python -m benchmarks.store

PEERS := .cache/peers
$(PEERS)/stamp: benchmarks/peers/kapitan.lock benchmarks/peers/make-argocd-fly.lock benchmarks/peers/kustomize/go.sum
	for peer in kapitan make-argocd-fly; do \
	  $(PYTHON) -m venv --clear $(PEERS)/$$peer && $(PEERS)/$$peer/bin/python -m pip install --quiet \
	    --disable-pip-version-check --require-hashes -r benchmarks/peers/$$peer.lock || exit 1; done
	CGO_ENABLED=0 go -C benchmarks/peers/kustomize build -trimpath -o $(CURDIR)/$(PEERS)/kustomize \
	  sigs.k8s.io/kustomize/kustomize/v5
	touch $@

bench-peers: $(VENV)/dev.stamp $(PEERS)/stamp ## Render with Kapitan, make-argocd-fly and kustomize too; takes half an hour
	$(BIN)/python benchmarks/render.py --peers

lock:            ## Refresh the lock files (needs uv)
	uv pip compile pyproject.toml --group dev --extra demo --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -q -o requirements/dev.lock
	uv pip compile pyproject.toml --group build --extra demo -c requirements/dev.lock --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -q -o requirements/demo.lock
	uv pip compile pyproject.toml --group build --extra postgresql --extra dask -c requirements/dev.lock --python-platform linux \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-header -q -o requirements/run.lock
	uv pip compile tests/mlserver/requirements.in --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -q -o tests/mlserver/requirements.lock
	for peer in kapitan make-argocd-fly; do uv pip compile benchmarks/peers/$$peer.in --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-header -q -o benchmarks/peers/$$peer.lock || exit 1; done

clean:           ## Remove what was built and cached
	rm -rf $(VENV) $(PEERS) $(MLSERVER) .hubctl .mypy_cache .ruff_cache .pytest_cache .hypothesis
