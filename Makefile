# Everything a developer types. `make` alone says what there is.
#
# Environments live in .venv/, one for each requirements/*.txt, and are made anew when it changes. Each file lists
# all that its environment needs.

PYTHON ?= python3
VARIANT ?= 2stems
OUT ?= out
PORT ?= 4566
STACK ?= stempipe
STATE ?= .local
# That poll, in place of the two that Lambda runs.
WORKERS ?= 0
# Files and addresses reach the commands by the environment, and as they are: they may hold quotes and dollars.
override SONG := $(value SONG)
override OUT := $(value OUT)
override STATE := $(value STATE)
override AGAIN := $(value AGAIN)
override API := $(value API)
override LIVE := $(value LIVE)
override CALLBACK := $(value CALLBACK)
export SONG OUT STATE AGAIN API LIVE CALLBACK
REPEATS ?= 3
SECONDS ?= 45
SCHEDULES ?= 200
SEED ?= 1
RATE ?= 10
# Its vulnerabilities are known to everybody: whoever does not find them has asked nobody.
KNOWN_BAD := jinja2==2.4.1
# What runs for somebody, on AWS or here. Not spleeter: it pins what is old, and serves for comparison.
AUDITED := layer authorize separate dev ministack sam

# Node.js comes from a package, and is put before any other.
NODE := env PATH="$(CURDIR)/.venv/node/bin:$$PATH"
API_DOCUMENT = $(DEV)/python -c 'import json; from tests.routes import document; print(json.dumps(document()))'
WEB_SOURCES := $(shell find web/src web/public -path web/public/song -prune -o -type f -print) web/index.html web/package.json web/vite.config.ts web/sizes.ts web/sizes.json web/tsconfig.json
UV := .venv/uv/bin/uv
DEV := .venv/dev/bin
SAM := SAM_CLI_TELEMETRY=0 .venv/sam/bin/sam
ENOUGH := $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
    { echo "Stempipe needs Python 3.11 or later; $(PYTHON) is older. Try: make PYTHON=python3.12 ..."; exit 1; }
# What calls nobody needs some region. What does takes the deployment's: of samconfig.toml, or of your profile.
OFFLINE := AWS_DEFAULT_REGION=$${AWS_DEFAULT_REGION:-us-east-1}
LAMBDA_PYTHON := .venv/lambda/bin/python
# Where there is no such Python, AWS's image for builds has one.
IN_CONTAINER = $$(test -x "$(LAMBDA_PYTHON)" || echo --use-container --mount-symlinks)
NATIVE := functions/separate/separation/native/build.py
SOURCES := functions layers cli/src local tests benchmarks training showcase web/publish.py
SOUND := tests/unit/separation tests/unit/analysis tests/unit/media/test_timeline.py
AFAR := tests/e2e tests/cli tests/faults
FAST := $(DEV)/pytest -q -m "not slow and not sam and not web" -p no:cacheprovider
# Sound is heard by a thread for each stem: NumPy's own threads would only wait for each other, busily.
export OPENBLAS_NUM_THREADS := 1
export PYTHONPATH := $(CURDIR)/layers/common/python:$(CURDIR)/functions/separate:$(CURDIR)/cli/src

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help:  ## What there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' Makefile

# ---- use it ---------------------------------------------------------------------------------

demo: dev ministack models page  ## Separate and analyse a song on a local cloud (SONG=path, OUT=folder)
	@$(DEV)/python -m local demo --out="$$OUT" $(if $(value SONG),--song="$$SONG")

local: dev ministack models page  ## Run the whole template on this machine until Ctrl-C (PORT=4566 STATE=.local WORKERS=0)
	@$(DEV)/python -m local up --port "$(PORT)" --state="$$STATE" --workers "$(WORKERS)"

# The cloud is of use without it.
page:
	@$(MAKE) --no-print-directory web 2>/dev/null || \
	    echo "The page is LEFT OUT: npm's packages could not be had, or it could not be built. Try: make web" >&2

models: dev native  ## Fetch and check a model (VARIANT=2stems|4stems|5stems|all), and what analysis needs
	@$(DEV)/python -m separation.models $(VARIANT)
	@$(DEV)/python -m analysis

build: sam-cli lambda-python  ## Build the functions, the layer and the image (needs Docker)
	LAMBDA_PYTHON="$(CURDIR)/$(LAMBDA_PYTHON)" $(OFFLINE) $(SAM) build $(IN_CONTAINER) $(BUILD_FLAGS)
	@for built in CommonLayer AuthorizeFunction; do \
	    find .aws-sam/build/$$built -name '*.pyc' 2>/dev/null | grep -q . || \
	    echo "build: $$built has NO BYTECODE, and cold starts take longer. Try: rm -rf .aws-sam; make build" >&2; \
	done

deploy: build web  ## Build and deploy to your AWS account, the page included
	$(SAM) deploy --guided
	@.venv/sam/bin/python -m web.publish $(OF_STACK)

publish: sam-cli web  ## Build and upload the page alone (STACK=stempipe, REGION=)
	@.venv/sam/bin/python -m web.publish $(OF_STACK)

# As sam has kept them, where they are not given.
OF_STACK = $(if $(filter command environment,$(firstword $(origin STACK))),--stack "$(STACK)") \
    $(if $(REGION),--region "$(REGION)")

redrive: sam-cli  ## Send a deployment's dead letters round again (STACK=stempipe, REGION=)
	$(SAM) remote invoke SweepFunction --stack-name "$(STACK)" $(if $(REGION),--region "$(REGION)") \
	    --event '{"sweep": "redrive"}'

smoke:  ## Check a deployment from outside (API=https://..., LIVE=wss://..., STEMPIPE_TOKEN in the environment)
	@$(ENOUGH)
	@$(PYTHON) -m tests.smoke --api="$$API" --live="$$LIVE" --callback="$$CALLBACK" \
	    $(if $(value SONG),--song="$$SONG")

# ---- work on it -----------------------------------------------------------------------------

web: web/dist/index.html  ## Build the page into web/dist

web/dist/index.html: web/node_modules/.made web/public/song/song.json $(WEB_SOURCES)
	@cd web && $(NODE) npm run --silent build

web/public/song/song.json: $(wildcard showcase/*.py) | dev
	@echo "Making the built-in song"
	@$(DEV)/python -m analysis >/dev/null
	@rm -rf $(@D)
	@$(DEV)/python -m showcase $(@D)

web/.examples/.made: tests/web/examples.py $(wildcard showcase/*.py) | dev
	@$(DEV)/python -m analysis >/dev/null
	@$(DEV)/python -m tests.web.examples $(@D)
	@touch $@

web-types: dev web/node_modules/.made  ## Write the page's types anew from the API and its schema
	@$(API_DOCUMENT) | $(NODE) node web/types/generate.mjs

web-dev: web/node_modules/.made  ## Serve the page with hot reload, beside `make local`
	@cd web && $(NODE) npm run --silent dev

check-web: dev web/node_modules/.made web/.examples/.made web/public/song/song.json  ## The page: format, lint, types, unit tests
	@$(API_DOCUMENT) | $(NODE) node web/types/generate.mjs --check
	@cd web && $(NODE) npm run --silent check && $(NODE) npm run --silent test

check: dev  ## Before every commit: format, lint, imports, types, unit tests
	@$(MAKE) --no-print-directory --jobs=2 --output-sync=target unit-sound static unit-others

static: dev
	$(DEV)/ruff format --check $(SOURCES)
	$(DEV)/ruff check $(SOURCES)
	$(DEV)/lint-imports --no-logo --no-cache
	$(DEV)/mypy $(SOURCES)

# Two halves, for two cores; with no common cache, because they run at once.
unit-sound: dev models
	$(FAST) $(SOUND)

unit-others: dev
	$(FAST) tests/unit tests/template tests/faults $(SOUND:%=--ignore=%)

test: dev ministack sam-cli spleeter models web/node_modules/.made web/.examples/.made web/public/song/song.json  ## All tests but those that need Docker or a browser
	@cd web && $(NODE) npm run --silent test
	@$(MAKE) --no-print-directory --jobs=2 test-afar test-near

# Two halves side by side, for much of either is waiting. What tests start is to know nothing of these two.
test-afar:
	env -u MAKEFLAGS $(DEV)/pytest -q -m "not sam and not web" $(AFAR) $(PYTEST_FLAGS)

test-near:
	env -u MAKEFLAGS $(DEV)/pytest -q -m "not sam and not web" $(AFAR:%=--ignore=%) $(PYTEST_FLAGS)

test-web: dev ministack models web web/.examples/.made  ## The page in a real browser, on a local cloud (Chromium)
	$(DEV)/pytest tests/web $(PYTEST_FLAGS)

test-faults: dev ministack models  ## Cause faults of every kind on a local cloud (SCHEDULES=200, SEED=1)
	@$(DEV)/python -m tests.faults --schedules $(SCHEDULES) --seed $(SEED)

test-sam: dev ministack sam-cli  ## Build with SAM, and send a song through the built functions and images (Docker)
	$(DEV)/pytest -m sam tests/sam $(PYTEST_FLAGS)

fuzz: fuzz-env  ## Feed events, configurations, media and MIDI made to break things (SECONDS=45, AGAIN=input)
	@.venv/fuzz/bin/python -m tests.fuzz $(SECONDS)

quality: dev spleeter models  ## Measure stems, and what is heard in them, where the truth is known
	@$(DEV)/python -m tests.quality

bench: dev ministack spleeter models  ## Compare the engine with Spleeter on this machine (SONG=path, REPEATS=3)
	@$(DEV)/python -m benchmarks --repeats $(REPEATS) $(if $(value SONG),--song="$$SONG")

cost: dev ministack models  ## What a minute of audio costs, counted call by call on a local cloud (AGAIN=1: from the last count)
	@$(DEV)/python -m benchmarks.cost $(if $(value AGAIN),--again)

scale: dev ministack  ## Simulate how long songs wait (SEED=1; REAL=1 compares with the local cloud: 20 minutes)
	@$(DEV)/python -m benchmarks.scale --seed $(SEED) $(if $(REAL),--real)

load: dev ministack models  ## Load a local cloud: the pipeline, and real songs (RATE=10 MINUTES=10; SOAK=1: an hour)
	@$(DEV)/python -m benchmarks.load --seed $(SEED) --rate "$(RATE)" $(if $(MINUTES),--minutes "$(MINUTES)") $(if $(SOAK),--soak)

train-drums: dev  ## Train what hears drums, from sounds of Debian 12's packages (a quarter of an hour)
	@$(DEV)/python -m training

lint: static sam-cli audit  ## Format check, lint, imports, strict types, template, known vulnerabilities
	$(OFFLINE) $(SAM) validate --lint

audit: .venv/audit/.made  ## Known vulnerabilities of what is pinned
	@audit() { .venv/audit/bin/pip-audit --no-deps --disable-pip --progress-spinner off "$$@"; }; \
	if echo $(KNOWN_BAD) | audit --format json -r /dev/stdin 2>/dev/null | grep -q '"id"'; then \
	    for pinned in $(AUDITED); do echo "pip-audit $$pinned"; audit --strict -r requirements/$$pinned.txt || exit 1; done; \
	else \
	    echo "audit: LEFT OUT. pip-audit does not find what is wrong with $(KNOWN_BAD), so its service cannot be asked from here; nothing was checked." >&2; \
	fi

format: dev  ## Format the code, and mend what the linter can
	$(DEV)/ruff format $(SOURCES)
	$(DEV)/ruff check --fix $(SOURCES)

lock: uv  ## Pin the newest versions that requirements/*.in allow
	@set -e; cd requirements; \
	compile() { ../$(UV) pip compile --quiet --upgrade --no-annotate --no-emit-index-url \
	    --no-emit-find-links --custom-compile-command "make lock" --python-version 3.11 "$$@"; }; \
	compile --universal --excludes dev.excludes dev.in ../cli/pyproject.toml -o dev.txt; \
	for name in layer separate authorize fuzz; do compile --universal $$name.in -c dev.txt -o $$name.txt; done; \
	for name in uv ministack sam audit node zig; do compile --universal $$name.in -o $$name.txt; done; \
	compile --overrides tensorflow.overrides --excludes spleeter.excludes spleeter.in -o spleeter.txt; \
	compile --universal --overrides tensorflow.overrides --excludes tensorflow.excludes \
	    tensorflow.in -c spleeter.txt -o tensorflow.txt

clean:  ## Delete environments, builds and the local cloud's state, jobs and stems included
	rm -rf .venv .aws-sam .local .fuzz .pytest_cache .mypy_cache .ruff_cache .hypothesis

# ---- environments ---------------------------------------------------------------------------

uv: .venv/uv/.made
dev: .venv/dev/.made
ministack: .venv/ministack/.made
sam-cli: .venv/sam/.made
node: .venv/node/.made
spleeter: .venv/spleeter/.made
fuzz-env: .venv/fuzz/.made

# The native engine, in the user's cache: by the machine's compiler, else by the one in a package. Without either OpenVINO
# does its work, and a line says so.
native: | .venv/uv/.made
	@$(PYTHON) $(NATIVE) || { test "$$(uname -sm)" = "Linux x86_64" && \
	    $(MAKE) --no-print-directory .venv/zig/.made && .venv/zig/bin/python $(NATIVE); } || true

.venv/uv/.made: requirements/uv.txt
	@$(ENOUGH)
	@echo "Making .venv/uv"
	@$(PYTHON) -m venv --clear .venv/uv
	@.venv/uv/bin/pip install --quiet --disable-pip-version-check -r $<
	@touch $@

# Lambda's own Python, to compile for it.
lambda-python: $(LAMBDA_PYTHON)
$(LAMBDA_PYTHON): | .venv/uv/.made
	@$(UV) venv --quiet --clear --python 3.13 .venv/lambda || echo "There is no Python 3.13 here, and none can be had: the build takes a container."

web/node_modules/.made: web/package-lock.json web/package.json web/.npmrc .venv/node/.made
	@echo "Fetching the page's packages"
	@cd web && $(NODE) npm ci --loglevel=error --no-progress --fetch-retries=1
	@touch $@

# Spleeter's TensorFlow stops at Python 3.11; the others take whatever runs make.
.venv/spleeter/.made: ENV_PYTHON := 3.11
.venv/%/.made: ENV_PYTHON ?= $(PYTHON)
.venv/%/.made: requirements/%.txt | .venv/uv/.made
	@echo "Making .venv/$*"
	@$(UV) venv --quiet --clear --python $(ENV_PYTHON) .venv/$*
	@$(UV) pip install --quiet --no-deps --python .venv/$*/bin/python -r $<
	@touch $@

.PHONY: help demo local page models build deploy publish redrive smoke check static unit-sound unit-others test test-afar test-near test-faults \
    web web-types web-dev check-web test-web test-sam fuzz quality bench cost scale load lint audit format lock clean uv dev ministack sam-cli spleeter fuzz-env native lambda-python
