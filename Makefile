# `make demo` and `make test` are all that a newcomer needs; everything is installed below this folder.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NATIVE := $(PYTHON) -m deploy.native
BENCH_QUIX_VENV := $(CURDIR)/.native/bench/quix-venv
BENCH_QUIX := $(BENCH_QUIX_VENV)/bin/python
# Tests run on an instance of their own, beside a demo that may be running.
TEST_HOME := $(CURDIR)/.native/test
TEST_NATIVE := CANHDICH_NATIVE_HOME=$(TEST_HOME) CANHDICH_NATIVE_CACHE=$(CURDIR)/.native/cache

.PHONY: help install demo test test-unit test-stack test-faults lint format types bench up down clean generated lock

help: ## Say what the targets do
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 22

install: $(VENV)/.installed ## Set up the virtual environment

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 13))' \
	    || { echo "Python 3.11 or 3.12 is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	@echo "Setting up $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { echo "python3-venv is missing: apt-get install python3-venv"; exit 1; }
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

up: install ## Start Kafka, TimescaleDB, the workers and the intake; return when they are healthy
	@$(NATIVE) up
	@$(BIN)/canhdich up

down: ## Stop everything; the data stays
	@if [ -x $(BIN)/canhdich ]; then $(BIN)/canhdich down; fi
	@$(NATIVE) down

demo: up ## Set everything up, send a simulated year of Lai Châu through it, show the result
	@$(BIN)/canhdich demo

test: install lint types test-stack ## Set everything up and run every check and test
	@set -a; . $(TEST_HOME)/env; set +a; \
	    status=0; CANHDICH_REQUIRE_NATIVE=1 $(BIN)/pytest -n 2 --dist loadscope --no-loadscope-reorder || status=$$?; \
	    $(TEST_NATIVE) $(NATIVE) down; exit $$status

test-stack: install
	@$(TEST_NATIVE) $(NATIVE) up

test-unit: install ## Only the tests that need no server
	@$(BIN)/pytest -m "not native"

test-faults: test-stack ## Kill, stop and truncate servers under 200,000 events (FAULT_SEED, FAULT_EVENTS, FAULT_ROUNDS)
	@set -a; . $(TEST_HOME)/env; set +a; CANHDICH_REQUIRE_NATIVE=1 ALERT_STORM=1000 \
	    $(BIN)/pytest tests/faults tests/integration/streams/test_alert_storm.py
	@$(BIN)/python -m tests.faults everything
	@$(BIN)/python -m tests.faults killed_again_and_again

lint: install ## Style, arrows between packages, SQL
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports
	@$(BIN)/sqlfluff lint --processes 0 schemas/sql

format: install ## Put the code into the common style
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/sqlfluff fix --processes 0 schemas/sql

types: install ## Check the types
	@$(BIN)/mypy streams schemas services deploy dashboards

bench: install $(BENCH_QUIX) ## Measure everything of docs/benchmarks.md; BENCH_QUICK=1 takes five minutes instead of forty
	@$(NATIVE) up
	@BENCH_QUIX_PYTHON=$(BENCH_QUIX) $(BIN)/python -m tests.bench

# Quix Streams wants an older pydantic than ours: an environment of its own.
$(BENCH_QUIX): tests/bench/quix/requirements.lock
	@$(PYTHON) -m venv $(BENCH_QUIX_VENV)
	@$(BENCH_QUIX_VENV)/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement $<
	@touch $@

generated: install ## Make anew what is generated: AsyncAPI, JSON schemas, boards, the table of settings
	@$(BIN)/python -m schemas.asyncapi
	@$(BIN)/python -m dashboards
	@$(BIN)/python -m services.settings_table

lock: ## Resolve the versions anew
	@$(BIN)/uv pip compile pyproject.toml --extra dev --extra catalogue --generate-hashes --no-emit-index-url --quiet -o requirements.lock
	@$(BIN)/uv pip compile tests/bench/quix/requirements.in --generate-hashes --no-emit-index-url --universal --python-version 3.11 --quiet -o tests/bench/quix/requirements.lock

clean: down ## Stop everything and delete data, virtual environment and caches; downloads stay
	@$(NATIVE) wipe
	@$(TEST_NATIVE) $(NATIVE) down
	@$(TEST_NATIVE) $(NATIVE) wipe
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
