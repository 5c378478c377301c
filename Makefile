# Everything happens in .venv, with the versions of constraints.txt.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable
# Two processes on two cores: a second thread in either would only wait for the other process.
PYTEST := OMP_THREAD_LIMIT=1 $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

.PHONY: demo lint test test-fast fuzz docs bench clean

demo: .venv/local.stamp
	$(BIN)/geppetto run experiments/first_answer.yaml

lint: .venv/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict src

test: lint
	$(PYTEST)

# Without a model, a server or a browser: for every change, while it is being made.
test-fast: .venv/dev.stamp
	$(PYTEST) -m 'not server' --ignore tests/integration --ignore tests/simulations

# Files that are nearly right, 3,000 of each kind, and whatever else is generated: from other seeds
# than the suite's.
fuzz: .venv/dev.stamp
	FUZZ=3000 FUZZ_SEED=$$(date +%s) $(PYTEST) tests/fuzzing \
		tests/integration/test_writing.py::test_whatever_lies_in_a_program \
		$$(grep -rl '^@given' tests)

# The documentation, in site/; everything is built from what is installed, without a network.
docs: .venv/dev.stamp
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

bench: .venv/dev.stamp
	$(BIN)/python benchmarks/option_likelihood.py
	$(BIN)/python benchmarks/transcripts.py
	$(BIN)/python benchmarks/planning.py
	$(BIN)/python benchmarks/evaluation.py
	$(BIN)/python benchmarks/inference.py
	$(BIN)/python benchmarks/search.py
	$(BIN)/python benchmarks/endpoints.py
	$(BIN)/python benchmarks/faults.py

.venv/local.stamp: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "geppetto needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	@echo "Installing; the inference engine is compiled, which takes some minutes once."
	$(INSTALL) '.[local]'
	touch $@

.venv/dev.stamp: .venv/local.stamp
	$(INSTALL) '.[local,dev]'
	touch $@

clean:
	rm -rf .venv
