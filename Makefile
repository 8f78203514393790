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

.PHONY: help install browser demo test test-unit test-stack test-faults lint format types bench soak up down clean generated lock bundle bundle-test sbom audit-dependencies

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

test: install browser lint types test-stack ## Set everything up and run every check and test
	@set -a; . $(TEST_HOME)/env; set +a; \
	    status=0; MAKEFLAGS= CANHDICH_REQUIRE_NATIVE=1 $(BIN)/pytest -n 3 --dist loadscope --no-loadscope-reorder || status=$$?; \
	    $(TEST_NATIVE) $(NATIVE) down; exit $$status

# The pages are tested in Debian's own Chromium: Playwright's download is not wanted, and may not be reachable.
browser:
	@test -x /usr/bin/chromium || { test "$$(id -u)" = 0 && command -v apt-get > /dev/null \
	    && echo "Installing Chromium for the tests of the pages ..." \
	    && apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium > /dev/null; } \
	    || { echo "Chromium is missing: sudo apt-get install chromium"; exit 1; }

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

soak: install ## Half an hour of 500 events a second with imports, questions and alerts; what grows is found (SOAK_MINUTES)
	@$(NATIVE) up
	@$(BIN)/python -m tests.soak

generated: install ## Make anew what is generated: AsyncAPI, JSON schemas, boards, the table of settings
	@$(BIN)/python -m schemas.asyncapi
	@$(BIN)/python -m schemas.kubernetes
	@$(BIN)/python -m dashboards
	@$(BIN)/python -m services.settings_table
	@$(BIN)/python -m services.intake.people.rights_table

# Of its own, as it must not meet the versions that it looks at. Needs PyPI itself: a mirror knows no vulnerabilities.
AUDIT_VENV := $(CURDIR)/.native/audit
audit-dependencies: ## Compare the locked versions with published vulnerabilities (asks PyPI; fails where it cannot)
	@test -x $(AUDIT_VENV)/bin/pip-audit || { $(PYTHON) -m venv $(AUDIT_VENV) \
	    && $(AUDIT_VENV)/bin/pip install --quiet --disable-pip-version-check pip-audit; }
	@$(AUDIT_VENV)/bin/pip-audit --strict --disable-pip --require-hashes --requirement requirements.lock

bundle: install ## Gather build/bundle, from which a machine without internet is installed (BUNDLE_KEY=ssh key to sign with)
	@rm -rf build/bundle
	@$(BIN)/python -m deploy.bundle build/bundle $(if $(BUNDLE_KEY),--key $(BUNDLE_KEY))

bundle-test: ## Install build/bundle into an empty folder without a network (after make bundle)
	@test -d build/bundle || { echo "There is no build/bundle: make bundle"; exit 1; }
	@rm -rf build/installed
	@unshare --map-root-user --net build/bundle/install.sh --unsigned build/installed

sbom: install ## Write build/sbom.cdx.json: what the image and the bundle install (CycloneDX)
	@rm -rf build/runtime && mkdir -p build
	@test -d build/bundle || $(BIN)/python -m deploy.bundle --no-native build/bundle
	@$(PYTHON) -m venv --without-pip build/runtime
	@$(BIN)/pip --quiet --disable-pip-version-check --python build/runtime/bin/python install --no-index --find-links build/bundle/wheels canhdich
	@$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible --output-file build/sbom.cdx.json build/runtime/bin/python

lock: ## Resolve the versions anew
	@$(BIN)/uv pip compile pyproject.toml --extra dev --extra catalogue --generate-hashes --no-emit-index-url --quiet -o requirements.lock
	@$(BIN)/uv pip compile tests/bench/quix/requirements.in --generate-hashes --no-emit-index-url --universal --python-version 3.11 --quiet -o tests/bench/quix/requirements.lock

clean: down ## Stop everything and delete data, virtual environment and caches; downloads stay
	@$(NATIVE) wipe
	@$(TEST_NATIVE) $(NATIVE) down
	@$(TEST_NATIVE) $(NATIVE) wipe
	@rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache *.egg-info
