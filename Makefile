# make demo : environment, the East Asia case, its figures.    make test : environment, every test.    make help : the rest
# TORCH_INDEX=... : where to get PyTorch from (its CPU index, say; PyPI's own torch is the CUDA build of several GB)

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export OMP_NUM_THREADS ?= 1
# the tests start some hundred interpreters, each of which would compile the project and rewrite the tests anew
unexport PYTHONDONTWRITEBYTECODE
export OMPI_ALLOW_RUN_AS_ROOT = 1
export OMPI_ALLOW_RUN_AS_ROOT_CONFIRM = 1
export PRTE_ALLOW_RUN_AS_ROOT = 1
export PRTE_ALLOW_RUN_AS_ROOT_CONFIRM = 1
PIP := $(BIN)/python -m pip install --disable-pip-version-check -q -c constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
# two more than cores: tests of ranks and of faults wait, and in an empty clone all for a kernel that one compiles
WORKERS ?= $(shell expr `getconf _NPROCESSORS_ONLN` + 2)
TESTS := $(BIN)/python -m pytest -n $(WORKERS)
PRTE := $(VENV)/etc/prte-mca-params.conf

# files with tests that run with nothing beside them: to collect all tests for these few takes longer than to run them
ALONE = $(shell grep -rl --include='*.py' 'pytest.mark.alone' tests)
# tests $(1) with types checked beside them
BESIDE_TYPES = @$(BIN)/mypy >$(VENV)/types.log 2>&1 & types=$$!; $(TESTS) $(1); failed=$$?; \
	wait $$types || failed=1; cat $(VENV)/types.log; exit $$failed

.PHONY: demo quick test durations docs test-slow test-gpu lint style environment clean help

help:
	@echo "make demo        environment, the East Asia case, its figures"
	@echo "make quick       environment, lint, types, unit tests and commands within one process"
	@echo "make test        environment, lint, types, every test but the long science runs, on all cores (WORKERS=n)"
	@echo "make durations   as make test, and notes how long each test takes (the longest start first)"
	@echo "make docs        the site: guides, models, gallery, API reference, in build/docs/html"
	@echo "make test-slow   the long science runs"
	@echo "make test-gpu    what needs a CUDA device"

environment: $(VENV)/.installed

$(VENV)/.installed: requirements.txt constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "error: no $(PYTHON). Install it:  apt install python3 python3-venv make"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "error: $(PYTHON) is older than 3.11; say  make PYTHON=python3.11 ..."; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "error: no venv module. Install it:  apt install python3-venv"; exit 1; }
	@echo "installing into $(VENV) ..."
	@$(PIP) -r requirements.txt
	@echo "compiling the remapping kernels (once) ..."
	@OMP_NUM_THREADS=1 $(BIN)/python -m coupler.remap.prepare
	@grep -qs '^rmaps_default_mapping_policy' $(PRTE) || echo 'rmaps_default_mapping_policy = :oversubscribe' >> $(PRTE)
	@touch $@

$(VENV)/.installed-test: $(VENV)/.installed requirements-test.txt
	@$(PIP) -r requirements-test.txt
	@touch $@

demo: environment
	@test -d cases/demo || ./run_case.py new demo --template east_asia
	@rm -rf cases/demo/run
	./run_case.py cases/demo
	@echo "figures:"
	@./run_case.py plot cases/demo

lint: style
	$(BIN)/mypy

style: $(VENV)/.installed-test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

quick: style
	$(call BESIDE_TYPES,--quick)

test: style
	$(call BESIDE_TYPES,-m "not slow and not gpu and not alone" --durations=15)
	$(BIN)/python -m pytest -m "alone and not slow and not gpu" $(ALONE)

durations: $(VENV)/.installed-test
	$(TESTS) -m "not slow and not gpu" --renew-durations

docs: $(VENV)/.installed-docs
	$(BIN)/python docs/site/build.py

$(VENV)/.installed-docs: $(VENV)/.installed requirements-docs.txt
	@$(PIP) -r requirements-docs.txt
	@touch $@

test-slow: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m slow

test-gpu: $(VENV)/.installed-test
	$(BIN)/python -m pytest -m gpu

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
