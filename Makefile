# The targets of the project. Everything lives in .venv and in SHUANGSUIJI_HOME (var/ by default).
PYTHON ?= python3
BIN := .venv/bin
# Compiled once, not by each of the hundreds of processes that the tests start.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: install demo serve test check pure offices servers pages chaos simulate bench clean

install: .venv/.done

.venv/.done: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "需要 Python 3.11 或更高版本（可用 PYTHON=… 指定）"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[test]'
	@touch $@

demo: install
	$(BIN)/shuangsuiji rehearse

serve: install
	$(BIN)/shuangsuiji serve

# The last two beside each other: while one waits for its service, the other works.
test: check pure offices
	@$(MAKE) --no-print-directory --output-sync=line -j 2 servers pages

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

# Rules alone, of plain values and dates.
pure: install
	$(BIN)/pytest tests/calendars tests/models -m 'not server' -n 2

# Whole offices, each with its own SQLite file; a file's in one process, the longest first.
offices: install
	$(BIN)/pytest tests/simulation tests/tasks tests/flows tests/deployments -m 'not server' -n 2 \
		--dist loadfile --no-loadscope-reorder

# With one Prefect server, one PostgreSQL and SMTP servers, in one process.
servers: install
	$(BIN)/pytest -m 'server and not service'

# The whole service as `make serve` starts it, and a browser.
pages: install
	$(BIN)/pytest -m service

chaos: install
	$(BIN)/python tests/chaos/run.py

# A hundred office-years by seed, with crashes and outages; SEED= lives one of them again.
simulate: install
	PYTHONPATH=. PYTHONHASHSEED=0 $(BIN)/python tests/simulation/run.py $(if $(SEED),--seed $(SEED)) \
		$(if $(YEARS),--years $(YEARS)) $(if $(UNTIL),--until $(UNTIL)) $(if $(TRACE),--trace)

bench: install
	@for bench in tests/bench/bench_*.py; do $(BIN)/python $$bench || exit 1; done

clean:
	rm -rf .venv var
