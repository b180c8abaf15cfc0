# Everything here works on a bare machine with make and Python >= 3.11: the first target that needs an
# environment makes one in .venv; the system's Python is read, never written. A stamp file in the environment
# says what is installed in it, so that the second time costs nothing.
#
#   EXECUTOR=dask make demo              another executor
#   make test ARGS="-k wait -x"          options for pytest
#   make test WORKERS=0                  one test after another, as in a debugger
#   make test VENV=other PYTHON=/a/path  another environment, made with that Python
#   make test INSTALL=wheels             the wheels in $(DIST) instead of the source tree
#   make test CONSTRAINTS=               the newest versions of everything instead of those in constraints.txt

VENV     ?= .venv
DIST     ?= dist
INSTALL  ?= editable
PYTHON   ?=
ARGS     ?=
OPTIONS  ?=
RELEASE_FOLDER ?=
SITE     ?= build/docs
WORKERS  ?= auto
EXECUTOR ?=
CONSTRAINTS ?= --constraint constraints.txt

HOUSES     := core plugins/local plugins/local_dask plugins/dask
EXAMPLE    := examples/third_party/turgo-futures
PYPROJECTS := $(HOUSES:%=%/pyproject.toml) $(EXAMPLE)/pyproject.toml

BIN      := $(VENV)/bin
PIP      := $(BIN)/python -m pip --disable-pip-version-check -qq install $(CONSTRAINTS)
EDITABLE := $(PIP) --no-build-isolation
# Byte code is kept, whatever is set: each of the thousands of processes of the tests would compile turgo anew.
PYTEST   := PYTHONDONTWRITEBYTECODE= $(BIN)/python tools/with_ctrl_c.py $(BIN)/python -m pytest -p tools.side_by_side.progress -o console_output_style=classic
# Without the tests that share a cluster of the machine: they run one after another, by `make test-clusters`.
ABREAST  := -p tools.side_by_side.workers --numprocesses $(WORKERS) --dist loadscope --no-loadscope-reorder --ignore plugins/dask/tests/clusters

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help demo test test-all test-core test-clusters test-shells fuzz faults lint audit format docs docs-links pictures bench performance wheels release release-check clean

help: ## show this list
	@awk -F ': .*## ' '/^[a-z-]+: .*## / { printf "make %-13s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

# The default executor needs one plugin; only for another one are the others installed.
demo: $(VENV)/.$(if $(filter-out local,$(EXECUTOR)),workspace,demo) ## run the census of the standard library (EXECUTOR=dask make demo for another executor)
	$(strip $(BIN)/turgo run examples/census.py $(if $(EXECUTOR),--executor $(EXECUTOR)))

test: $(VENV)/.workspace ## run the tests, each behaviour on `local` and on one more executor: within ten minutes on two cores
	SHORT_TESTS=1 $(PYTEST) $(ABREAST) -m "not matrix" $(ARGS) $(OPTIONS)

test-all: $(VENV)/.workspace ## run all tests, each on every executor and on as many drawn flows, as CI does
	$(PYTEST) $(ABREAST) $(ARGS) $(OPTIONS)

test-core: $(VENV)/.workspace ## run the tests of core alone
	$(PYTEST) $(ABREAST) tests/core $(ARGS) $(OPTIONS)

# One after another, as a machine has one sshd and one Slurm for them. What is missing fails.
test-clusters: $(VENV)/.clusters ## test against real clusters: ssh, Slurm, TLS, a cut network (as root, on Debian)
	@sh tools/cluster_packages.sh
	CI=1 $(PYTEST) plugins/dask/tests/clusters $(ARGS) $(OPTIONS)

# What is missing then fails; in `make test` the same tests skip and say what they need.
test-shells: $(VENV)/.workspace ## test completion in bash, zsh and fish (installs them, as root on Debian)
	@sh tools/shell_packages.sh
	NEEDS_SHELLS=1 $(PYTEST) tests/integration/test_shells.py $(ARGS) $(OPTIONS)

# Other inputs each time, in one process; `make test` has a few of them, which are always the same.
FUZZ_EXAMPLES ?= 2000
fuzz: $(VENV)/.workspace ## tests/fuzz with many inputs (FUZZ_EXAMPLES=100000 make fuzz: so many for each test)
	FUZZ_EXAMPLES=$(FUZZ_EXAMPLES) $(PYTEST) tests/fuzz --timeout=0 -o faulthandler_timeout=0 $(ARGS) $(OPTIONS)

faults: $(VENV)/.workspace ## run flows while something goes wrong (ARGS="--runs 1000 --seed 0"; docs/faults.md)
	$(BIN)/python tools/with_ctrl_c.py $(BIN)/python -m faults $(ARGS)

lint: $(VENV)/.lint audit ## ruff, mypy --strict, pyright on what users see, the architecture's contracts, bandit, pip-audit
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy tests/typing
	$(BIN)/basedpyright
	$(BIN)/lint-imports
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml core plugins

# What the index does not tell of is passed over. It asks the network, so it is no part of what runs before a commit.
audit: $(VENV)/.lint ## pip-audit: whether a version in constraints.txt is known to be vulnerable
	@$(BIN)/pip-audit --progress-spinner off --requirement constraints.txt --no-deps --disable-pip >$(VENV)/audit.txt 2>&1; \
	status=$$?; grep --invert-match 'not found on PyPI\|^WARNING' $(VENV)/audit.txt; exit $$status

format: $(VENV)/.lint ## let ruff put the source in its form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

# Nothing is taken from the network; every warning, as of a link that leads nowhere, is an error.
docs: $(VENV)/.docs ## build the site of the documentation into SITE, build/docs
	$(BIN)/sphinx-build -q -W --keep-going -j auto -d $(SITE).cache docs $(SITE)
	@echo "$(SITE)/index.html"

docs-links: $(VENV)/.docs ## ask the network whether the links of the documentation to elsewhere are alive
	$(BIN)/sphinx-build -q -b linkcheck -d $(SITE).cache docs $(SITE)-links

pictures: $(VENV)/.workspace ## draw docs/run.svg, the picture of a run in the README, and those of docs/pictures.md, by Debian's Chromium
	$(BIN)/python tools/pictures.py
	@sh tools/browser_packages.sh
	$(BIN)/python tools/report_pictures.py

bench: $(VENV)/.bench ## print the table of ratios against graphlib, dask.get and client.map
	$(BIN)/python -m benchmarks $(ARGS)

performance: $(VENV)/.bench ## write docs/performance.json, which `make bench` made, into its page and picture
	$(BIN)/python -m benchmarks.page docs/performance.json

wheels: $(VENV)/.build ## build a wheel and an sdist of each distribution into dist/
	@for house in $(HOUSES); do $(BIN)/python -m build --no-isolation --outdir $(DIST) $$house || exit 1; done

# Certified in an environment of their own, in which they are installed as wheels.
release: $(VENV)/.build ## build the four distributions into dist/, with the certificates of our plugins in them
	rm -rf build/release $(DIST)/turgo*
	$(MAKE) wheels DIST=build/release/plain
	$(MAKE) build/release/venv/.workspace VENV=build/release/venv INSTALL=wheels DIST=build/release/plain
	bash tools/certified_wheels.sh build/release/venv/bin $(BIN)/python $(DIST) build/release/plain

# CI has built them before, and names their folder: RELEASE_FOLDER=…
release-check: $(VENV)/.workspace $(if $(RELEASE_FOLDER),,release) ## look over what would be published, and install and run it as a newcomer would
	$(BIN)/python -m tools.release $(or $(RELEASE_FOLDER),$(DIST)) $(ARGS)

clean: ## remove the environment, what was built and every cache
	rm -rf .venv .build build dist .hypothesis .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -path ./.git -prune -o -name __pycache__ -type d -exec rm -rf {} +

# A link to a Python that has gone counts as missing, and the environment is made anew.
$(BIN)/python:
	@python="$(PYTHON)"; test -n "$$python" || python=$$(sh tools/find_python.sh); test -n "$$python"; \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python >= 3.11 is needed; {sys.executable} is {sys.version}")' && \
	echo "making $(VENV) with $$python" && "$$python" -m venv --clear $(VENV)

$(VENV)/.build: constraints.txt | $(BIN)/python
	@echo "installing into $(VENV)"
	@$(PIP) --upgrade pip
	@$(PIP) --group build
	@touch $@

$(VENV)/.demo: $(PYPROJECTS) $(VENV)/.build
	@$(EDITABLE) --editable core --editable plugins/local
	@touch $@

ifeq ($(INSTALL),wheels)
$(VENV)/.workspace: $(wildcard $(DIST)/*.whl) pyproject.toml $(VENV)/.build
	@$(PIP) --group test $(wildcard $(DIST)/*.whl)
	@$(PIP) --no-build-isolation ./$(EXAMPLE)
	@$(BIN)/python tools/check_installed.py
	@touch $@
else
$(VENV)/.workspace: $(PYPROJECTS) pyproject.toml $(VENV)/.build
	@$(EDITABLE) --group test $(HOUSES:%=--editable %) --editable $(EXAMPLE)
	@touch $@
endif

$(VENV)/.lint: $(VENV)/.workspace
	@$(PIP) --group lint
	@touch $@

$(VENV)/.docs: $(VENV)/.workspace
	@$(PIP) --group docs
	@touch $@

$(VENV)/.clusters: $(VENV)/.workspace
	@$(PIP) --group clusters
	@touch $@

$(VENV)/.bench: $(VENV)/.workspace
	@$(PIP) --group bench
	@touch $@
