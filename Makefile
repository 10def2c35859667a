# The commands of the README. Each target is one line; the work is done in tools/.

PYTHON ?= python3  # which Python makes .venv: 3.11, 3.12 or 3.13
NOTEBOOKS ?= work  # where `make lab` opens: a learner's copies, or `notebooks` for authors
PORT ?= 8888       # where JupyterLab listens; a taken port moves on to the next

.PHONY: lab test course bench browser

lab: .venv/installed-lab
	@.venv/bin/python tools/lab.py --notebooks $(NOTEBOOKS) --port $(PORT)

test: .venv/installed-test
	@.venv/bin/python tools/check.py

course: .venv/installed-lab
	@.venv/bin/python tools/course.py

browser: .venv/installed-test
	@.venv/bin/python tools/browser.py

bench: .venv/installed-test
	@.venv/bin/python -m benchmarks

.venv/installed-lab: pyproject.toml constraints.txt
	@$(PYTHON) tools/install.py

.venv/installed-test: pyproject.toml constraints.txt
	@$(PYTHON) tools/install.py test
