# Needs Python 3.11 or newer and make; everything else is installed into .venv from the hashed lock.
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8080
# Processes that run the tests: one more than two cores, because many tests wait for servers.
WORKERS ?= 3

.PHONY: wheel install run test check bench bench-large bench-peers soak mutants browser lock clean

install: .venv/installed

.venv/installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.12")'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

wheel: install
	@rm -f dist/engraft_lrs-*.whl
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

run: install
	$(BIN)/lrs serve --demo --port $(PORT)

test: install
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install
	$(BIN)/python -m tests.bench

bench-large: install
	$(BIN)/python -m tests.bench --large

# Ralph in an environment of its own, and SQL LRS if SQL_LRS names the folder of a release.
bench-peers: install
	@test -x .peers/bin/python || $(PYTHON) -m venv .peers
	@.peers/bin/python -c 'import ralph.api' 2>/dev/null || .peers/bin/pip install -q 'ralph-malph[lrs]==5.1.0' requests
	$(BIN)/python -m tests.bench.peers --ralph .peers/bin/python $(if $(SQL_LRS),--sql-lrs $(SQL_LRS))

# A test may take half an hour: some tries thousands of histories.
soak: install
	$(BIN)/python -m pytest -m soak -p no:randomly --timeout 1800

# Faults seeded by mutmut, and whether a test finds each; what survived is listed. Takes long.
mutants: install
	$(BIN)/mutmut run
	$(BIN)/mutmut results

# In a headless Chromium, such as Debian's package chromium; where there is none, it says so and tries nothing.
browser: install
	$(BIN)/python -m pytest tests/browser -m browser -p no:randomly

LOCK := uv pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes \
  --no-header --no-emit-index-url --prerelease if-necessary-or-explicit

lock:
	$(LOCK) --group dev -o requirements.lock
	$(LOCK) -c requirements.lock -o docker/requirements.lock

clean:
	rm -rf .venv
