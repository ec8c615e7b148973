.DEFAULT_GOAL := help
.PHONY: help serve test test-all coverage test-clients bench bench-peers lint types check format

PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|' 2>/dev/null \
	  || sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1  \2/p' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@echo "creating .venv and installing; once, about a minute"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Soundstage needs Python 3.11 or newer: make PYTHON=python3.11 ...")'
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -c constraints.txt -e '.[dev]'
	@touch $(READY)

serve: $(READY) ## serve the APIs on http://127.0.0.1:4010 (ARGS='--speed 60')
	@$(BIN)/soundstage serve $(ARGS)

# --dist loadfile keeps the tests of one file in one process: they share session fixtures
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile -q
test: $(READY) ## run the fast tests, about 90 seconds (ARGS='-k law')
	@$(PYTEST) -m 'not slow' $(ARGS)

test-all: $(READY) ## run all tests, also those that spawn processes
	@$(PYTEST) $(ARGS)

# every operation, status, parameter and enum value of the vendors' contracts must be exercised,
# except for the exceptions with a reason in tests/coverage.yaml
COVERAGE := $(foreach api,algolia-ingestion runwisp trieve trigger-dev,--soundstage-coverage-api $(api))
coverage: ## run all tests, and fail if they exercise less than the whole contracts
	@$(MAKE) --no-print-directory test-all ARGS='--soundstage-coverage-fail-under 100 \
	  --soundstage-coverage-except tests/coverage.yaml $(COVERAGE) $(ARGS)'

# npm installs the versions in package-lock.json and runs no install scripts
JAVASCRIPT := tests/clients/javascript
test-clients: $(READY) ## test with the official clients, in Python and JavaScript
	@if command -v npm >/dev/null; then \
	  npm ci --prefix $(JAVASCRIPT) --ignore-scripts --no-audit --no-fund --loglevel=error \
	    || { rm -rf $(JAVASCRIPT)/node_modules; echo "skipping the JavaScript clients: npm could not install them"; }; \
	else \
	  echo "skipping the JavaScript clients: there is no npm on this machine"; \
	fi
	@$(PYTEST) tests/clients $(ARGS)

BENCH_READY := .venv/.bench
$(BENCH_READY): $(READY)
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -c constraints.txt -e '.[bench]'
	@touch $(BENCH_READY)

bench: $(BENCH_READY) ## measure on an idle machine, ten minutes (needs wrk; ARGS='requests')
	@$(BIN)/python -m benchmarks --save $(ARGS)

PEERS := benchmarks/peers
bench-peers: $(READY) ## measure other mock servers with the same requests (needs npm)
	@npm ci --prefix $(PEERS) --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(BIN)/python -m benchmarks.peers.measure

lint: $(READY) ## check style and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

types: $(READY) ## mypy --strict
	@$(BIN)/mypy

check: test-all lint types ## run all tests, lint, types, and validate contracts and fixtures
	@$(BIN)/soundstage check

format: $(READY) ## format the code
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
