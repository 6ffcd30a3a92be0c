# Everything from a bare clone with python3 (3.11 or newer), venv and pip. `make help` lists what there is.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: -c constraints.txt
WORKERS ?= auto
PYTEST_ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help demo test lint docs clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(VENV)/.run ## Simulate the published case and open its report (in demo-out/)
	@$(BIN)/osteon demo

test: $(VENV)/.test ## Run the tests
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 $(PYTEST_ARGS)

lint: $(VENV)/.lint ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/lint-imports

docs: $(VENV)/.run ## Write docs/equations.md again from the model
	$(BIN)/python -m osteon.exchange.equations

clean: ## Remove the environment and everything that was made
	rm -rf $(VENV) build dist demo-out osteon-out .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests examples -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "osteon needs Python 3.11 or newer as $(PYTHON), and here is $$($(PYTHON) --version 2>/dev/null || echo none); name another with: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo "$(PYTHON) cannot make a virtual environment; on Debian and Ubuntu install python3-venv." >&2; exit 1; }

# One stamp for each set of packages; installed again only when the list of packages changes.
$(VENV)/.run: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing osteon into $(VENV) (once; about a minute)"
	@$(PIP) -e .
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing osteon and what its tests need into $(VENV) (once; about two minutes)"
	@$(PIP) -e '.[test]'
	@touch $@ $(VENV)/.run

$(VENV)/.lint: pyproject.toml constraints.txt | $(BIN)/python
	@$(PIP) -e '.[lint]'
	@touch $@ $(VENV)/.run
