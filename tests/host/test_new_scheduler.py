"""A new scheduler is one file and one row. An invented one computes; its commands run jobs here."""

from __future__ import annotations

from pathlib import Path

import pytest
from copied_tree import CopiedTree
from local_sessions import Session

pytestmark = pytest.mark.timeout(300)

SCHEDULERS = "packages/cluster_helper/cluster_helper/schedulers"
DIALECT = '''\
"""Abacus: asub, astat, adel. Pure."""

from __future__ import annotations

import re

from cluster_helper import units
from cluster_helper.job import Job
from cluster_helper.schedulers.dialect import ENDED, RUNNING, Dialect, Task


def directives(job: Job) -> list[str]:
    lines = [f"beads={job.count}", f"rows={job.cores}"]
    lines += [f"frame={job.queue}"] if job.queue else []
    lines += [f"until={units.clock(job.resources.walltime)}"] if job.resources.walltime else []
    return lines


def job_id(printed: str) -> str | None:
    match = re.search(r"^bead (\\\\d+)$", printed, re.MULTILINE)
    return match[1] if match else None


def tasks(_job: str, printed: str) -> list[Task]:
    rows = (line.split() for line in printed.splitlines())
    return [Task(int(row[0]), RUNNING if row[1] == "moves" else ENDED) for row in rows]


DIALECT = Dialect(
    name="abacus",
    title="Abacus",
    programs=("asub", "astat", "adel"),
    prefix="#ABACUS",
    task="${ABACUS_BEAD:-1}",
    resources=frozenset({"walltime"}),
    directives=directives,
    submit=("asub",),
    job_id=job_id,
    cancel=lambda job: ["adel", job],
    query=lambda job: ["astat", job],
    tasks=tasks,
    forgotten=("no such bead",),
)
'''.replace("\\\\", "\\")
COMMANDS = {
    "asub": """
for bead in $(seq "$(sed -n 's/^#ABACUS beads=//p' "$1")"); do
    ABACUS_BEAD=$bead setsid sh "$1" </dev/null >/dev/null 2>&1 &
    echo "$bead $!" >>"$jobs"
done
echo "bead 7"
""",
    "astat": """
[ "$1" = 7 ] || { echo "no such bead" >&2; exit 1; }
while read -r bead pid; do
    if kill -0 "$pid" 2>/dev/null; then echo "$bead moves"; else echo "$bead rests"; fi
done <"$jobs"
""",
    "adel": """
[ "$1" = 7 ] || exit 1
while read -r bead pid; do kill -TERM -- "-$pid" 2>/dev/null; done <"$jobs"
:
""",
}
BEGIN = """
from cluster_helper.cluster import cluster_view
with cluster_view(scheduler="abacus", queue="oak", num_jobs=2, wait_for_all_engines=True) as view:
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> CopiedTree:
    tree = CopiedTree(tmp_path_factory.mktemp("tree") / "t")
    tree.write(f"{SCHEDULERS}/abacus.py", DIALECT)
    table = f"{SCHEDULERS}/__init__.py"
    tree.edit(table, "import lsf,", "import abacus, lsf,")
    tree.edit(table, "torque.DIALECT)\n}", "torque.DIALECT, abacus.DIALECT)\n}")
    tree.make_docs()
    return tree


def commands(place: Path) -> Path:
    place.mkdir()
    for name, text in COMMANDS.items():
        (place / name).write_text(f"#!/bin/sh\njobs={place}/jobs\n{text}", encoding="utf-8")
        (place / name).chmod(0o755)
    return place


def test_it_takes_two_files(tree: CopiedTree) -> None:
    assert len(tree.by_hand) == 2


def test_an_invented_scheduler_computes(tree: CopiedTree, tmp_path: Path) -> None:
    settings = tmp_path / ".config" / "cluster_helper.ini"
    settings.parent.mkdir()
    settings.write_text("[cluster]\naddress = 127.0.0.1\n", encoding="utf-8")
    session = Session(
        tmp_path, "print(view.cluster.job_script())\nprint(sum(view.map(abs, range(50))))",
        begin=BEGIN, PATH=f"{commands(tmp_path / 'bin')}:/usr/bin:/bin",
        PYTHONPATH=str(tree.root / "packages" / "cluster_helper"),
    )  # fmt: skip
    printed = session.end()
    assert "Starting 2 engines through abacus, queue oak" in printed
    assert "#ABACUS beads=2\n" in printed
    assert printed.endswith("1225\n"), printed
    session.leaves_nothing()


def test_it_is_detected_and_named_in_messages(tree: CopiedTree) -> None:
    program = """
from cluster_helper import schedulers
here = ("asub", "astat", "adel")
print(schedulers.choose(None, lambda name: name if name in here else None).name)
try:
    schedulers.choose(None, lambda name: None)
except Exception as error:
    print(error)
"""
    found, message = tree.python("-c", program).splitlines()
    assert found == "abacus"
    assert "asub" in message


def test_role_and_documentation_know_it(tree: CopiedTree) -> None:
    assert ", abacus] #" in tree.read("roles/parallel/meta/argument_specs.yml")
    assert "`torque`, `abacus`" in tree.read("docs/variables.md")
    table = tree.read("docs/parallel.md")
    assert "| Abacus |" in table
    assert "`frame=QUEUE`" in table
    program = "from cluster_helper.cluster import cluster_view; print(cluster_view.__doc__)"
    assert "torque, abacus;" in tree.python("-c", program)
