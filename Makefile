# Everything there is to do in this house. `make` alone explains itself.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup packages vendor words film run looks check lint test test-host bench release image clean

VENV := .venv
BIN := $(VENV)/bin
FILM := var/films/big-buck-bunny.mp4
# How many tests run at once; the suite encodes, so more than the cores is slower.
TEST_PROCESSES ?= 2

help: ## Show what there is
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' Makefile \
		| while IFS=$$'\t' read -r name text; do \
			printf '  make %-9s %s\n' "$$name" "$$text"; done

setup: packages $(VENV)/.installed vendor ## Install what is missing; quick the second time

packages:
	@workshop/install_packages.sh "$$(workshop/find_python.sh)"

$(VENV)/.installed: setup.cfg pyproject.toml | packages
	@echo "Installing the Python parts into $(VENV)"
	@$(BIN)/python -c '' 2>/dev/null || "$$(workshop/find_python.sh)" -m venv --clear $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check \
		--config-settings editable_mode=compat --editable '.[dev,speech]'
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json .npmrc | packages
	@echo "Installing the browser parts into node_modules"
	@npm ci --no-progress --loglevel=error >/dev/null
	@touch $@

vendor: node_modules/.package-lock.json $(VENV)/.installed
	@$(BIN)/python workshop/vendor.py
	@$(BIN)/python workshop/words.py compile

words: $(VENV)/.installed ## Gather what the pages say, for translators
	@$(BIN)/python workshop/words.py gather

film: $(FILM) ## Fetch the film that the demo and the tests play

$(FILM): | $(VENV)/.installed
	@$(BIN)/python workshop/film.py $@

run: setup film ## Serve the portal with a film in it, on this machine
	@exec $(BIN)/python workshop/run.py $(FILM)

check: setup ## Look at the code: format, lint, types, layers, house rules
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo 2>&1 | tail -n 4
	@$(BIN)/python workshop/house_rules.py

looks: setup ## Take the pictures that pages are held against anew; look at them
	@MATINEE_LOOKS=keep $(BIN)/pytest -q tests/browser/test_looks*.py

# In an environment of its own: it brings forty packages that nothing else needs.
LINT := var/lint
lint: $(LINT)/.installed ## Look at the playbooks with ansible-lint and yamllint
	@cd ansible && export PATH="$(CURDIR)/$(LINT)/bin:$$PATH" && \
		yamllint . && ansible-lint --offline --profile production -q .

$(LINT)/.installed: | $(VENV)/.installed
	@$(BIN)/python -m venv --clear $(LINT)
	@$(LINT)/bin/pip install --quiet --disable-pip-version-check \
		ansible-lint==26.10.1 yamllint==1.38.0
	@touch $@

test: check film ## Prove that everything works (about half an hour on two cores)
	@$(BIN)/pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder \
		--max-worker-restart 2 -m "not host"

test-host: setup film ## Install, break, upgrade and restore it on machines of its own
	@$(BIN)/pytest -m "host or machine" --capture=no \
		-o faulthandler_timeout=7200 tests

bench: setup film ## Measure against the goals; writes var/bench.json
	@$(BIN)/python -m tests.bench

release: setup ## Build the signed bundle into dist/ (WITH=--with-debs: air-gapped)
	@$(BIN)/python -m workshop.release $(WITH)

image: setup ## Make a bootable disk of the newest bundle in dist/, raw and qcow2
	@$(BIN)/python -m workshop.image

clean: ## Remove what setup and the tests made; var/ with your films stays
	@rm -rf $(VENV) node_modules web/static/vendor build dist *.egg-info \
		.mypy_cache .ruff_cache .pytest_cache .import_linter_cache
