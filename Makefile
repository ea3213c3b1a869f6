.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin
# Compiled modules are kept, whatever the environment says: each process of the tests would compile
# every package anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo test test-services check fix bench bench-serving bench-models lock

help: ## What there is to make
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/\t/'

setup: .venv/installed ## The environment, from the lock file

# --no-deps: the lock names every package, and leaves out one GPU library that xgboost asks for.
.venv/installed: requirements.lock pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: setup ## A simulated business, from raw events to a report and a ready service
	$(BIN)/holdfast demo

test: setup ## Every test that needs nothing but this environment
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not spark and not services"

test-services: setup ## The tests that need Java, Redis, Postgres or a browser
	$(BIN)/pytest -m "spark or services"

check: setup ## Style, docstrings, types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: setup ## What the linter and the formatter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## Build, online and batch beside named rivals
	$(BIN)/python -m tests.benchmarks

bench-serving: setup ## The service beside plain FastAPI (needs wrk), and the batch
	$(BIN)/python -m tests.benchmarks serving batch

bench-models: setup .venv/peers ## Forecasts beside lifetimes, pymc-marketing, LightGBM, an oracle (an hour)
	$(BIN)/python -m tests.benchmarks.models

.venv/peers: requirements-peers.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile --no-deps --require-hashes -r requirements-peers.lock
	touch $@

lock: ## Pin every package anew (needs uv)
	uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--extra production --group dev --no-header pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --no-emit-index-url --python-version 3.11 \
		--group peers --constraint requirements.lock --no-header -o requirements-peers.lock
