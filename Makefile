# Two commands on a fresh machine: `make demo` (install, segment a photo by click) and `make test`.
#   PYTHON=python3.13 make demo     another interpreter
#   VENV=/tmp/venv make test        another environment
#   DATA=shards make train-lite     train the model in the package again (docs/training.md)

PYTHON ?= python3
VENV ?= .venv
OUT ?= out
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt

DATA ?= data
RUN ?= runs/lite

.PHONY: demo test studio test-browser lint types bench train-lite clean

demo: $(VENV)/.anymask-base
	@$(BIN)/anymask segment examples/flower.jpg --point 308,299 --label dahlia \
		-o $(OUT)/mask.png --overlay $(OUT)/overlay.jpg --cutout $(OUT)/cutout.png

# Files of tests side by side, each with one thread: two cores then take little more than half the time of one.
test: $(VENV)/.anymask-test
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile $(ARGS)

# The studio's pages, built from studio/; fails if what lies in the package is something else.
STATIC := src/anymask/studio/static
studio:
	cd studio && npm ci --no-audit --no-fund && npm run lint && npm test && npm run build
	@test -z "$$(git status --porcelain $(STATIC))" || { git status --short $(STATIC); \
		echo "$(STATIC) is not what studio/ builds; commit it together with its sources"; exit 1; }

test-browser: $(VENV)/.anymask-test
	cd studio && ANYMASK_PYTHON=$(abspath $(BIN)/python) npm run test:browser

lint: $(VENV)/.anymask-dev
	$(BIN)/ruff check .
	$(BIN)/lint-imports

types: $(VENV)/.anymask-dev
	$(BIN)/mypy

bench: $(VENV)/.anymask-test
	$(BIN)/python -m bench $(ARGS)

train-lite: $(VENV)/.anymask-train
	PYTHON=$(BIN)/python examples/train_lite.sh $(DATA) $(RUN)

clean:
	rm -rf $(OUT) build dist .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# Stamps: an install runs again only when what it depends on changed.
$(VENV)/.anymask-base: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "anymask needs Python 3.11 or newer, this is %s; name another one: make PYTHON=python3.12 ..." % sys.version.split()[0])'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -e .
	@touch $@

$(VENV)/.anymask-train: $(VENV)/.anymask-base
	$(INSTALL) -e '.[train,evaluate]'
	@touch $@

$(VENV)/.anymask-test: $(VENV)/.anymask-base tests/peers.txt
	$(INSTALL) -e '.[test]'
	$(INSTALL) --no-deps -r tests/peers.txt
	@touch $@

$(VENV)/.anymask-dev: $(VENV)/.anymask-test
	$(INSTALL) -e '.[dev]'
	@touch $@
