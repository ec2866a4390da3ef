# The only list of commands. Needs make, Python 3.11 or newer with venv, and for `up` docker; the rest is fetched.

# Set on the command line only: an exported T or m must not change what a command does.
PORT = 8000
T =
m =

# pip's own settings (mirrors, certificates) are kept; these would make it install elsewhere.
unexport PYTHONHOME PYTHONPATH
export PIP_USER = 0
export PIP_DISABLE_PIP_VERSION_CHECK = 1

BIN = .venv/bin
ENVIRONMENT = @python=$$(sh scripts/find_python.sh) && exec "$$python" scripts/environment.py

.PHONY: help install run up fix check test bench compare mutants faults attack flood equal-times fuzz fuzz-tokens clients browser newcomer image audit sbom lock openapi pages demands migration migrate clean

help: ## list these
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

install: .venv/.dev ## make .venv with everything for development

run: .venv/.run ## start a local server: embedded storage, a demo account (PORT=8000)
	@exec $(BIN)/python -m authsvc dev --port $(PORT)

up: ## start the service with Postgres and Redis in docker
	docker compose up --build

fix: .venv/.dev ## format the code, mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

check: .venv/.dev ## the quick half of `make test`: style, types, imports, generated files
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy src tests scripts benchmarks
	$(BIN)/lint-imports
	@$(BIN)/python -m authsvc openapi | diff -u openapi.yaml - || { echo 'openapi.yaml is out of date: run `make openapi`'; exit 1; }
	@sh scripts/lock.sh --check

test: .venv/.dev ## everything CI runs; T=tests/api/test_refresh.py runs only those
ifeq ($(T),)
	@$(MAKE) --no-print-directory check
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory tests/docs/node_modules/.package-lock.json; fi
	$(BIN)/python -m pytest tests --cov --numprocesses=auto --dist=worksteal
else
	$(BIN)/python -m pytest $(T)
endif

# The pages that guard a service with Express are run with the real one, where there is Node.js.
tests/docs/node_modules/.package-lock.json: tests/docs/package-lock.json
	npm ci --prefix tests/docs --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

mutants: .venv/.dev ## break each promise on purpose: the test it names must go red
	$(BIN)/python -m tests.mutants.run

faults: .venv/.dev ## break everything around two instances under load, one thing at a time (T=redis-flushed)
	$(BIN)/python -m tests.faults.run $(T)

attack: .venv/.dev ## make 10,000 guesses at passwords in each of six ways; say how many are looked at
	AUTHSVC_TEST_GUESSES=10000 $(BIN)/python -m pytest tests/api/test_guessing_attacks.py

flood: .venv/.dev ## measure how much floods slow the others down (T="opaque 20": that format, 20 s each)
	$(BIN)/python -m benchmarks.flood $(T)

equal-times: .venv/.dev ## measure whether the time of a refused login tells names apart (T=1000 samples)
	$(BIN)/python -m benchmarks.equal_times $(T)

fuzz: .venv/.dev ## ask whatever openapi.yaml allows and forbids, 20,000 times (T=50000)
	$(BIN)/python -m tests.fuzz.run $(T)

fuzz-tokens: .venv/.dev ## let a coverage-guided fuzzer at each parser for a minute (T="jwt 600": one, for so many seconds)
	$(BIN)/python -m tests.fuzz.tokens $(T)

bench: .venv/.dev ## measure what it costs, against references of the same minute (T=refresh; T="jwt --short"; T="--compare main")
	$(BIN)/python -m benchmarks $(T)

compare: .venv/.dev ## measure sessions against tokens: what each way of checking costs, and what it does when a store is away
	$(BIN)/python -m benchmarks.sessions_or_tokens $(T)

clients: .venv/.dev ## try off-the-shelf OAuth clients against the service
	$(BIN)/python -m tests.clients.run

browser: .venv/.dev ## try Swagger UI and a single page application in a real Chromium
	$(BIN)/python -m tests.browser.run

newcomer: .venv/.dev ## clone, start and guard a service to the letter of the pages; say how long each step took
	$(BIN)/python -m tests.docs.newcomer

image: .venv/.dev ## build the image and run compose.yaml without a container engine (as root, on Debian)
	$(BIN)/python -m tests.image.run

audit: .venv/.dev ## ask for known vulnerabilities of every package the service runs on
	@$(BIN)/python scripts/supply_chain.py audit

sbom: .venv/.dev ## write build/sbom.cdx.json: every package the service runs on (CycloneDX)
	@$(BIN)/python scripts/supply_chain.py sbom

lock: .venv/.dev ## write the locks from pyproject.toml: run, dev, audit
	sh scripts/lock.sh

openapi: .venv/.dev ## write openapi.yaml
	$(BIN)/python -m authsvc openapi > openapi.yaml.new && mv openapi.yaml.new openapi.yaml

pages: .venv/.dev ## write .env.example, docs/settings.md and docs/command-line.md
	$(BIN)/python -m tests.env_example --write
	$(BIN)/python -m tests.settings_page --write
	$(BIN)/python -m tests.command_line_page --write

demands: .venv/.dev ## write docs/demands.md
	$(BIN)/python -m tests.demands --write

migration: .venv/.dev ## write a migration from the tables: m="what changes"
	@test -n "$$m" || { echo 'make migration m="what changes"'; exit 1; }
	$(BIN)/alembic revision --autogenerate -m "$$m" --rev-id $$(printf %04d $$(($$(ls alembic/versions/*.py | wc -l) + 1)))

migrate: .venv/.run ## bring the database of AUTHSVC_DATABASE_URL up to date
	$(BIN)/python -m authsvc db upgrade

clean: ## remove what can be made again (not .authsvc, the local server's data)
	rm -rf .venv .coverage .coverage.* .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis build dist
	find alembic benchmarks scripts src tests -name __pycache__ -prune -exec rm -rf {} +

.venv/.run: requirements.lock pyproject.toml
	$(ENVIRONMENT) run

.venv/.dev: requirements-dev.lock pyproject.toml
	$(ENVIRONMENT) dev

# Not whole, whatever the dates say: its checkout was moved, or its Python removed.
ifneq ($(shell test -x $(BIN)/python && cat .venv/.run .venv/.dev 2>/dev/null | uniq),$(CURDIR))
.PHONY: .venv/.run .venv/.dev
endif
