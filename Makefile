# Python 3.11 or later and make are all it needs; everything else goes into $(VENV).

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

BIN = $(VENV)/bin
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo venv test docs lint format types prometheus browser screenshots lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s%s\n", $$1, $$2}' Makefile
	@echo 'ARGS="…" is handed on to demo, test (pytest) and lock (uv); PYTHON=python3.13 chooses the Python.'

demo: $(VENV)/.program ## run everything against a simulated registry, until Ctrl-C
	@exec $(BIN)/ncr-exporter demo $(ARGS)

venv: $(VENV)/.program $(VENV)/.dev ## make .venv with the program and all development tools

# Only a whole run can reach the coverage that pyproject.toml asks for: with ARGS it is shown, not judged.
test: lint types prometheus browser ## lint, types, then all tests with branch coverage
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(ARGS)
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report $(if $(ARGS),--fail-under=0)

docs: venv ## write the documents that follow from the code
	@$(BIN)/python -m tools.documents

lint: venv ## ruff: rules and format
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .

format: venv ## let ruff mend what it can and format the rest
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

types: venv ## mypy, strict
	$(BIN)/mypy

prometheus: $(VENV)/.base ## get Debian's Prometheus, promtool and node_exporter for the tests, without installing them
	@$(BIN)/python -m tools.get_prometheus
	@$(BIN)/python -m tools.get_node_exporter

browser: $(VENV)/.base ## install Debian's Chromium for the tests, where root may
	@$(BIN)/python -m tools.get_browser

screenshots: venv browser ## pictures of the status page, to be looked at, in build/screenshots
	@$(BIN)/python -m tests.screenshots

# Each lock is bound by the one before, since all of them go into one environment.
# It asks for the tools alone: the program cannot be installed while its lock is behind pyproject.toml.
# hatchling itself asks for editables where it builds for pip install -e.
lock: $(VENV)/.dev ## write requirements/*.txt anew (ARGS=--upgrade for newer versions)
	$(COMPILE) pyproject.toml -o requirements/runtime.txt $(ARGS)
	$(COMPILE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt $(ARGS)
	$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], "editables", sep="\n")' \
		| $(COMPILE) - -c requirements/dev.txt -o requirements/build.txt $(ARGS)

clean: ## remove whatever make and the tools have made
	rm -rf $(VENV) .cache .coverage .coverage.* .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Emptied, not added to: what a lock no longer names must not stay importable.
$(VENV)/.base: requirements/runtime.txt requirements/build.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(None if v >= (3, 11) else "Python 3.11 or later is needed, $(PYTHON) is %d.%d: name another, as in make PYTHON=python3.13" % v[:2])'
	@echo "Making $(VENV), once; it downloads from the Python package index."
	@$(PYTHON) -m venv --clear $(VENV)
	@$(PIP_INSTALL) --require-hashes -r requirements/runtime.txt -r requirements/build.txt
	@touch $@

# The version stands in __init__.py. pip check tells when a lock is behind pyproject.toml.
$(VENV)/.program: $(VENV)/.base pyproject.toml ncr_exporter/__init__.py
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check >$(VENV)/pip-check.txt || { cat $(VENV)/pip-check.txt; echo 'The locks are behind pyproject.toml: make lock'; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	@echo "Adding the development tools to $(VENV)."
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@
