PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help demo test test-faults test-matrix browser lint weights bench clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(READY)  ## set up, draw small raw inputs, build a release from them, load it back
	@$(BIN)/python -m emohub.demo release

test: $(READY) browser lint  ## set up, lint, types, every test
	@$(BIN)/python -m pytest -n 3 --dist worksteal

test-faults: $(READY)  ## publish 224 times with a fault each, seeded (about five minutes on two cores)
	@$(BIN)/python -m tests.faults $(ARGS)

.PHONY: test-fuzz test-kills
test-fuzz: $(READY)  ## 4,500 damaged files, seeded: each ends in a clear error or a result (about five minutes)
	@$(BIN)/python -m tests.fuzz $(ARGS)

test-kills: $(READY)  ## kill -9 each command at 40 random moments; the rerun equals an undisturbed run (an hour)
	@$(BIN)/python -m tests.kills $(ARGS)

.PHONY: test-rate
test-rate: $(READY)  ## kill -9 200 runs of `emohub rate` until they end; each equals a quiet one (about ten minutes)
	@$(BIN)/python -m tests.rate.kills release/datasets/emonet-face $(ARGS)

.PHONY: test-generate
test-generate: $(READY)  ## kill -9 `emohub generate loop` 30 times; it ends with the files of a quiet one (a minute)
	@$(BIN)/python -m tests.generate.kills $(ARGS)

.PHONY: test-study
test-study: $(READY)  ## 20 annotators, two minutes, two servers, a wild clock, a full disk, a kill: every answer once
	@$(BIN)/python -m tests.spaces.annotation.load $(ARGS)

test-matrix: $(READY)  ## the model on transformers 5.0, 5.12, 5.20 and the pinned one; tasks in Inspect and lm-eval (minutes; needs the network)
	@$(BIN)/python tests/matrix.py $(VERSIONS)
	@$(BIN)/python -m tests.with_inspect
	@$(BIN)/python -m tests.with_lm_eval

.PHONY: test-mixins
test-mixins: $(READY)  ## transformers' own tester mixin over the model (a minute; needs the network)
	@$(BIN)/python tests/mixins.py

.PHONY: test-mteb
test-mteb: $(READY)  ## mteb evaluates the embeddings on drawn faces (three minutes; needs the network)
	@$(BIN)/python tests/with_mteb.py

browser:  ## Chromium (apt), axe-core and transformers.js (npm) for their tests, if missing
	@tests/set_up_browser.sh

lint: $(READY)  ## ruff and mypy only
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

weights: $(READY)  ## train the demo's model on drawn faces anew (7 to 10 minutes on two idle cores)
	@$(BIN)/python -m emohub.sample.training emohub/sample/weights.safetensors

bench: $(READY)  ## the benchmarks, side by side with what a user would use instead (minutes)
	@$(BIN)/python -m benchmarks.bench_build
	@$(BIN)/python -m benchmarks.bench_train
	@$(BIN)/python -m benchmarks.bench_model
	@$(BIN)/python -m benchmarks.bench_embed --size base
	@$(BIN)/python -m benchmarks.bench_metrics
	@$(BIN)/python -m benchmarks.bench_publish
	@$(BIN)/python -m benchmarks.bench_rate
	@$(BIN)/python -m benchmarks.bench_report
	@$(BIN)/python -m benchmarks.bench_annotation
	@$(BIN)/python -m benchmarks.bench_check
	@$(BIN)/python -m benchmarks.bench_formats
	@$(BIN)/python -m benchmarks.bench_start
	@PYTHONPATH=. $(BIN)/python -m benchmarks.bench_generate

clean:  ## remove what the other targets made
	rm -rf $(VENV) .matrix raw release .mypy_cache .pytest_cache .ruff_cache .hypothesis tests/axe/node_modules tests/js/node_modules

# The stamp is touched last: an interrupted set-up is done again, a finished one costs nothing.
$(READY): pyproject.toml constraints.txt
	@command -v $(PYTHON) >/dev/null || { echo "emohub needs Python 3.11 or newer: install it, or name one with make PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV) (about two minutes, once) ..."
	@$(PYTHON) -m venv $(VENV)
	@PIP_CONSTRAINT=constraints.txt $(BIN)/pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@
