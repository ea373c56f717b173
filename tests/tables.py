"""What static files repeat of the tables in the code: `make docs` writes it, a test holds it.

A line, or each of a run of lines, says so at its end: `choices: [a, b] # schedulers: make docs`.
"""

from __future__ import annotations

import re
import sys
from dataclasses import replace
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))
sys.path.insert(0, str(CHECKOUT / "packages" / "cluster_helper"))

from ansible_collections.hpcc.notebook.plugins.module_utils._installation.installers import (  # noqa: E402
    DISTRIBUTIONS,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (  # noqa: E402
    FRONTENDS,
)
from cluster_helper.job import Job  # noqa: E402
from cluster_helper.resources import KEYS as RESOURCES  # noqa: E402
from cluster_helper.resources import Resources  # noqa: E402
from cluster_helper.schedulers import DIALECTS  # noqa: E402
from cluster_helper.schedulers.dialect import Dialect  # noqa: E402

TABLES = {
    "schedulers": list(DIALECTS),
    "distributions": list(DISTRIBUTIONS),
    "front ends": list(FRONTENDS),
    "packages of front ends": [frontend.requirement for frontend in FRONTENDS.values()],
}
HOLDERS = (
    "roles/*/meta/argument_specs.yml", "roles/*/defaults/main.yml", "plugins/modules/*.py",
    "plugins/doc_fragments/*.py",
)  # fmt: skip
_CHOICES = re.compile(r"^( *choices: )\[.*\]( # ([a-z ]+): make docs)$", re.MULTILINE)
_ITEMS = re.compile(r"(?:^ *- \S+ # [a-z ]+: make docs\n)+", re.MULTILINE)
_ITEM = re.compile(r"^( *- )\S+( # ([a-z ]+): make docs)\n")


def filled(text: str) -> str:
    """The text with the values that its marks name."""
    text = _CHOICES.sub(lambda found: f"{found[1]}[{', '.join(TABLES[found[3]])}]{found[2]}", text)
    return _ITEMS.sub(_items, text)


def _items(found: re.Match[str]) -> str:
    first = _ITEM.match(found[0])
    assert first
    return "".join(f"{first[1]}{value}{first[2]}\n" for value in TABLES[first[3]])


_BASE = Job("name", 2, ["engine"], "/", "/", "/log")
# What a call says, an example of it, and what counts when it is left out.
_WORDS = (
    ("`queue`", replace(_BASE, queue="QUEUE"), "the site's, else the scheduler's default"),
    ("`num_jobs`", replace(_BASE, count=5), "1; one engine each, at most the site's limit"),
    ("`cores_per_job`", replace(_BASE, cores=4), "1"),
    ("resource `walltime`", "walltime", "the site's, else 01:00:00, and it says so"),
    ("resource `mem`, for each engine, however it is counted", "mem", "the scheduler's default"),
    ("resource `account`", "account", "the site's"),
    ("resource `project`", "project", ""),
    ("resource `qos`", "qos", ""),
    ("resource `feature`", "feature", ""),
    ("resource `gpus`", "gpus", ""),
)
_EXAMPLES = Resources(
    walltime=3600,
    mem=64,
    account="ACCOUNT",
    project="PROJECT",
    qos="QOS",
    feature="FEATURE",
    gpus=1,
)


def schedulers() -> str:
    """How each parameter of cluster_view is said to each scheduler, as a table."""
    dialects = list(DIALECTS.values())
    rows = [["parameter", *(dialect.title for dialect in dialects), "when it is left out"]]
    rows += [["---"] * len(rows[0])]
    names = (f"`{dialect.name}`" for dialect in dialects)
    rows += [["`scheduler`", *names, "the site's, else the one that is found"]]
    for what, asked, default in _WORDS:
        rows += [[what, *(_said(dialect, asked) for dialect in dialects), default]]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def job_resources() -> str:
    """How what a notebook's job asks for is said to the schedulers that it can be a job of."""
    dialects = [dialect for dialect in DIALECTS.values() if dialect.named]
    rows = [["part", "example", *(dialect.title for dialect in dialects)]]
    rows += [["---"] * len(rows[0])]
    for name in RESOURCES:
        said = (_said(dialect, name) for dialect in dialects)
        rows += [[f"`{name}`", f"`{name}={_WRITTEN[name]}`", *said]]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


_WRITTEN = {
    "walltime": "01:00:00",
    "mem": "64mb",
    "account": "ACCOUNT",
    "project": "PROJECT",
    "qos": "QOS",
    "feature": "FEATURE",
    "gpus": "1",
}


def _said(dialect: Dialect, asked: Job | str) -> str:
    """The directives that this and nothing else brings."""
    if isinstance(asked, str):
        if asked not in dialect.resources:
            return "refused"
        asked = replace(_BASE, resources=replace(Resources(), **{asked: getattr(_EXAMPLES, asked)}))
    usual = dialect.directives(_BASE)
    return ", ".join(f"`{line}`" for line in dialect.directives(asked) if line not in usual)
