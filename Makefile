# Everything runs in .venv, made from requirements.lock by the first target that needs it.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)

JOBS ?= 2
RUN ?=  # a folder that keeps the tests' run of the whole chain, for another call of make
SLOW := pytest $(if $(strip $(RUN)),--finished-run="$(strip $(RUN))") -m

.PHONY: demo test test-long test-all check fix docs niivue install

demo: .venv/.installed  ## the shipped config: simulated cohort, raw heads to report
	snakemake --cores all

test: .venv/.installed-dev  ## every stage end to end, in some minutes; JOBS: processes
	OMP_NUM_THREADS=1 pytest --numprocesses $(JOBS) --dist loadfile -m "not slow and not slurm"
	OMP_NUM_THREADS=1 pytest --numprocesses $(JOBS) --dist loadfile -m "slow and not slurm" tests/unit
	$(SLOW) "slow and not long and not slurm" tests/integration tests/workflow  # one run of the whole chain

test-long: .venv/.installed-dev  ## what takes minutes each: runs that are killed, the recipes, real heads
	$(SLOW) "long and not slurm"

test-all: test test-long  ## the whole test suite

check: .venv/.installed  ## format, lint, types, workflow lint
	ruff check . && ruff format --check . && snakefmt --check Snakefile workflow && mypy && snakemake --lint

fix: .venv/.installed  ## what formatters and linters can mend
	ruff check --fix . ; ruff format . ; snakefmt Snakefile workflow

docs: .venv/.installed-dev  ## docs/configuration.md from the typed settings, then the site: site/index.html
	python -m brainlapse.config_docs && NO_MKDOCS_2_WARNING=1 mkdocs build --strict --quiet

niivue: ## the viewer's library, pinned, from npm with its licences
	sh brainlapse/figures/viewer/vendor/vendor.sh

install: .venv/.installed

.venv/.installed: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(None if (3, 11) <= sys.version_info < (3, 13) else "brainlapse needs Python 3.11 or 3.12, found " + sys.version.split()[0] + "; try: make PYTHON=python3.11 demo")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	touch $@

.venv/.installed-dev: requirements-dev.lock .venv/.installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	touch $@
