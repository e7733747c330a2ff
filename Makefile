# Everything a person or CI does here. `make` alone lists the targets.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3.11
VENV := .venv
PY := $(VENV)/bin/python
# A copy of the lock, written when the installation ended well: it is the stamp of `make env`.
INSTALLED := $(VENV)/requirements.installed
# DVC and the stages' commands find their programs in .venv, whatever the caller's PATH.
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"
EXAMPLE = examples/$(NAME)/params.yaml
EXAMPLES = $(notdir $(patsubst %/params.yaml,%,$(wildcard examples/*/params.yaml)))
# The set of an example bears its name; that of aliens_detection is aliens. Its tables are its own, or lie with the data.
EXAMPLE_SET = $(NAME:%_detection=%)
EXAMPLE_TABLES = $(or $(wildcard examples/$(NAME)/tables),$(DATA))
# Kills of the build, and as many of dvc repro; another seed chooses other moments.
KILLS ?= 50
SEED ?= 1
CHECKED := $(wildcard pipelines drae_line drae_data drae_model drae_acceptance benchmarks tests)

.PHONY: help env repro line-demo native wheel test test-engines test-kill test-line test-fuzz check format-check lint types floors format bench bench-choices bench-detection bench-line bench-scale bench-scoring example clean

help:  ## list the targets
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z][a-z-]*\):.*##  *\(.*\)/  \1|\2/p' $(firstword $(MAKEFILE_LIST)) | column -t -s '|'

# Built afresh when requirements.lock differs from what was installed; an interrupted installation
# leaves no stamp, so that the next call starts over. The first pip call brings the build tools, so
# that the packages published as source only are built with pinned, hashed tools too.
env:  ## create .venv with Python 3.11 from requirements.lock (once, and when the lock changes)
	@if cmp -s requirements.lock $(INSTALLED) && $(PY) -c '' 2>/dev/null; then exit 0; fi; \
	if ! $(PYTHON) -c 'import sys, venv, ensurepip; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then \
	  echo "make env: $(PYTHON) is missing, is not Python 3.11, or lacks the venv module." >&2; \
	  echo "Install Python 3.11 (on Debian: apt-get install python3.11 python3.11-venv)" >&2; \
	  echo "or name one: make $(or $(MAKECMDGOALS),env) PYTHON=PATH_TO_PYTHON_3.11" >&2; \
	  exit 1; \
	fi; \
	echo "env: installing $$(grep -c == requirements.lock) pinned packages into $(VENV) (a few minutes, about 3 GB)"; \
	rm -f $(INSTALLED); \
	$(PYTHON) -m venv --clear $(VENV); \
	awk '/^[^ ]/ {keep = /^(packaging|setuptools|wheel)==/} keep' requirements.lock > $(VENV)/build-tools.lock; \
	pip="$(PY) -m pip --disable-pip-version-check --no-input install --quiet --require-hashes"; \
	$$pip -r $(VENV)/build-tools.lock; \
	$$pip --no-build-isolation -r requirements.lock; \
	cp requirements.lock $(INSTALLED).part; \
	mv $(INSTALLED).part $(INSTALLED); \
	echo "env: ready"

repro: env  ## run every stage whose inputs changed, verify each dataset, say what the acceptance found
	@echo "repro: dvc runs the stages whose inputs changed"
	@$(RUN) dvc repro
	@echo "repro: verifying each dataset"
	@$(RUN) python -m pipelines.verify --params params.yaml
	@$(RUN) python -m pipelines.evaluate --page-only

line-demo: env  ## simulated camera, inspection and operator's page together (ARGS="--rate 2"); Ctrl-C ends it
	@echo "line-demo: dvc makes model and thresholds first where they are not there or not up to date (about 20 minutes)"
	@$(RUN) dvc repro --quiet calibrate
	@$(RUN) python -m pipelines.line_demo $(ARGS)

native: env  ## build the C++ client of the exported model into build/native (needs cmake and g++)
	@cmake -S native -B build/native -DCMAKE_BUILD_TYPE=Release -DPython_EXECUTABLE=$(CURDIR)/$(PY)
	@cmake --build build/native

wheel: env  ## this project as a wheel in dist/, for workers on other machines and for the Dockerfile
	@rm -rf build/lib build/bdist.* dist/*.whl
	@SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(PY) -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	@rm -rf build/lib build/bdist.* drae_line_dataset.egg-info
	@ls dist/*.whl

test: env  ## run the tests, without the markers engines, fuzz and campaign (ARGS="-k NAME" narrows it)
	@echo "test: running the tests with two workers"
	@$(RUN) python -m pytest -n 2 --dist loadscope -m "not engines and not fuzz and not campaign" $(ARGS)

test-engines: env  ## the same dataset on every engine: clusters on this machine, one worker killed, S3 (10 minutes; needs Java, Maven, Go)
	@echo "test-engines: clusters start and end on this machine's own address; logs in build/engines/logs"
	@$(RUN) python -m pytest -m engines tests/engines $(ARGS)

test-kill: env  ## kill -9 the build and dvc repro at KILLS random moments each, rerun, compare (SEED=2: other moments)
	@echo "test-kill: $(KILLS) kills of the build and $(KILLS) of dvc repro, each with a rerun; about 20 s a kill"
	@$(RUN) KILLS=$(KILLS) SEED=$(SEED) python -m pytest -m campaign tests/campaigns --ignore tests/campaigns/test_line.py $(ARGS)

test-line: env  ## kill -9 the line at KILLS random moments amid faulty deliveries, then a burst of 200 acquisitions
	@echo "test-line: $(KILLS) kills of the line, about 10 s each, and a burst"
	@$(RUN) KILLS=$(KILLS) SEED=$(SEED) python -m pytest -m campaign tests/campaigns/test_line.py $(ARGS)

test-fuzz: env  ## feed 326,000 damaged inputs to every reader of files from outside, count crashes (7 minutes; SEED=2: others)
	@echo "test-fuzz: a line for each reader and the total come at the end"
	@$(RUN) SEED=$(SEED) python -m pytest -n 2 --dist worksteal -m fuzz tests/fuzz $(ARGS)

check: format-check lint types floors  ## check format, lint, types and the floors of the house

format-check: env
	@echo "check: format"
	@$(RUN) ruff format --check .

lint: env
	@echo "check: lint"
	@$(RUN) ruff check .
	@$(RUN) hadolint Dockerfile

types: env
	@echo "check: types (the first run takes a minute)"
	@$(RUN) mypy $(CHECKED)

floors: env
	@echo "check: floors"
	@$(RUN) lint-imports

format: env  ## rewrite the code in the project's format
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

bench: env  ## measure builds against other ways, the plan, reading, perturbing, training (ARGS="--quick" is for the builds)
	@echo "bench: building the same frames in several ways; takes about half an hour"
	@$(RUN) python -m benchmarks.build $(ARGS)
	@echo "bench: listing and planning up to a million acquisitions; takes a few minutes"
	@$(RUN) python -m benchmarks.plan
	@echo "bench: reading shards back"
	@$(RUN) python -m benchmarks.read
	@echo "bench: perturbing batches, and feeding a training"
	@$(RUN) python -m benchmarks.perturbation
	@$(RUN) python -m benchmarks.training

bench-detection: env  ## the model next to principal components (ARGS="--sets aliens --data FOLDER": real images)
	@$(RUN) python -m benchmarks.detection $(ARGS)

bench-scoring: env  ## score the kit the project's way, by Beam's RunInference, in a plain loop (ARGS="--rounds 5"); 11 minutes
	@$(RUN) python -m benchmarks.scoring $(ARGS)

bench-scale: env  ## cost of each step, plans, projections to 10^9 patches; then 720,000 patches in one go (20 minutes, 10 GB)
	@$(RUN) python -m benchmarks.scale $(ARGS)
	@$(RUN) python -m benchmarks.long_build

bench-line: native  ## a slot of the line against the bare model call, C++ against Python, memory (20 minutes)
	@$(RUN) python -m benchmarks.line --native build/native/drae_inspect $(ARGS)

bench-choices: env  ## train with other choices and judge the calibration set (an hour; ARGS="--choices demo,sum")
	@$(RUN) python -m benchmarks.choices $(ARGS)

example: env  ## preview, build, verify (train on, score) real frames: make example NAME=bottle_strips DATA=FOLDER
	@if [ -z "$(NAME)" ] || [ -z "$(DATA)" ]; then \
	  echo "make example needs both NAME and DATA, for example: make example NAME=bottle_strips DATA=../frames" >&2; \
	  echo "  NAME  one of: $(EXAMPLES)" >&2; \
	  echo "  DATA  the folder that holds its acquisitions" >&2; \
	  exit 2; \
	fi
	@if [ ! -f "$(EXAMPLE)" ]; then echo "make example: NAME=$(NAME) is none of: $(EXAMPLES)" >&2; exit 2; fi
	@if [ ! -d "$(DATA)" ]; then echo "make example: DATA=$(DATA) is not a folder" >&2; exit 2; fi
	@$(RUN) python -m pipelines.preview --params $(EXAMPLE) --set $(EXAMPLE_SET) --root "$(DATA)" --tables "$(EXAMPLE_TABLES)" --out datasets/$(NAME)-preview.png
	@$(RUN) python -m pipelines.build --params $(EXAMPLE) --set $(EXAMPLE_SET) --root "$(DATA)" --tables "$(EXAMPLE_TABLES)"
	@$(RUN) python -m pipelines.verify --params $(EXAMPLE) --root "$(DATA)"
	@if grep -q '^train:' "$(EXAMPLE)"; then $(RUN) python -m pipelines.train --params "$(EXAMPLE)"; fi
	@if grep -q '^score:' "$(EXAMPLE)"; then $(RUN) python -m pipelines.score --params "$(EXAMPLE)" --set $(EXAMPLE_SET); fi

clean:  ## remove caches of the tools; keeps .venv, the data and the DVC cache
	@rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache .grimp_cache build dist ./*.egg-info
	@find . -path ./$(VENV) -prune -o -type d -name __pycache__ -print0 | xargs -0r rm -rf
