# The front door; the work is done by the scripts in deploy/dev and tests/fuzz. `make` lists the targets.

SHELL := bash
FUZZ_SECONDS ?= 60

# Builds check their queries against the committed .sqlx/; with SQLX_OFFLINE=false against the database that `make db` made.
export SQLX_OFFLINE ?= true

.DEFAULT_GOAL := help
.PHONY: help setup demo test lint build web db db-stop redis redis-stop sqlx-prepare sqlx-check openapi types fuzz api-fuzz chaos chaos-proof bench outage browser-test windows windows-test cluster cluster-check cluster-test deploy-check clean-dev

help: ## this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / { printf "  %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## check what is needed and install what is missing
	@deploy/dev/setup.sh

demo: ## run the product: Postgres, service, fake game and agent; Ctrl-C ends it
	@deploy/dev/demo.sh

test: ## every test; FUZZ_SECONDS=0 leaves fuzzing out
	@FUZZ_SECONDS=$(if $(filter command line environment,$(origin FUZZ_SECONDS)),$(FUZZ_SECONDS),10) deploy/dev/test.sh

lint: ## format, clippy, dependencies' licences, web
	@deploy/dev/setup.sh rust compilers web
	cargo fmt --all --check
	@deploy/dev/lint-rust.sh
	npm --prefix web run --silent lint
	npm --prefix web run --silent check

web: ## build the web app into web/dist
	@deploy/dev/setup.sh web
	npm --prefix web run build

build: web ## build the web app and every crate
	@deploy/dev/setup.sh rust compilers
	cargo build --locked --workspace --all-targets --all-features

db: ## start the private development Postgres; sqlx's macros check queries against it (.env)
	@deploy/dev/postgres.sh start dev >/dev/null
	@deploy/dev/postgres.sh dotenv dev
	@deploy/dev/postgres.sh status dev

db-stop: ## stop it; builds use the committed .sqlx/ again
	@deploy/dev/postgres.sh stop dev
	@rm -f .env

redis: ## start the private development Redis and print its URL, for REDIS_URL
	@deploy/dev/redis.sh start dev

redis-stop: ## stop it
	@deploy/dev/redis.sh stop dev

sqlx-prepare: ## write .sqlx/ anew after a change of queries or migrations
	@deploy/dev/sqlx.sh prepare

sqlx-check: ## fail when .sqlx/ is out of date
	@deploy/dev/sqlx.sh check

openapi: ## write the OpenAPI file anew
	@deploy/dev/generate.sh openapi

types: ## write the web app's types anew from the protocol
	@deploy/dev/generate.sh types

fuzz: ## run every fuzz target for FUZZ_SECONDS
	@deploy/dev/setup.sh rust compilers
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

chaos: ## kill, stop and cut off every part for CHAOS_SECONDS (600), and check that nothing was lost
	@deploy/dev/chaos.sh $(ARGS)

chaos-proof: ## show that the chaos run finds builds that are wrong on purpose
	@deploy/dev/chaos.sh proof $(ARGS)

api-fuzz: ## call every route of the API with what its description allows and what not (schemathesis); ARGS=requests a route
	@deploy/dev/schemathesis.sh $(ARGS)

bench: ## the benchmarks behind the README's figures
	@deploy/dev/bench.sh $(ARGS)

outage: ## five minutes without Postgres under fifty rigs; ONELAP_OUTAGE_SECONDS=n for another time
	@deploy/dev/postgres.sh start test >/dev/null
	@. "$$(deploy/dev/postgres.sh env test)" && ONELAP_OUTAGE_SECONDS=$${ONELAP_OUTAGE_SECONDS:-300} \
		cargo test --locked --quiet -p e2e --test outage -- --nocapture

browser-test: ## the browser tests alone
	@deploy/dev/browser-test.sh $(ARGS)

cluster: ## two instances behind nginx, with Postgres and Redis; Ctrl-C ends them
	@deploy/dev/cluster.sh run

cluster-check: ## what the cluster promises when an instance dies or is restarted, measured
	@deploy/dev/cluster.sh check

cluster-test: ## what rigs and engineers see when instances, Redis or the links to it fail, in browsers
	@deploy/dev/setup.sh rust compilers postgres nginx redis web browser
	npm --prefix web run --silent build
	cargo build --locked --workspace --all-features --bins
	@deploy/dev/cluster.sh test

deploy-check: ## image, compose file, nginx, alert rules and dashboards, with the tools that are here
	@deploy/dev/deploy-check.sh

windows: ## agent and fake game as Windows programs, into .dev/windows
	@deploy/dev/windows.sh build

windows-test: ## run them under Wine
	@deploy/dev/windows.sh test

clean-dev: ## stop the private servers and delete everything under .dev
	@deploy/dev/clean.sh
