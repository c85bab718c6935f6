# The two commands of the README; each sets up .venv by itself from nothing but Python >= 3.11.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

.PHONY: demo test check slow clean

demo: $(READY)
	$(VENV)/bin/heedful demo

test: $(READY)
	$(VENV)/bin/python -m pytest -n 2 --dist worksteal -m "not slow"

check: $(READY)
	PATH="$(CURDIR)/$(VENV)/bin:$$PATH" ./check

slow: $(READY)
	$(VENV)/bin/python -m pytest -m slow

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit("Heedful needs Python 3.11 or newer: found " + sys.version.split()[0] + "; PYTHON=python3.11 make ... would work" if sys.version_info < (3, 11) else 0)'
	test -x $(VENV)/bin/python || $(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
