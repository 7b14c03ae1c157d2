# `make test` and `make demo` do all the set-up themselves; the other targets are conveniences.
#
# Set-up is a virtual environment in .venv, filled from the hash-locked files in requirements/. It runs again when
# one of them or pyproject.toml is newer than its stamp, when the tree has moved, or when PYTHON= asks for another
# interpreter.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules

VENV := .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
UV := $(BIN)/uv --quiet

# The file that marks a whole environment says which tree it was made for. One that was made elsewhere, or whose
# interpreter is gone, or that is of another version than PYTHON= names, is made anew.
version_of = $(shell '$(1)' -c 'import sys; print(*sys.version_info[:2], sep=".")' 2>/dev/null || echo none)
made_for := $(shell cat $(VENV)/made 2>/dev/null)
has := $(call version_of,$(PY))
asked := $(if $(PYTHON),$(call version_of,$(PYTHON)),$(has))
ifneq ($(made_for) $(has),$(CURDIR) $(filter-out none,$(asked)))
$(VENV)/made: anew
endif

.PHONY: help
help: ## say what there is
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: test
test: $(VENV)/dev ## lint, types, import rules and all tests; TEST="tests/core -x" passes options on to pytest
	$(PY) -m ruff check
	$(PY) -m ruff format --check
	$(PY) -m mypy
	$(BIN)/lint-imports --no-cache
	$(PY) -m pytest --numprocesses 2 --dist loadfile $(TEST)

# The tests that can go on for as long as one likes; the same ones are part of `make test`, in brief. tests/conftest.py
# says which files go first, which pytest-xdist would reorder.
DEEP := $(wildcard tests/attack tests/faults tests/hostile tests/mutants tests/core/test_offer_laws.py)

.PHONY: test-deep
test-deep: $(VENV)/dev ## attacks and faults at length, over an hour; LAURELS_SEED=7 repeats a run, TEST="-k model" selects
	LAURELS_DEEP=1 $(PY) -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder $(DEEP) $(TEST)

.PHONY: demo
demo: $(VENV)/demo ## a year of real shopping; DEMO="--quick --no-serve" passes options on
	$(BIN)/laurels demo $(DEMO)

.PHONY: serve
serve: $(VENV)/demo ## serve the HTTP API; SERVE="--port 8080" passes options on
	$(BIN)/laurels serve $(SERVE)

.PHONY: bench
bench: $(VENV)/bench ## how fast it is, side by side with others; BENCH="--quick" or BENCH="online replay" chooses
	$(PY) -m benchmarks $(BENCH)

.PHONY: generated
generated: $(VENV)/dev ## write what is generated and checked in: openapi.json, the program's schema, tables in docs/
	$(BIN)/laurels openapi > openapi.json.new && mv openapi.json.new openapi.json
	$(PY) -c 'from laurels.core.program.schema import schema_text; print(schema_text(), end="")' > programs/program.schema.json
	$(PY) -m tests.docs.reference

.PHONY: lock
lock: $(VENV)/made ## write requirements/*.txt from pyproject.toml; LOCK=--upgrade takes the newest versions
	$(COMPILE) pyproject.toml --all-extras --group dev --output-file requirements/dev.txt
	$(COMPILE) pyproject.toml --extra demo --group build --constraints requirements/dev.txt \
	  --output-file requirements/demo.txt
	$(COMPILE) pyproject.toml --all-extras --group bench --constraints requirements/dev.txt \
	  --output-file requirements/bench.txt
	$(COMPILE) --group setup --output-file requirements/uv.txt

# One lock for every platform and Python that Laurels runs on. It names no registry: that is the reader's to choose.
COMPILE = $(UV) pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --custom-compile-command 'make lock' $(LOCK)

.PHONY: clean
clean: ## remove what can be made again; the data in var/ stays
	rm -rf $(VENV) dist .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find src tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} +

# --- set-up ---

# What uv installs from a lock, pip can too: for machines whose way to a package index only pip's settings know.
# Dependencies are not followed, for the lock is complete; laurels itself is linked into the environment.
$(VENV)/dev: $(VENV)/made pyproject.toml requirements/dev.txt
	@echo 'set-up: requirements/dev.txt'
	@$(UV) pip sync --python $(PY) --require-hashes requirements/dev.txt || $(PIP) -r requirements/dev.txt
	@$(LINK)
	@touch $@ $(VENV)/demo

$(VENV)/demo: $(VENV)/made pyproject.toml requirements/demo.txt
	@echo 'set-up: requirements/demo.txt'
	@$(UV) pip install --python $(PY) --require-hashes --no-deps -r requirements/demo.txt || $(PIP) -r requirements/demo.txt
	@$(LINK)
	@touch $@

PIP = $(PY) -m pip install --quiet --require-hashes --no-deps
LINK = $(PY) -m pip install --quiet --no-deps --no-build-isolation --editable .

$(VENV)/bench: $(VENV)/dev requirements/bench.txt
	@echo 'set-up: requirements/bench.txt'
	@$(UV) pip install --python $(PY) --require-hashes --no-deps -r requirements/bench.txt || $(PIP) -r requirements/bench.txt
	@touch $@

# An interpreter counts when it is new enough and can make environments: Debian ships these parts separately.
$(VENV)/made: requirements/uv.txt
	@for python in $(if $(PYTHON),'$(PYTHON)',python3 python3.13 python3.12 python3.11); do \
	  "$$python" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break; \
	  python=; \
	done; \
	if [ -z "$$python" ]; then \
	  echo 'set-up needs Python 3.11 or newer with its venv module (on Debian and Ubuntu: python3-venv);' >&2; \
	  echo 'PYTHON=/path/to/python names one.' >&2; \
	  exit 1; \
	fi; \
	echo "set-up: $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV)
	@$(PY) -m pip install -qq --require-hashes -r requirements/uv.txt
	@echo '$(CURDIR)' > $@

.PHONY: anew
anew:
