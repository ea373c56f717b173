#!/bin/sh
# Style and types, each tool with its own configuration in pyproject.toml or .ansible-lint.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin
export MYPY_CACHE_DIR="$PWD/.mypy_cache"
# By their ending, or, where they have none, by their first line.
shell_files=$(git ls-files --cached --others --exclude-standard '*.sh' '.ci/run'
  git grep --untracked -lE '^#!/bin/(ba)?sh$' -- ':!*.*')

$bin/ruff check .
$bin/ruff format --check .
# Ansible states no types: those that the collection relies on are in tests/stubs.
(cd playbooks/collections && MYPYPATH=.:../../tests/stubs ../../$bin/mypy \
  --config-file ../../pyproject.toml -p ansible_collections.hpcc.notebook.plugins)
(cd packages/cluster_helper && MYPYPATH=. ../../$bin/mypy \
  --config-file ../../pyproject.toml -p cluster_helper)
MYPYPATH=tests/cluster:tests/matrix:tests:playbooks/collections:packages/cluster_helper \
  $bin/mypy tests/cluster tests/matrix tests/*.py
# shellcheck disable=SC2086  # one argument a file is what is wanted
shellcheck $shell_files
$bin/python tests/shared_names.py
$bin/ansible-lint --offline --strict
