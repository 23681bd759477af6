# Needs only make and Python >= 3.11. Everything else goes into .venv, once.
.DEFAULT_GOAL := help
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
export VIRTUAL_ENV := $(CURDIR)/.venv
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help study app test floors fuzz labtest notebooks docs lab prepare settings constraints clean distclean

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /make \1|/p' Makefile | awk -F'|' '{printf "  %-14s %s\n", $$1, $$2}'

# Python: the first of these that runs and is new enough, or PYTHON=...
PYTHONS = $(or $(PYTHON),python3 python3.14 python3.13 python3.12 python3.11 python)

.venv/ready: pyproject.toml constraints.txt
	@set -e; py=; for p in $(PYTHONS); do \
	  if $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then py=$$p; break; fi; done; \
	if [ -z "$$py" ]; then echo "fad needs Python 3.11 or newer; tried: $(PYTHONS). Install one, or name one: make PYTHON=/path/to/python3"; exit 1; fi; \
	echo "Making .venv with $$($$py --version); the first time takes some minutes"; \
	$(BIN)/python -c '' 2>/dev/null || $$py -m venv --clear .venv || { echo "$$py could not make .venv: see above (Debian and Ubuntu: apt-get install python3-venv)"; rm -rf .venv; exit 1; }
	@$(BIN)/python -m pip install -qq -e '.[dev,sim,study,cnn,dask]' -c constraints.txt
	@$(BIN)/python -c 'import cv2, mediapipe.tasks.python.vision' || { echo "A system library is missing: see above (Debian and Ubuntu: apt-get install libgl1 libegl1 libgles2 libglib2.0-0)"; exit 1; }
	@touch $@

study: .venv/ready ## the study on the embedded cohort, and the portrait with known changes; tables, figures and reports go to results/
	$(BIN)/fad extract data/photograph.csv --out results/photograph --figures 7
	$(BIN)/fad study data/simulated/manifest.csv --out results/simulated

app: .venv/ready ## a page in your browser to drop photos and clips on; nothing leaves this machine
	$(BIN)/fad app

test: .venv/ready ## prove that exports, notebooks and README are fresh; run all notebooks and tests, two at a time
	$(BIN)/python tools/dev.py fresh
	$(BIN)/fad extract data/simulated/manifest.csv --out results/simulated --quiet # what the phase notebooks study, measured once
	$(BIN)/python tools/dev.py test
	$(BIN)/python -m pytest -n 2 --dist loadfile

FLOORS = 00_settings faces/02_cohort faces/03_detector faces/05_measures 01_landmarks runs/01_files stats/07_comparison

floors: ## the reading and measuring notebooks and the app under the lowest versions that pyproject.toml allows, in an environment of its own
	rm -rf build/floors && $(or $(PYTHON),python3) -m venv build/floors
	build/floors/bin/python -m pip install -qq uv
	VIRTUAL_ENV=$(CURDIR)/build/floors build/floors/bin/uv pip install -q --resolution lowest-direct '.[study,app]' -r tools/floors.txt
	build/floors/bin/python -m pytest -q tests/test_media.py tests/test_app.py
	for n in $(FLOORS); do VIRTUAL_ENV=$(CURDIR)/build/floors PATH="$(CURDIR)/build/floors/bin:$$PATH" PYTHONPATH=$(CURDIR) build/floors/bin/nbdev-test nbs/$$n.ipynb || exit 1; done

fuzz: .venv/ready ## 2,000 damaged files instead of the 200 of `make test`
	FAD_FUZZ=2000 $(BIN)/python -m pytest tests/test_fuzz.py

labtest: .venv/ready ## every notebook from the menu of a JupyterLab, in a headless browser
	FAD_LAB=all $(BIN)/python -m pytest -s tests/test_lab.py

notebooks: .venv/ready ## the five phase notebooks on your faces, as a private site: FAD_COHORT=path/to/faces make notebooks
	$(BIN)/python tools/dev.py notebooks

docs: .venv/ready ## build the site into _docs/
	$(BIN)/python tools/dev.py docs

lab: .venv/ready ## open JupyterLab on the notebooks
	$(BIN)/jupyter lab nbs

prepare: .venv/ready ## after editing notebooks: export modules, clean notebooks, write README.md
	$(BIN)/python tools/dev.py prepare

settings: .venv/ready ## write settings.ini anew from the defaults; your values in it are lost
	$(BIN)/python tools/dev.py settings

constraints: .venv/ready ## resolve all versions anew into constraints.txt, in an environment of its own
	rm -rf build/venv && $(BIN)/python -m venv build/venv
	build/venv/bin/python -m pip install -qq -e '.[dev,sim,study,cnn,dask]'
	{ sed -n '/^#/p' constraints.txt; build/venv/bin/python -m pip freeze --exclude-editable; } > build/constraints.txt
	mv build/constraints.txt constraints.txt && rm -rf build/venv

clean: ## remove what was built; keep .venv and results/
	rm -rf _docs _proc build dist *.egg-info .pytest_cache .hypothesis nbs/.ipynb_checkpoints
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +

distclean: clean ## remove .venv and results/ as well
	rm -rf .venv results
