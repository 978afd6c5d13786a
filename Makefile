# Everything a developer does here. `make` alone lists it.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help venv test browser dashboard dashboard-check asyncapi-check fault soak fuzz fuzz-bytes fuzz-http mutate bench bench-check check \
	docker-test deploy-check feed-function security format run docs build lock release-check pythons scale scale-page clean

BIN := .venv/bin
INSTALLED := .venv/.installed
AUDIT := .venv/.audit
LOCKER := .venv/.locker
SITE := .venv/.site
ATHERIS := .fuzz/lib/atheris
PEERS := .bench/venv/.installed
LINTERS := .deploy/venv/.installed
STREAMS := benchmarks/kafka-streams/target/small-step-1.jar

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

venv: $(INSTALLED) ## Create .venv with everything in it; quick when nothing changed (PYTHON=… chooses the interpreter)

$(INSTALLED): pyproject.toml
	@python=$$(PYTHON="$(PYTHON)" .ci/find-python) && echo "Setting up .venv with $$python" && "$$python" -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

test: venv ## Run all tests, those on a real Kafka too (ARGS='-k word' chooses)
	@# By file: tests of one file may share a demo, which takes the ports that the README names.
	@$(BIN)/pytest -n auto --dist loadfile $(ARGS)

browser: dashboard/node_modules ## Run the tests of the dashboard's pages in Chromium (Debian's package chromium)
	@$(BIN)/pytest -m browser tests/browser $(ARGS)

dashboard: dashboard/node_modules ## Build the dashboard into streams/web/static, where it is committed (needs Node 20 or newer)
	@cd dashboard && npm run -s types -- src/schema.d.ts >/dev/null && npm run -s check && npm run -s build

dashboard-check: dashboard/node_modules ## Build it elsewhere, and fail where that is not what is committed
	@rm -rf .run/dashboard && cd dashboard && npm run -s types -- ../.run/schema.d.ts >/dev/null && npm run -s check && \
		npm run -s build -- --logLevel warn --outDir ../.run/dashboard
	@{ diff -q .run/schema.d.ts dashboard/src/schema.d.ts && diff -r -q .run/dashboard streams/web/static; } || \
		{ echo "The committed dashboard is not what its sources give: run make dashboard, and commit the result." >&2; exit 1; }

dashboard/node_modules: dashboard/package-lock.json venv
	@command -v npm >/dev/null || { echo "Node is needed for this (https://nodejs.org, or Debian's packages nodejs and npm)" >&2; exit 1; }
	@[ -e $@/.package-lock.json ] && [ ! $< -nt $@/.package-lock.json ] || (cd dashboard && npm ci --no-audit --no-fund --silent)
	@touch $@/.package-lock.json

asyncapi-check: .ci/asyncapi/node_modules ## AsyncAPI's own parser over docs/reference/asyncapi.yaml (needs Node 20 or newer)
	@node .ci/asyncapi/check.js docs/reference/asyncapi.yaml

.ci/asyncapi/node_modules: .ci/asyncapi/package-lock.json
	@command -v npm >/dev/null || { echo "Node is needed for this (https://nodejs.org, or Debian's packages nodejs and npm)" >&2; exit 1; }
	@[ -e $@/.package-lock.json ] && [ ! $< -nt $@/.package-lock.json ] || (cd .ci/asyncapi && npm ci --no-audit --no-fund --silent)
	@touch $@/.package-lock.json

fuzz: venv ## Look long for events that break what must always hold (EXAMPLES=50000; new ones every time)
	@HYPOTHESIS_PROFILE=fuzz HYPOTHESIS_EXAMPLES=$(or $(EXAMPLES),50000) $(BIN)/pytest -n auto \
		tests/properties/test_fleet_machine.py $(ARGS)

fuzz-bytes: venv $(ATHERIS) ## Feed made-up bytes to reading and folding (LAW=reads, counts or folds; RUNS=1000000 or SECONDS=600 of each)
	@for law in $(or $(LAW),reads counts folds); do echo "atheris: $$law"; PYTHONPATH=.fuzz/lib $(BIN)/python -m tests.fuzz $$law \
		-runs=$(or $(RUNS),-1) -max_total_time=$(or $(SECONDS),$(if $(RUNS),0,600)) $(ARGS) || exit; done

# Beside the project, not with it: there are wheels for some systems and Pythons only, and nothing else needs it.
$(ATHERIS): | $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --only-binary :all: --target .fuzz/lib \
		'atheris>=3,<4' || { echo "atheris cannot be had: no wheel for $$($(BIN)/python --version) on $$(uname -sm), or no" \
		"network. make test runs the seeds and everything found so far without it." >&2; exit 1; }

fuzz-http: venv ## Ask a running worker over HTTP whatever its OpenAPI allows, and does not (EXAMPLES=200 a route)
	@SCHEMATHESIS_EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/pytest -s tests/fuzz/test_http.py $(ARGS)

fault: venv ## Kill, freeze and starve real workers and brokers; writes docs/reliability.md (SIZE=bounded for minutes)
	@HYPOTHESIS_PROFILE=fuzz HYPOTHESIS_EXAMPLES=300 $(BIN)/pytest -m 'fault or reliability' $(if $(filter bounded,$(SIZE)),,--full) \
		--reliability=docs/reliability.md $(ARGS)

soak: venv ## A worker under load for SECONDS=3600 with a kill a minute; writes its part of docs/reliability.md
	@$(BIN)/python -m tests.broker.soak --seconds $(or $(SECONDS),3600)

mutate: venv ## Change the fold and the judge line by line: does a quick test notice? (MUTANTS='models.fold*'; hours for all)
	@[ -d .mutate ] || $(BIN)/python -m pip install --quiet --no-warn-conflicts --target .mutate 'mutmut>=3.8.1,<3.9'
	@PYTHONPATH=.mutate nice -n 15 $(BIN)/python -m mutmut run --max-children 1 $(MUTANTS)
	@PYTHONPATH=.mutate $(BIN)/python -m mutmut results

bench: venv $(PEERS) $(STREAMS) ## Measure beside Kafka Streams, Quix and bare clients; writes docs/performance.md (MINUTES=40 BENCH=small RUNS=5 EVENTS=200000)
	@BENCH="$(BENCH)" RUNS="$(RUNS)" EVENTS="$(EVENTS)" ROWS="$(ROWS)" FLEETS="$(FLEETS)" FILE_EVENTS="$(FILE_EVENTS)" \
		MINUTES="$(MINUTES)" $(BIN)/python -m benchmarks

scale: venv ## Measure fleets of 1,000, 10,000 and 100,000 instances, reckon larger ones; writes docs/scale.md (PART=live SIZES=1000,10000)
	@PART="$(PART)" SIZES="$(SIZES)" nice -n 19 $(BIN)/python -m benchmarks.scale

scale-page: venv ## docs/scale.md again, from the figures that there are
	@$(BIN)/python -m benchmarks.scale page

bench-check: venv ## Does reading and folding take more instructions than it did? (RENEW=1 stores what it takes now)
	@$(BIN)/python -m benchmarks.instructions $(if $(RENEW),--renew)

# The peers want other versions than the product does, so they have an environment of their own.
$(PEERS): benchmarks/requirements.txt | $(INSTALLED)
	@echo "Setting up .bench/venv with the peers" && $(BIN)/python -m venv .bench/venv
	@.bench/venv/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

$(STREAMS): benchmarks/kafka-streams/pom.xml $(wildcard benchmarks/kafka-streams/src/main/java/bench/*.java)
	@if command -v mvn >/dev/null && command -v java >/dev/null; then \
		echo "Building Kafka Streams' part with Maven" && mvn -q -B -f benchmarks/kafka-streams/pom.xml package && touch $@; \
		else echo "There is no Maven or no Java here: Kafka Streams is left out." >&2; fi

check: venv ## Lint, format, types, layers, generated documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/lock.py --check
	$(BIN)/python .ci/changelog.py
	$(BIN)/python -m streams.reference --check

docker-test: venv ## Build the images, run docker/compose.yaml, kill a worker (needs a Docker engine: DOCKER_HOST, or the usual socket)
	@$(BIN)/python -m tests.test_docker.engine
	@$(BIN)/pytest -m docker tests/test_docker $(ARGS)

deploy-check: venv $(LINTERS) ## Every check of deploy/ and docker/ that needs no cloud: cfn-lint, checkov, Terraform's format, the function, the Helm chart
	@.deploy/venv/bin/cfn-lint --include-checks I -t deploy/cloudformation/*.yaml
	@.deploy/venv/bin/checkov --quiet --compact --skip-download --framework cloudformation terraform --directory deploy
	@.deploy/venv/bin/checkov --quiet --compact --skip-download --framework dockerfile --directory docker
	@if command -v terraform >/dev/null; then terraform fmt -recursive -check -diff deploy/terraform; \
		else echo "There is no Terraform here: only checkov has read deploy/terraform." >&2; fi
	@if .ci/helm >/dev/null; then .ci/chart-check; else echo "So the Helm chart is not rendered." >&2; fi
	@$(BIN)/pytest -q tests/test_deploy $(ARGS)

# They want other versions than the product does, and nothing else needs them.
$(LINTERS): deploy/requirements.txt | $(INSTALLED)
	@echo "Setting up .deploy/venv with cfn-lint and checkov" && $(BIN)/python -m venv .deploy/venv
	@.deploy/venv/bin/python -m pip install --quiet --disable-pip-version-check -r deploy/requirements.txt
	@touch $@

feed-function: venv ## Build the Lambda function of the feed, dist/hyperpod-state-feed-HASH.zip, the same bytes every time
	@$(BIN)/python deploy/package.py dist

security: $(AUDIT) ## Known holes in dependencies, risky code, and a list of what a user installs (dist/sbom.cdx.json)
	@# It also complains of every expression of a line with a nosec that it has nothing against.
	$(BIN)/bandit --quiet --recursive --configfile pyproject.toml models streams docker deploy 2> >(grep -v 'nosec encountered' >&2)
	@$(BIN)/python .ci/audit_deps.py
	@$(BIN)/python .ci/sbom.py

$(AUDIT): $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[audit]'
	@touch $@

format: venv ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(SITE) ## Build the documentation into .run/docs/site, and fail where a link leads nowhere
	@$(BIN)/python -m streams.reference.site .run/docs && cd .run/docs && ../../$(BIN)/zensical build --strict

$(SITE): $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[docs]'
	@touch $@

run: venv ## Start Kafka, the worker and a made-up fleet with an incident; Ctrl-C stops everything
	@$(BIN)/python -m streams.demo

build: venv ## Build the wheel and the source archive into dist/
	@env -u SOURCE_DATE_EPOCH $(BIN)/hatchling build

lock: $(LOCKER) ## Pin all that a worker runs with, by hash, in requirements.lock (UPGRADE=1 for the newest of everything)
	@$(BIN)/python .ci/lock.py $(if $(UPGRADE),--upgrade)

$(LOCKER): $(INSTALLED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[lock]'
	@touch $@

release-check: $(AUDIT) ## Build twice and compare, look into the wheel, install it elsewhere and try it; all of it in dist/ (RELEASE=1: the changelog too)
	@$(if $(RELEASE),$(BIN)/python .ci/changelog.py --release)
	@$(BIN)/python .ci/release_check.py

pythons: venv ## Quick tests with every other supported Python that is here (PYTHONS="3.12 3.13")
	@$(BIN)/python .ci/pythons.py $(PYTHONS)

clean: ## Remove everything that make has made, .venv included
	rm -rf .venv dist .pythons .run .mutate .fuzz .bench .deploy dashboard/node_modules .ci/asyncapi/node_modules benchmarks/kafka-streams/target \
		mutants .pytest_cache .mypy_cache \
		.ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
