# make help lists what there is. Needs python3 (3.11 or newer, with venv) and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What runs, and with it what tests it: each installed again when its list of versions changes.
INSTALLED := $(VENV)/installed
INSTALLED_DEV := $(VENV)/installed-dev
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
SOURCES := microfedi tests bench

.DEFAULT_GOAL := help
.PHONY: help run install test check format-check lint types format bench demo screenshots lock schema words \
	audit fuzz

help:  ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: install  ## serve with ./config.toml; without one, a trial at http://localhost:8000
	@$(BIN)/microfedi serve

demo: install  ## two servers on this machine that talk with each other
	@$(BIN)/microfedi demo

install: $(INSTALLED)  ## what is needed to run, into ./.venv

ARGS ?=

test: $(INSTALLED_DEV)  ## every test; some: make test ARGS="-k follow"
	$(BIN)/python -m pytest $(ARGS)

check: $(INSTALLED_DEV)  ## what must be green: format, lint, types, tests
	@$(MAKE) --no-print-directory format-check
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory types
	@$(MAKE) --no-print-directory test

format-check: $(INSTALLED_DEV)  ## is everything formatted?
	$(BIN)/ruff format --check $(SOURCES)

lint: $(INSTALLED_DEV)  ## ruff
	$(BIN)/ruff check $(SOURCES)

types: $(INSTALLED_DEV)  ## mypy --strict
	$(BIN)/mypy

format: $(INSTALLED_DEV)  ## format, and mend what can be mended
	$(BIN)/ruff check --fix $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

bench: $(INSTALLED_DEV)  ## how fast, how large
	$(BIN)/python -m bench

screenshots: $(INSTALLED_DEV)  ## pictures of every page, in ./screenshots, by Chromium
	$(BIN)/python -m tests.e2e.screenshots

words: $(INSTALLED_DEV)  ## gather the words of pages, and compile their translations
	$(BIN)/python -m tests.words

schema: $(INSTALLED)  ## write docs/schema.sql anew
	$(BIN)/python -m tests.schema > docs/schema.sql

audit: $(INSTALLED_DEV)  ## known vulnerabilities of what we depend on (asks the network), and the list
	@test -x $(VENV)/audit/bin/pip-audit || { $(PYTHON) -m venv $(VENV)/audit && \
		$(VENV)/audit/bin/python -m pip install --quiet --disable-pip-version-check \
			pip-audit cyclonedx-bom; }
	@$(BIN)/python -m tests.audit $(VENV)/audit/bin

MINUTES ?= 20

fuzz: $(INSTALLED_DEV)  ## feed what reads strangers' bytes with nonsense: make fuzz MINUTES=20
	$(BIN)/python -m tests.fuzzing $(MINUTES)

lock: $(INSTALLED_DEV)  ## look for newer versions of what we depend on, and pin them
	$(PIP) uv
	$(BIN)/uv pip compile --universal --upgrade --generate-hashes --no-emit-index-url \
		--no-header --python-version 3.11 --quiet pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --universal --upgrade --generate-hashes --no-emit-index-url \
		--no-header --python-version 3.11 --quiet --extra dev -c requirements.lock \
		pyproject.toml -o requirements-dev.lock

$(BIN)/python:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "microfedi needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(INSTALLED): requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps -e .
	@touch $@

$(INSTALLED_DEV): requirements-dev.lock $(INSTALLED) | $(BIN)/python
	$(PIP) --require-hashes -r requirements-dev.lock
	@touch $@
