# make demo    a street clip, segmented and scored; installs the base package, no torch
# make test    everything the tests need, then make check
# make check   format, lint, types, import contracts and the fast tests; installs nothing
# make docs    the site in site/, its links checked, with the demo that runs in the browser
# make arm     the kernels for ARM and RISC-V, cross-compiled and run under emulation
# make sanitize   the kernels under the address, undefined-behavior and thread sanitizers
# make fuzz    every reader on mutated inputs, SECONDS=600 a target; needs x86-64 Linux
# make cpp     examples/cpp, built with the headers of an npm package (150 MB), and its tests
# make benchmarks   every speed table, half an hour on a machine that does nothing else
#
# PYTHON names the interpreter that .venv is made with: make demo PYTHON=python3.12

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo test check docs arm sanitize fuzz cpp benchmarks clean
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
	$(BIN)/pyright --pythonpath $(BIN)/python -p benchmarks
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not slow" -n auto --dist loadfile

# On Debian: apt-get install gcc-aarch64-linux-gnu gcc-arm-linux-gnueabihf gcc-riscv64-linux-gnu qemu-user
arm: $(VENV)/installed-dev
	$(BIN)/python -m pytest tests/kernels/test_other_machines.py

sanitize: $(VENV)/installed-dev
	$(BIN)/python -m pytest tests/kernels/test_sanitizers.py

# What fails is kept in tests/fuzz/found, where the fast tests replay it.
SECONDS ?= 600
FUZZED := spec recipe dataset_yaml onnx matlab mask picture annotations run_folder checkpoint argv
fuzz: $(VENV)/installed-dev
	$(BIN)/python -m pip install --quiet "atheris>=3.0"
	for target in $(FUZZED); do \
	  PYTHONPATH=. $(BIN)/python tests/fuzz/count.py $$target $(SECONDS) || exit 1; done

# On Debian: apt-get install g++ cmake libpng-dev nlohmann-json3-dev npm
cpp: $(VENV)/installed-dev
	test -f build/onnxruntime/include/onnxruntime_cxx_api.h || \
	  examples/cpp/get_onnxruntime.sh build/onnxruntime $(BIN)/python
	cmake -S examples/cpp -B build/cpp -DONNXRUNTIME_HOME=$(CURDIR)/build/onnxruntime
	cmake --build build/cpp
	$(BIN)/python -m pytest tests/examples/test_cpp.py

benchmarks: $(VENV)/installed-dev
	for script in enet_speed segfast_speed shelfnet_speed fast_scnn_speed peers goals speed_page; do \
	  $(BIN)/python benchmarks/$$script.py || exit 1; done

docs:
	@test -x $(BIN)/mkdocs || { echo "no mkdocs in $(VENV): run make test once" >&2; exit 1; }
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict # --quiet would hide what strict counts
	$(BIN)/swiftseg export enet-toystreet --format web --out site/demo

clean:
	rm -rf $(VENV)

# A stamp is older than one of these when the install, which builds the kernel, is to be done again.
BUILT_FROM := pyproject.toml constraints.txt hatch_build.py $(wildcard src/swiftseg/kernels/native/*.[ch]) \
	web/package-lock.json web/vite.config.ts web/index.html web/asconfig.json \
	$(wildcard web/assembly/* web/src/* web/public/*)

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
