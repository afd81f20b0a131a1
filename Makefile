# `make help` lists the targets; a comment after a target's name is its line there.
.DEFAULT_GOAL := help
.PHONY: help setup demo docs screenshots up test check format bench bench-giga drill load lock clean
SHELL := /bin/sh
MAKEFLAGS += --no-print-directory

BIN := .venv/bin

IMAGE ?= examples/dandelion.jpg
OPS ?= canny
FORMAT ?= png
PAGE_PORT ?= 8501
API_PORT ?= 7071
STORAGE_PORT ?= 10000
PYTEST_FLAGS ?=
BENCH_FLAGS ?=
DRILL_FLAGS ?=
LOAD_FLAGS ?=
LOCK_FLAGS ?=

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup:  ## install everything into .venv and node_modules (done by the other targets too)
	@scripts/setup.sh

demo: setup  ## process a photograph with the whole stack (IMAGE=file OPS="median_blur:ksize=5 canny" FORMAT=png|jpeg)
	@$(BIN)/python scripts/demo.py --image "$(IMAGE)" --ops "$(OPS)" --format "$(FORMAT)"

docs: setup  ## make docs/operations.md and its pictures again, from the catalogue
	@$(BIN)/python -m scripts.operations_doc

screenshots: setup  ## take the pictures of docs/user-guide.md again
	@$(BIN)/python scripts/page_screenshots.py

up: setup  ## run the stack and its page until Ctrl-C (PAGE_PORT=8501 API_PORT=7071 STORAGE_PORT=10000)
	@$(BIN)/python scripts/up.py --page-port "$(PAGE_PORT)" --api-port "$(API_PORT)" --storage-port "$(STORAGE_PORT)"

test: check  ## set up, check and run all tests (PYTEST_FLAGS="-k name" for some)
	@$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder \
		$(PYTEST_FLAGS)

check: setup  ## lint, formatting, types, the direction of imports and the packages
	@echo "ruff" && $(BIN)/ruff check --quiet
	@echo "ruff format" && $(BIN)/ruff format --check --quiet || { $(BIN)/ruff format --check; false; }
	@echo "mypy" && $(BIN)/mypy --no-error-summary --num-workers auto
	@echo "import contracts" && $(BIN)/lint-imports --no-logo
	@echo "packages" && $(BIN)/python -m pip check

format: setup  ## rewrite the code as `make check` wants it
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: setup  ## compare with other libraries, into benchmarks/RESULTS.md (BENCH_FLAGS="--megapixels 12")
	@$(BIN)/pip install --quiet --requirement requirements-bench.txt
	@$(BIN)/python -m benchmarks.peers --write $(BENCH_FLAGS)

bench-giga: setup  ## images of a gigapixel: memory, seconds, disk (BENCH_FLAGS="--megapixels 100 --only canny")
	@$(BIN)/python -m benchmarks.giga --write $(BENCH_FLAGS)

drill: setup  ## run jobs while storage, workers and the host are made to fail (DRILL_FLAGS="--jobs 100 --seed 2")
	@$(BIN)/python -m drill faults $(DRILL_FLAGS)

load: setup  ## run many small jobs at once and watch answers and memory (LOAD_FLAGS="--minutes 30")
	@$(BIN)/python -m drill load $(LOAD_FLAGS)

# No index, no file of links: a lock file is the same wherever it is compiled.
PIP_COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(LOCK_FLAGS)

lock: setup  ## compile requirements*.txt and package-lock.json again (LOCK_FLAGS=--upgrade for newer versions)
	@$(PIP_COMPILE) --output-file requirements.txt requirements.in
	@$(PIP_COMPILE) --output-file requirements-page.txt requirements-page.in
	@$(PIP_COMPILE) --output-file requirements-dev.txt requirements-dev.in
	@$(PIP_COMPILE) --output-file requirements-infra.txt requirements-infra.in
	@$(PIP_COMPILE) --output-file requirements-bench.txt requirements-bench.in
	@scripts/npm.sh install --package-lock-only --ignore-scripts

clean:  ## remove what was installed and made, back to a fresh checkout
	@rm -rf .azurite .emulator .venv .venv-infra node_modules .setup.log .setup.lock \
		.venv-infra.lock tessera/compiled/_library.* build dist out *.egg-info \
		.pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
