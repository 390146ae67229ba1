# Every target makes what it needs: a venv in .venv, with batchlab and the pinned versions of constraints.txt.
# Another Python:        make test PYTHON=/opt/python3.12/bin/python3
# Options for a tool:    make test ARGS="-k ledger -x",  make bench ARGS="--only executor --rounds 3"

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
PYTHON ?=
ARGS ?=

# Without bytecode every worker compiles its imports anew, which costs each start more than twice the time.
unexport PYTHONDONTWRITEBYTECODE
# A path from elsewhere would shadow what is installed here.
unexport PYTHONPATH PYTHONHOME

.DEFAULT_GOAL := help
.PHONY: help demo test check format lint types contracts documentation bench lock clean

help:
	@echo "batchlab"
	@echo "  make demo    run the demonstration; it says where its report lies, in demo/"
	@echo "  make test    run the tests"
	@echo "  make check   format, lint, types, import contracts, the examples in the documentation"
	@echo "  make bench   measure batchlab beside others; figures go to bench-results/"
	@echo "  make lock    resolve constraints.txt afresh"
	@echo "  make clean   remove everything these made"
	@echo "Each makes its own environment in $(VENV); Python 3.11 or newer is all it needs."

demo: $(VENV)/.for-demo
	@$(BIN)/batchlab demo --output demo $(ARGS)

# A process per core, a file of tests to each at a time; 'make test ARGS="-n 0 --pdb -k name"' stays in one.
test: $(VENV)/.for-test
	@$(BIN)/python -m pytest -n auto --dist loadfile $(ARGS)

# 'make -k check' goes on after the first that complains.
check: format lint types contracts documentation

format: $(VENV)/.for-test
	@echo "format";           $(BIN)/ruff format --check .

lint: $(VENV)/.for-test
	@echo "lint";             $(BIN)/ruff check .

types: $(VENV)/.for-test
	@echo "types";            $(BIN)/mypy

contracts: $(VENV)/.for-test
	@echo "import contracts"; $(BIN)/lint-imports

documentation: $(VENV)/.for-test
	@echo "documentation";    $(BIN)/python -m pytest -q tests/docs

bench: $(VENV)/.for-bench
	@$(BIN)/python -m compileall -q src benchmarks
	@$(BIN)/python -m benchmarks $(ARGS)

# One lock for every extra: 3.11 and newer, all systems. setuptools builds the package itself.
lock: $(BIN)/python
	@$(BIN)/python -m pip install -qq uv
	@echo "Resolving constraints.txt"
	@{ echo "# The exact version of everything, for Python 3.11 and newer. Refresh it with 'make lock'."; \
	   echo "setuptools>=77" | $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	     --no-header --no-annotate --no-emit-index-url --all-extras pyproject.toml -; } > constraints.tmp
	@mv constraints.tmp constraints.txt
	@echo "constraints.txt: $$(grep -c == constraints.txt) pins"

clean:
	rm -rf $(VENV) demo bench-results build dist src/*.egg-info constraints.tmp
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests benchmarks examples -name __pycache__ -type d -prune -exec rm -rf {} +

# What each target needs, in a stamp that is older than neither the requirements nor their pins.
$(VENV)/.for-demo: EXTRAS := all
$(VENV)/.for-test: EXTRAS := all,test
$(VENV)/.for-bench: EXTRAS := all,bench
$(VENV)/.for-demo $(VENV)/.for-test $(VENV)/.for-bench: pyproject.toml constraints.txt | $(BIN)/python
	@printf 'Installing batchlab [$(EXTRAS)] into $(VENV); the first time takes a minute or two '
	@( while sleep 3; do printf '.'; done ) & dots=$$!; trap 'kill $$dots 2>/dev/null' EXIT; \
	pip="$(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt"; \
	{ $$pip setuptools && $$pip --no-build-isolation -e '.[$(EXTRAS)]'; } \
	  || { echo; echo "batchlab could not be installed: the message above is pip's. Is there a network?" >&2; exit 1; }
	@# Some packages ship templates that are no valid Python: they stay uncompiled, and nothing is wrong.
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib src benchmarks >/dev/null || true
	@touch $@
	@echo " done"

$(BIN)/python:
	@python='$(PYTHON)'; \
	for one in $${python:-python3.11 python3.12 python3.13 python3.14 python3 python}; do \
	  if "$$one" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then found="$$one"; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	  echo "batchlab needs Python 3.11 or newer with its venv module; $${python:-no python3 here} is not that." >&2; \
	  echo "Install one (Debian: apt install python3 python3-venv), or name it: make PYTHON=/path/to/python3" >&2; \
	  exit 1; \
	fi; \
	echo "Making $(VENV) with $$("$$found" -c 'import sys; print(sys.executable, sys.version.split()[0])')"; \
	if "$$found" -c 'import ensurepip' 2>/dev/null; then "$$found" -m venv --clear $(VENV); \
	elif "$$found" -m pip --version >/dev/null 2>&1; then \
	  "$$found" -m venv --clear --without-pip $(VENV) && "$$found" -m pip --python $@ install -qq pip; \
	else \
	  echo "$$found has neither ensurepip nor pip (Debian: apt install python3-venv)" >&2; exit 1; \
	fi
