# Everything happens in .venv, with the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
EXTRAS := local,dev

.PHONY: demo test bench clean

demo: .venv/ready
	$(BIN)/geppetto run experiments/bfi_personas.yaml

test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src
	$(BIN)/pytest

bench: .venv/ready
	$(BIN)/python benchmarks/option_likelihood.py

.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("geppetto needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[$(EXTRAS)]'
	touch $@

clean:
	rm -rf .venv
