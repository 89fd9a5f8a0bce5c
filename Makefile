# make run    two hosts on this machine, alice.mesh, and programs that reach it; with root they have TUN devices
# make test   everything that must hold before a commit
# make help   the rest

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed
TESTED := $(VENV)/.installed-tests

.PHONY: help run test test-slow lint typecheck imports unit vectors bench-ledger bench-gossip bench-router bench-dns fuzz clean

help:
	@echo "make run           two hosts: register alice.mesh on one, reach it from the other, run until Ctrl-C (more with sudo)"
	@echo "make test          lint, types, import rules, tests (needs no root; what needs it skips and says so)"
	@echo "make test-slow     the long suites: many seeds, kill loops, floods"
	@echo "make bench-ledger  measure the ledger (JSON=1 for JSON)"
	@echo "make bench-gossip  measure sync, block relay and idling of real nodes (JSON=1 for JSON, QUICK=1 to try it out)"
	@echo "make bench-router  measure the router beside Yggdrasil and the kernel alone; needs root (JSON=1, QUICK=1 likewise)"
	@echo "make bench-dns     measure the DNS server and name_show beside NSD and hsd; needs dnsperf, nsd, wrk, npm (JSON=1, QUICK=1 likewise)"
	@echo "make vectors       write docs/spec/vectors/ anew"
	@echo "make fuzz          every fuzz target for FUZZ_SECONDS=60 each"
	@echo "make clean         remove the virtual environment and caches"

$(READY): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "meshchain needs Python 3.11 or newer; install it, or name one: make PYTHON=python3.12"; exit 1; }
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV) || \
		{ rm -rf $(VENV); echo "cannot make a virtual environment: apt install python3-venv"; exit 1; }
	@echo "installing meshchain and its libraries into $(VENV) …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable . || \
		{ echo "installation failed. If a library had to be compiled:"; \
		  echo "  apt install build-essential python3-dev libleveldb-dev libsecp256k1-dev pkg-config"; exit 1; }
	@touch $@
	@test -z "$(SUDO_UID)" || chown -R $(SUDO_UID):$(SUDO_GID) $(VENV)  # so that `make test` can add to it without sudo

$(TESTED): $(READY)
	@echo "installing what the tests need …"
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

run: $(READY)
	@PYTHONDONTWRITEBYTECODE=$(SUDO_UID) $(BIN)/python -m examples.first_name

test: lint typecheck imports unit

lint: $(TESTED)
	$(BIN)/ruff check .

typecheck: $(TESTED)
	$(BIN)/mypy

imports: $(TESTED)
	$(BIN)/lint-imports

unit: $(TESTED)
	$(BIN)/pytest

test-slow: $(TESTED)
	$(BIN)/pytest -m slow

vectors: $(TESTED)
	$(BIN)/python docs/spec/make_vectors.py

bench-ledger: $(TESTED)
	@$(BIN)/python -m bench.ledger $(if $(JSON),--json)

bench-gossip: $(TESTED)
	@$(BIN)/python -m bench.gossip $(if $(JSON),--json) $(if $(QUICK),--quick)

bench-router: $(TESTED)
	@$(BIN)/python -m bench.router $(if $(JSON),--json) $(if $(QUICK),--quick)

bench-dns: $(TESTED)
	@$(BIN)/python -m bench.dns $(if $(JSON),--json) $(if $(QUICK),--quick)

fuzz: $(TESTED)
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[fuzz]'
	@BIN=$(BIN) fuzz/run.sh

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
