# Everything this repository does, from a clone with nothing but Python 3.11 or later and make.
# GNU make 3.81 (macOS) is enough. Without make, see "Without make" in CONTRIBUTING.md.

PYTHON ?= python3
MINUTES ?= 1
PROFILE ?= ci
ARGS ?=
WORKERS ?= 2

VENV := .venv
BIN := $(VENV)/bin
EXTRAS := properties,fuzz,ssh,bench,test,lint
STAMP := $(VENV)/.installed
# What one target alone needs: a solver, which is large.
SOLVER := $(VENV)/.solver

FOLDER := .fuzz
FINDINGS := build/findings

# Some tests take long: whoever has nothing left to do takes over what waits behind one.
PARALLEL := -n auto --dist worksteal

# What a profile needs of pytest. Where more is tried a test may take more than the usual seconds.
MORE_nightly := --timeout=7200
# Where each example is printed it has to be seen.
MORE_debug := -n0 -s
# Some tests alone need not touch everything that is on the map.
WHOLE := $(if $(ARGS),,--whole-map)

# Empty where $(PYTHON) cannot be run; the rule that makes .venv then says what to do.
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null)

# A PYTHON that was asked for by name is the one that runs: .venv is made anew where another made
# it, so that `make test PYTHON=python3.13` tests nothing else. Otherwise .venv stays what it is.
WANTED := $(if $(filter file,$(origin PYTHON)),.*,$(or $(VERSION),none))
FITS := grep -sx 'version = $(WANTED)' $(VENV)/pyvenv.cfg
ifeq ($(shell $(FITS)),)
.PHONY: $(STAMP)
endif

.DEFAULT_GOAL := help
.PHONY: help setup test properties crosshair fuzz replay findings hunt bench mutants lint coverage generate \
    clean

help:
	@echo 'make setup       make .venv and install everything into it'
	@echo 'make test        run every test (ARGS="-k name" for some of them)'
	@echo 'make properties  run the laws and state machines alone (PROFILE=$(PROFILE), nightly, debug)'
	@echo 'make crosshair   the laws of one frame on small messages, with a solver (PROFILE as above)'
	@echo 'make fuzz        fuzz the codec and both roles (MINUTES=$(MINUTES)); findings stay in $(FOLDER)'
	@echo 'make replay      run every input again that fuzzing has kept; no engine is needed'
	@echo 'make findings    say what fuzzing has found; vectors and issue texts go to $(FINDINGS)'
	@echo 'make hunt        let every part of the suite search for planted bugs; writes hunt.json'
	@echo 'make bench       compare speed and memory with other libraries; writes bench.json'
	@echo 'make mutants     small mistakes in the codec: which of them no test sees; writes mutants.json'
	@echo 'make lint        ruff, mypy, and checks of the corpus and the workflows'
	@echo 'make coverage    measure the tests; fail unless every branch of the codec was taken'
	@echo 'make generate    write the generated modules, schemas and vectors anew from the tables'
	@echo 'make clean       remove .venv and all else made here, but no findings ($(FOLDER), .hypothesis)'
	@echo
	@echo 'PYTHON=$(PYTHON) says which Python makes .venv (3.11 or later).'
	@echo 'Without make, as on Windows: see "Without make" in CONTRIBUTING.md.'

setup: $(STAMP)

$(STAMP): pyproject.toml
	@{ $(FITS) && $(BIN)/python -m pip --version; } >/dev/null 2>&1 || { \
	    $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	        echo 'authplugin needs Python 3.11 or later; $(PYTHON) is $(or $(VERSION),not there).'; \
	        echo 'Name another one, for example: make setup PYTHON=python3.12'; \
	        exit 1; \
	    } >&2; \
	    echo 'Making $(VENV) with Python $(VERSION)'; \
	    $(PYTHON) -m venv --clear $(VENV); \
	}
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[$(EXTRAS)]'
	@touch $@

test: setup
	$(BIN)/python -m pytest $(PARALLEL) $(WHOLE) $(ARGS)

properties: setup
	$(BIN)/python -m pytest tests/properties $(PARALLEL) --hypothesis-profile=$(PROFILE) \
	    $(MORE_$(PROFILE)) $(WHOLE) $(ARGS)

$(SOLVER): $(STAMP)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[crosshair]'
	@touch $@

crosshair: setup $(SOLVER)
	$(BIN)/python -m pytest tests/properties/crosshair.py $(PARALLEL) \
	    --hypothesis-profile=$(PROFILE) $(MORE_$(PROFILE)) $(ARGS)

fuzz: setup
	$(BIN)/authplugin fuzz --folder $(FOLDER) --minutes $(MINUTES) $(ARGS)

replay: setup
	@if test -d $(FOLDER); then \
	    set -x; $(BIN)/authplugin fuzz replay --folder $(FOLDER) $(ARGS); \
	else \
	    echo 'Nothing is kept in $(FOLDER) yet; make fuzz does that.'; \
	fi

# On GitHub the text is the summary of the run besides.
findings: setup
	@rm -rf $(FINDINGS) && mkdir -p $(FINDINGS)
	$(BIN)/authplugin fuzz findings --folder $(FOLDER) --format markdown >$(FINDINGS)/findings.md
	@cat $(FINDINGS)/findings.md
	@test -z "$$GITHUB_STEP_SUMMARY" || cat $(FINDINGS)/findings.md >>"$$GITHUB_STEP_SUMMARY"
	$(BIN)/authplugin fuzz promote --folder $(FOLDER) --all --into $(FINDINGS) $(ARGS)

# Each run is kept in build/hunt.jsonl, so that a hunt that was stopped goes on. On GitHub the table is
# the summary of the run besides.
hunt: setup
	@status=0; $(BIN)/python -m tests.hunt --workers $(WORKERS) $(ARGS) || status=$$?; \
	test -z "$$GITHUB_STEP_SUMMARY" || { \
	    echo '```'; $(BIN)/python -m tests.hunt --no-run $(ARGS); echo '```'; \
	} >>"$$GITHUB_STEP_SUMMARY"; \
	exit $$status

bench: setup
	$(BIN)/python -m tests.bench $(ARGS)

mutants: setup
	$(BIN)/python -m tests.mutation $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/authplugin corpus verify
	bash -n .ci/run
	bash -n .clusterfuzzlite/build.sh
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/zizmor --offline --pedantic --strict-collection --no-progress --quiet .github

# Every process that the tests start measures itself; `combine` puts the files together. Left out is
# what measures time and memory itself, and would measure coverage.
coverage: setup
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest $(PARALLEL) tests/unit \
	    --ignore=tests/unit/test_bench.py --ignore=tests/unit/test_bench_report.py \
	    --deselect=tests/unit/test_bounds.py::test_a_claimed_length_allocates_nothing $(ARGS)
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report

generate: setup
	$(BIN)/python codec/generate.py
	$(BIN)/python corpus/generate.py

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build dist bench.json hunt.json mutants.json
	rm -f .coverage .coverage.*
	find . -name .git -prune -o -type d -name __pycache__ -prune -exec rm -rf {} +
