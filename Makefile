# make demo    a street clip, segmented and scored; installs the base package, no torch
# make test    everything the tests need, then make check
# make check   format, lint, types, import contracts and the fast tests; installs nothing
# make benchmarks   every speed table, half an hour on a machine that does nothing else
#
# PYTHON names the interpreter that .venv is made with: make demo PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check benchmarks clean
.DELETE_ON_ERROR:

demo: $(VENV)/installed-base
	$(BIN)/swiftseg demo

test: $(VENV)/installed-dev
	@$(MAKE) --no-print-directory check

check:
	@test -x $(BIN)/ruff || { echo "no development tools in $(VENV): run make test once" >&2; exit 1; }
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not slow"

benchmarks: $(VENV)/installed-dev
	for script in enet_speed segfast_speed shelfnet_speed fast_scnn_speed peers goals speed_page; do \
	  $(BIN)/python benchmarks/$$script.py || exit 1; done

clean:
	rm -rf $(VENV)

# A stamp is older than one of these when the install, which builds the kernel, is to be done again.
BUILT_FROM := pyproject.toml constraints.txt hatch_build.py $(wildcard src/swiftseg/kernels/native/*.[ch]) \
	web/package-lock.json web/vite.config.ts web/index.html $(wildcard web/src/* web/public/*)

$(VENV)/installed-base: $(BUILT_FROM) | $(BIN)/pip
	@echo "installing swiftseg into $(VENV), without torch: some seconds to a minute"
	$(INSTALL) -e .
	@touch $@

$(VENV)/installed-dev: $(BUILT_FROM) | $(BIN)/pip
	@echo "installing swiftseg with torch and the tools into $(VENV): gigabytes, some minutes"
	$(INSTALL) -e '.[dev]'
	@touch $@ $(VENV)/installed-base

# Stands on pip, which comes last: an environment that could not be finished is made again.
$(BIN)/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "swiftseg needs Python 3.11 or newer, and '$(PYTHON)' is not; name one that is:" >&2; \
	  echo "  make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
