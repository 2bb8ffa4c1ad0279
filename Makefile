# `make run` and `make test` install what is missing first; see scripts/setup.
CARGO_TARGET_DIR ?= $(CURDIR)/target
export CARGO_TARGET_DIR
DATA ?= $(CURDIR)/.polder
LISTEN ?= 127.0.0.1:7400

.PHONY: run test e2e lint bench soak build console setup-run setup-test clean

run: setup-run build
	@scripts/run "$(DATA)" "$(LISTEN)"

build: console
	cargo build --locked -p polder -p polder-node

# The console is built again only when its sources changed.
console: console/dist/index.html

console/dist/index.html: $(shell find console/src console/public console/index.html console/*.json console/vite.config.ts -type f 2>/dev/null)
	cd console && npm ci && npm run build

setup-run:
	@scripts/setup run

setup-test:
	@scripts/setup test

lint: setup-test
	scripts/lint

test: setup-test
	scripts/test

# The console in a browser against a real server.
e2e: setup-test build
	scripts/e2e

bench: setup-run
	scripts/bench

soak: setup-test
	scripts/soak

clean:
	rm -rf target console/dist console/node_modules tests/clients/node_modules
