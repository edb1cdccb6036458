# Two commands: `make demo` runs the main job on the example catalog, `make test` passes the tests.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
OUT ?= demo
# types are checked beside the tests
MAKEFLAGS += --jobs=2

$(VENV)/.installed: setup.py pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --editable '.[launch,serving,review,experiments,dev]'
	$(BIN)/pip check
	touch $@

.PHONY: install demo test lint types imports unit

install: $(VENV)/.installed

demo: install
	@# exit code 1 says that dead letters exist, and the example catalog holds some on purpose
	$(BIN)/python run_pipeline.py --config examples/demo.yaml --manifest examples/catalog/manifest.parquet --output $(OUT) || test $$? -eq 1
	$(BIN)/python -m examples.check_demo --output $(OUT) --expected examples/catalog/expected.csv

test: lint types imports unit

unit: install
	$(BIN)/python -m pytest -m 'not gpu and not cluster'

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: install
	$(BIN)/mypy

imports: install
	$(BIN)/lint-imports
