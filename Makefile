# Every step of the pipeline is one target. `make plan` and `make test` work on a
# fresh machine: they build the environment in .venv from requirements.lock first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
KERNELS := $(VENV)/.kernels
DATE ?= tomorrow
PYTEST_WORKERS ?= 4
DATA ?=
PARTS ?=

.DEFAULT_GOAL := help
.PHONY: help setup backends plan test kubernetes check fix format lint types imports coverage golden soak bench rivals build lock picture clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-11s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(STAMP) ## build the environment in .venv from requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(STAMP)

backends: setup ## add what the tests of the executor's back ends need
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-backends.lock

plan: setup ## plan tomorrow on the example workspace in demo/, offline
	@test -f demo/planner.toml || $(BIN)/planner init demo
	$(BIN)/planner -C demo solve --date $(DATE)

# Tests start the program hundreds of times: what Python compiled once is kept, even
# where the environment asks it not to.
test coverage soak: export PYTHONDONTWRITEBYTECODE :=

$(KERNELS): $(STAMP) tests/kernels.py $(wildcard solvers/*.py solvers/*/*.py)
	@$(BIN)/python -m tests.kernels
	@touch $(KERNELS)

# A file's tests stay with one worker: what they load and start is loaded and started once.
PYTEST := $(BIN)/python -m pytest -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder

test: setup $(KERNELS) ## run the tests, without the long versions
	$(PYTEST)

kubernetes: setup ## build a Kubernetes server, once, and ask its back end for real
	tests/servers/build-kube-apiserver.sh
	$(BIN)/python -m pytest -rs -k kubernetes tests/faults/test_kubernetes_server.py \
	  tests/faults/test_kubernetes_outages.py tests/contract/test_backend_contract.py

check: format lint types imports test ## everything that CI asks for

format: setup ## tell which files are not formatted
	$(BIN)/ruff format --check .

lint: setup ## find faults of style
	$(BIN)/ruff check .

types: setup ## check the types
	$(BIN)/mypy

imports: setup ## check who imports whom
	$(BIN)/lint-imports

fix: setup ## format and mend what can be mended by machine
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: setup ## run the tests and tell which lines they never reach
	$(PYTEST) --cov

golden: setup ## write the golden reports anew; review the diff
	$(BIN)/python -m tests.golden.rewrite_report

soak: setup ## run the long versions of the proofs, some minutes each
	$(BIN)/python -m pytest -n $(PYTEST_WORKERS) -m slow --durations=0

bench: setup ## measure and write benchmarks/RESULTS.md; PARTS="size-1000 awkward" for some
	$(BIN)/python -m benchmarks $(PARTS)
	@if [ -n "$(DATA)" ]; then $(BIN)/python benchmarks/trace_days.py --data "$(DATA)"; fi

build: setup ## pack the wheel into dist/
	$(BIN)/python -m hatchling build -t wheel

lock: ## write both locks anew (needs uv)
	uv pip compile pyproject.toml --group dev --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-annotate --custom-compile-command "make lock" \
	  --output-file requirements.lock
	uv pip compile pyproject.toml --all-extras --group dev --group backends --universal \
	  --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate \
	  --custom-compile-command "make lock" --constraint requirements.lock \
	  --output-file requirements-backends.lock

RIVALS := $(patsubst benchmarks/rivals/requirements/%.txt,benchmarks/work/rivals/%/.ready,$(wildcard benchmarks/rivals/requirements/*.txt))

rivals: setup $(RIVALS) ## plan the same days with other tools, side by side
	$(BIN)/python -m benchmarks.rivals

# A tool that cannot be installed is left out of the comparison, which says so.
benchmarks/work/rivals/%/.ready: benchmarks/rivals/requirements/%.txt
	-$(PYTHON) -m venv $(@D) && $(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $< && touch $@

picture: setup ## draw the picture of the README from the example day
	$(BIN)/python -m docs.images.terminal

clean: ## remove the environment and the demo workspace
	rm -rf $(VENV) demo
