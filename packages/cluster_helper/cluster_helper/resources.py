"""The `resources` of a job: read from "walltime=01:00:00;mem=64mb", checked, normalised. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, fields

from cluster_helper import rules, units
from cluster_helper.errors import ClusterError

# The names that people bring from their scheduler, and what they mean here.
_ALIASES = {
    "timelimit": "walltime",
    "time": "walltime",
    "t": "walltime",
    "h_rt": "walltime",
    "acct": "account",
    "a": "account",
    "memory": "mem",
    "constraint": "feature",
}
# What has a parameter of its own.
_ELSEWHERE = {
    "queue": "queue=…",
    "partition": "queue=…",
    "q": "queue=…",
    "nodes": "num_jobs=… and cores_per_job=…",
    "ppn": "cores_per_job=…",
    "ncpus": "cores_per_job=…",
    "cores": "cores_per_job=…",
    "select": "num_jobs=… and cores_per_job=…",
    "machines": "num_jobs=…",
    "mincores": "cores_per_job=…",
}
# What ipython-cluster-helper gives to the job of its controller; here that is no job.
_CONTROLLERS = ("conmem", "minconcores")


@dataclass(frozen=True)
class Resources:
    """What one job asks for. None is left to the scheduler."""

    walltime: int | None = None  # seconds
    mem: int | None = None  # megabytes
    account: str | None = None
    project: str | None = None
    qos: str | None = None
    feature: str | None = None
    gpus: int | None = None

    def asked(self) -> list[str]:
        """The names of what is asked for."""
        return [field.name for field in fields(self) if getattr(self, field.name) is not None]


KEYS = [field.name for field in fields(Resources)]


def parse(resources: object, days: bool = False) -> Resources:
    """Read "k=v;k=v" or a list of "k=v"; days says whether 1-00:00:00 is a walltime here."""
    found: dict[str, object] = {}
    for item in _items(resources):
        key, value = _pair(item)
        if key in found:
            raise ClusterError(f"resources must not contain {key} twice")
        found[key] = _value(key, value, days)
    return Resources(**found)  # type: ignore[arg-type]


def _items(resources: object) -> Iterable[str]:
    """What is blank was left out, as the programs do it that put these texts together."""
    if rules.left_out(resources):
        return []
    items = resources if isinstance(resources, (list, tuple)) else [resources]
    said = [item for item in items if isinstance(item, str) and not rules.left_out(item)]
    if not all(isinstance(item, str) or rules.left_out(item) for item in items):
        raise ClusterError(f"resources must be text such as 'mem=2gb' or a list, got {resources!r}")
    parts = [part for item in said for part in rules.line("resources", item).split(";")]
    return [part for part in parts if part.strip(" ")]


def _pair(item: str) -> tuple[str, str]:
    """One normalised name and its value."""
    name, equals, value = (part.strip(" ") for part in item.partition("="))
    if not (name and equals and value):
        raise ClusterError(f"resources must consist of name=value, got {item!r}")
    key = _ALIASES.get(name.lower(), name.lower())
    if key not in KEYS:
        raise ClusterError(f"resources must not contain {name!r}", _instead(key))
    return key, value


def _instead(key: str) -> str:
    if key in _CONTROLLERS:
        return "leave it out: the controller runs beside you and is no job"
    if key in _ELSEWHERE:
        return f"say {_ELSEWHERE[key]} instead"
    near = difflib.get_close_matches(key, [*KEYS, *_ALIASES], 1)
    meant = f"did you mean {near[0]}? " if near else ""
    return f"{meant}Known are {', '.join(KEYS)}"


def _value(key: str, value: str, days: bool) -> object:
    if key == "walltime":
        return units.walltime(value, days)
    if key == "mem":
        return units.memory(value)
    if key == "gpus":
        return rules.whole("gpus", int(value) if _digits(value) else value, 1, 64)
    return rules.name(key, value)


def _digits(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 4
