# Everything a developer types. Each target prepares what it needs by itself.
# `make` alone says what there is.

BIN := .venv/bin
PYTHON := $(BIN)/python
export ANSIBLE_CONFIG := $(CURDIR)/ansible.cfg
export PATH := $(CURDIR)/$(BIN):$(PATH)

# For `unit`, `unit-on` and `sanity-on`, as in `make unit-on CORE=2.20 TESTS=tests/pure`.
CORE ?= 2.21
PY ?= 3.13
TESTS ?= tests/pure tests/host tests/safety packages
WORKERS ?= $$((2 * $$(nproc)))

.DEFAULT_GOAL := help
.PHONY: help prepare images cluster demo demo-down test check lint unit unit-on sanity sanity-on molecule e2e cell matrix broken damage hijack bench lab starts chaos flips lock docs extension site changelog clean

help:  ## Say what there is
	@sed -n 's/^\([a-z0-9-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

prepare:
	@tests/prepare.sh

images: prepare
	@$(PYTHON) tests/cluster/cluster.py images

cluster: prepare
	@$(PYTHON) tests/cluster/cluster.py up

demo: cluster  ## From a fresh checkout to a running notebook on a test cluster of containers
	@$(PYTHON) tests/demo.py

demo-down: prepare  ## Remove what the demo made
	@$(PYTHON) tests/cluster/cluster.py down

test: lint images unit sanity molecule e2e cell  ## Everything

lint: prepare  ## Style and types: ruff, mypy, ansible-lint, shellcheck
	@tests/lint.sh

check: lint  ## Style, types and the tests that start nothing: for every save
	@$(BIN)/pytest tests/pure packages -m pure -n auto

unit: prepare  ## Tables, properties and modules
	@tests/reachable.sh $(BIN)/pytest $(TESTS) -n $(WORKERS) --dist loadfile

sanity: prepare  ## ansible-test sanity
	@$(PYTHON) tests/sanity.py

unit-on: prepare  ## The same by another Ansible and Python: CORE=2.20 PY=3.12 TESTS=tests/pure
	@bin=$$($(PYTHON) tests/other_ansible.py $(CORE) $(PY)) && PATH="$$bin:$$PATH" tests/reachable.sh "$$bin/pytest" $(TESTS) -n $(WORKERS) --dist loadfile

sanity-on: prepare  ## … ansible-test sanity by that Ansible
	@bin=$$($(PYTHON) tests/other_ansible.py $(CORE) $(PY)) && PATH="$$bin:$$PATH" "$$bin/python" tests/sanity.py

molecule: prepare  ## The roles and playbooks on the test cluster
	@$(PYTHON) tests/scenarios.py

e2e: cluster  ## The printed tunnel and a notebook in a real browser
	@$(BIN)/pytest tests/e2e -n 3 --dist loadfile
	@HPCC_NOTEBOOK_DEBIAN=trixie $(BIN)/pytest tests/e2e/test_another_python.py

cell: cluster  ## The main job by another Ansible, in an empty home, for an account with another shell
	@$(PYTHON) tests/matrix/matrix.py --one

matrix: prepare  ## The main job and the doctor by every controller on every node image in every login shell
	@$(PYTHON) tests/matrix/matrix.py

broken: prepare  ## Break nodes, gateways and computers as people have them: does the doctor name each cause?
	@$(PYTHON) tests/matrix/matrix.py --broken 2.21 bookworm bash

damage: prepare  ## Damage the configuration in thousands of ways: does a server ever come up open?
	@tests/reachable.sh $(PYTHON) tests/safety/damage.py
	@tests/reachable.sh $(PYTHON) tests/safety/damage.py --job --every 97

hijack: cluster  ## Attack a running server and every playbook as another user of the same machines
	@$(PYTHON) tests/safety/hijack.py
	@tests/reachable.sh $(PYTHON) tests/safety/race.py

bench: cluster  ## Times beside the same work by hand
	@$(PYTHON) tests/bench.py
	@$(PYTHON) tests/bench_forward.py
	@$(PYTHON) tests/bench_job.py
	@$(PYTHON) tests/bench_parallel.py
	@$(PYTHON) tests/bench_installation.py

lab: cluster  ## What 64 people of one lab cost, beside one
	@$(PYTHON) tests/bench_lab.py

starts: cluster  ## Start 100 servers, and log in to each through the printed tunnel
	@$(PYTHON) tests/starts.py

chaos: prepare  ## Kill installations at random moments, also under servers, and after every step, fill their disks, and put 500 trees of a person in their way
	@$(PYTHON) tests/chaos.py
	@HPCC_NOTEBOOK_TIMES=40 $(PYTHON) -m pytest -q -n 0 --timeout 3600 $$(grep -lE 'examples\(|NOTEBOOK_TIMES' tests/pure/test_*.py tests/host/test_*.py packages/*/tests/*/test_*.py)
	@HPCC_NOTEBOOK_SEQUENCES=300 $(PYTHON) -m pytest -q -s -n 0 tests/host/test_any_sequence.py 2>/dev/null

flips: prepare  ## Hand 2,000 damaged installers to the worker
	@$(PYTHON) tests/flips.py

docs: prepare  ## Generate the tables of variables
	@$(PYTHON) tests/document.py

extension: prepare  ## Build JupyterLab's extension from packages/time-left
	@$(PYTHON) tests/extension.py

pictures: cluster  ## Take the pictures of README and docs from the test cluster
	@$(PYTHON) tests/pictures.py

transcript: cluster  ## Write docs/transcript.md: a first session, typed on the test cluster
	@$(PYTHON) tests/transcript.py

site: prepare  ## The documentation as web pages, without a warning, and what Galaxy's own tools say of the collection
	@$(PYTHON) tests/site.py

changelog: prepare  ## Generate CHANGELOG.md from changelogs/fragments/
	@$(PYTHON) tests/site.py --changelog

lock: prepare  ## Pin the newest versions that fit pyproject.toml
	@$(BIN)/pip install -q uv && $(BIN)/uv pip compile -q --universal --python-version 3.11 \
		--generate-hashes --no-header --group pyproject.toml:dev --upgrade -o requirements.lock
	@$(BIN)/uv pip compile -q --universal --python-version 3.11 \
		--generate-hashes --no-header --group pyproject.toml:site --upgrade -o docs/site/requirements.lock

clean: demo-down  ## Remove every trace: cluster, images, environment, caches
	@$(PYTHON) tests/cluster/cluster.py down --images
	@rm -rf .venv .cache build .cluster .cluster-*
