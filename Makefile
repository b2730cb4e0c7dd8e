# Theoria: `make run` opens the window, `make test` checks everything; both set up what they need first.

VENV := .venv
BIN := $(VENV)/bin
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)

.PHONY: help run test gallery pictures fonts bench device format clean python
.DEFAULT_GOAL := help

help:  ## Show this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 18

run: $(VENV)/.installed  ## Open the window (without a display: make the gallery); ARGS="--experiment angles.distribution"
	@$(BIN)/python main.py $(ARGS)

test: $(VENV)/.installed  ## Check style, types, imports and behaviour
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(ARGS),$(BIN)/python -m pytest $(ARGS),$(BIN)/python -m pytest -n logical --maxprocesses 4 --dist loadfile --ignore=tests/perf)
	$(if $(ARGS),,$(BIN)/python -m pytest tests/perf)

gallery: $(VENV)/.installed  ## Make a web page with a picture of every experiment
	@$(BIN)/python main.py gallery $(ARGS)

PICTURE = $(BIN)/python main.py render $(1) --size 1440x900 $(2) --out docs/pictures/$(subst _,-,$(lastword $(subst ., ,$(1)))).png

pictures: $(VENV)/.installed  ## Make the pictures of the README again
	$(call PICTURE,angles.distribution,--window --theme dark)
	$(call PICTURE,angles.orthogonality,--window --theme light)
	$(call PICTURE,angles.propagation,--window --theme dark)
	$(call PICTURE,angles.activation_gain,--window --theme dark --language zh)
	$(call PICTURE,angles.capacity,--window --theme light)
	$(call PICTURE,langevin.sampling,--window --theme dark --preset modes --set steps=600)
	$(call PICTURE,langevin.bias,--window --theme light --language zh)
	$(call PICTURE,langevin.passage,--window --theme light)
	$(call PICTURE,langevin.energy_model,--window --theme dark --preset moons)
	$(call PICTURE,langevin.pits,--window --theme dark --set momentum=0.6 --set steps=500)
	$(call PICTURE,em.mixture,--window --theme dark)
	$(call PICTURE,em.coins,--window --theme light)
	$(call PICTURE,em.joint_kl,--window --theme light --language zh --preset coins)
	$(call PICTURE,em.annealing,--window --theme dark)
	$(BIN)/python main.py render langevin.energy_model --preset digits --theme light --size 1440x900 --out docs/pictures/digits.png

fonts: $(VENV)/.installed  ## Make resources/fonts again (on Debian or Ubuntu), after new characters in texts
	$(BIN)/python -m pip install --disable-pip-version-check --quiet "fonttools>=4.50"
	$(BIN)/python .ci/make_fonts.py

bench: $(VENV)/.installed  ## Measure the program beside its peers
	@$(BIN)/python main.py bench $(ARGS)

device:  ## On a machine with a CUDA card: GPU tests and benchmarks within eight minutes, as device.json
	@$(PYTHON) -m benchmarks._device $(ARGS)

format: $(VENV)/.installed  ## Put the source into its standard form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## Remove everything that was set up or made
	rm -rf $(VENV) gallery device.json build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

# The environment is made again when what it is made from changes, and not otherwise.
$(VENV)/.installed: pyproject.toml constraints.txt $(VENV)/.libraries
	@$(BIN)/python -c '' 2>/dev/null || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch $@

$(VENV)/.libraries: .ci/libraries | python
	@mkdir -p $(VENV)
	@PYTHON=$(PYTHON) .ci/libraries
	@touch $@

python:
	@$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || \
		{ echo "Theoria needs Python 3.11 or newer: install it, or name one with make PYTHON=/path/to/python3." >&2; exit 1; }
