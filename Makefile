.DEFAULT_GOAL := help
.PHONY: help serve test coverage test-clients bench bench-peers lint types check format

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

# a client's story is told by one process, from start to end: --dist loadfile
test: $(READY) ## run the tests (ARGS='-k law')
	@$(BIN)/python -m pytest -n 2 --dist loadfile -q $(ARGS)

# every operation, status, parameter and listed value of the vendors' contracts, or the reason why not
COVERAGE := $(foreach api,algolia-ingestion runwisp trieve trigger-dev,--soundstage-coverage-api $(api))
coverage: ## make test, held to the whole of the contracts
	@$(MAKE) --no-print-directory test ARGS='--soundstage-coverage-fail-under 100 \
	  --soundstage-coverage-except tests/coverage.yaml $(COVERAGE) $(ARGS)'

# npm fetches what package-lock.json names, and runs none of its scripts
JAVASCRIPT := tests/clients/javascript
test-clients: $(READY) ## run the official clients' stories, JavaScript's too
	@if command -v npm >/dev/null; then \
	  npm ci --prefix $(JAVASCRIPT) --ignore-scripts --no-audit --no-fund --loglevel=error \
	    || { rm -rf $(JAVASCRIPT)/node_modules; echo "skipping the JavaScript clients: npm could not install them"; }; \
	else \
	  echo "skipping the JavaScript clients: there is no npm on this machine"; \
	fi
	@$(BIN)/python -m pytest -n 2 --dist loadfile -q tests/clients $(ARGS)

DRAWING := .venv/.drawing
$(DRAWING): $(READY)
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar off -c constraints.txt -e '.[bench]'
	@touch $(DRAWING)

bench: $(DRAWING) ## measure on a quiet machine, ten minutes (needs wrk; ARGS='requests')
	@$(BIN)/python -m benchmarks --save $(ARGS)

PEERS := benchmarks/peers
bench-peers: $(READY) ## the same requests, answered by other mock servers (needs npm)
	@npm ci --prefix $(PEERS) --ignore-scripts --no-audit --no-fund --loglevel=error
	@$(BIN)/python -m benchmarks.peers.measure

lint: $(READY) ## style, and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/lint-imports --no-logo 2>/dev/null || $(BIN)/lint-imports

types: $(READY) ## mypy --strict
	@$(BIN)/mypy

check: test lint types ## everything: tests, lint, types, contracts and fixtures
	@$(BIN)/soundstage check

format: $(READY) ## write the code as ruff has it
	@$(BIN)/ruff check --fix --quiet .
	@$(BIN)/ruff format --quiet .
