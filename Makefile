# The commands of the README. Each target is one line or two; the work is done in tools/.

# Which Python makes .venv: 3.11, 3.12 or 3.13. If none is named, a .venv that is there keeps its own.
PYTHON ?= python3
# Where `make lab` opens: a learner's copies, or `notebooks` for authors.
NOTEBOOKS ?= work
# Where JupyterLab listens; a taken port moves on to the next.
PORT ?= 8888

# Sets .venv up; soon done if it is, and belongs to this folder, this Python and these versions.
INSTALL = $(PYTHON) tools/install.py $(if $(filter file,$(origin PYTHON)),--keep)

# The address of the repository on the web, for the links of the site; without it, pyproject.toml's.
REPOSITORY ?=

.PHONY: lab test course bench browser site workshop

lab:
	@$(INSTALL)
	@.venv/bin/python tools/lab.py --notebooks "$(NOTEBOOKS)" --port $(PORT)

test:
	@$(INSTALL) test
	@.venv/bin/python tools/check.py

course:
	@$(INSTALL)
	@.venv/bin/python tools/course.py

site:
	@$(INSTALL) site
	@.venv/bin/python tools/site.py --repository "$(REPOSITORY)"

browser:
	@$(INSTALL) test
	@.venv/bin/python tools/browser.py

workshop:
	@$(INSTALL) test
	@.venv/bin/python tools/workshop.py

bench:
	@$(INSTALL) test
	@.venv/bin/python -m benchmarks
