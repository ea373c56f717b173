"""What a call of cluster_view asks for, checked and complete. Pure.

Whatever is wrong is refused here, before a process is started or a job submitted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cluster_helper import resources, rules, units
from cluster_helper.errors import ClusterError
from cluster_helper.resources import Resources
from cluster_helper.schedulers import DIALECTS
from cluster_helper.site import Site

DEFAULT_WALLTIME = "01:00:00"
_EXTRA = ("resources", "mem", "tag", "run_local", "local_controller")
_MOST_MINUTES = 7 * 24 * 60


@dataclass(frozen=True)
class Request:
    """One cluster to start."""

    scheduler: str | None
    """None: the one that is found."""
    queue: str | None
    count: int
    cores: int
    resources: Resources
    name: str
    run_local: bool
    profile: str | None
    patience: float
    """Seconds until the first engine."""
    retries: int
    direct: bool
    wait_for_all: bool
    own_walltime: bool
    """Whether the walltime was asked for, and is not a default."""


def read(
    site: Site,
    scheduler: object,
    queue: object,
    num_jobs: object,
    cores_per_job: object,
    profile: object,
    start_wait: object,
    extra_params: object,
    retries: object,
    direct: object,
    wait_for_all_engines: object,
) -> Request:
    """The parameters of cluster_view, in its order, over the defaults of the site."""
    extra = _extra(extra_params)
    named = _optional("scheduler", scheduler) or site.scheduler
    asked = _resources(extra, days=knows_days(named))
    return Request(
        scheduler=named,
        queue=_optional("queue", queue) or site.queue,
        count=_count(num_jobs, site.max_jobs),
        cores=rules.whole("cores_per_job", cores_per_job, 1, 1024),
        resources=with_defaults(asked, site),
        name=f"{rules.name('tag', extra['tag'])}-e" if "tag" in extra else "engines",
        run_local=rules.boolean("run_local", extra.get("run_local", False)),
        profile=_profile(profile),
        patience=60 * rules.number("start_wait", start_wait, _MOST_MINUTES),
        retries=rules.whole("retries", 0 if retries is None else retries, 0, 100),
        direct=rules.boolean("direct", direct),
        wait_for_all=rules.boolean("wait_for_all_engines", wait_for_all_engines),
        own_walltime=asked.walltime is not None,
    )


def knows_days(scheduler: str | None) -> bool:
    """Whether a walltime may be 1-00:00:00. One that nobody named may."""
    return scheduler is None or (scheduler in DIALECTS and DIALECTS[scheduler].days)


def _optional(kind: str, value: object) -> str | None:
    return None if value is None else rules.name(kind, value)


def _profile(value: object) -> str | None:
    """A name, or the whole path of a profile's directory."""
    if isinstance(value, str) and value.startswith("/"):
        return rules.line("profile", value)
    return _optional("profile", value)


def _extra(extra: object) -> Mapping[str, object]:
    """What is None or blank was left out."""
    if extra is None:
        return {}
    if not isinstance(extra, Mapping):
        raise ClusterError(f"extra_params must be a dictionary, got {extra!r}")
    said = {name: value for name, value in extra.items() if not rules.left_out(value)}
    strange = [name for name in said if name not in _EXTRA]
    if strange:
        raise ClusterError(
            f"extra_params must not contain {strange[0]!r}", f"known are {', '.join(_EXTRA)}"
        )
    if not rules.boolean("local_controller", said.get("local_controller", True)):
        raise ClusterError("local_controller cannot be False", "the controller always runs here")
    return said


def _resources(extra: Mapping[str, object], days: bool) -> Resources:
    asked = resources.parse(extra.get("resources"), days)
    if "mem" not in extra:
        return asked
    if asked.mem is not None:
        raise ClusterError("mem must be said once", "in extra_params['mem'] or in resources")
    return replace(asked, mem=units.gigabytes(extra["mem"]))


def with_defaults(asked: Resources, site: Site) -> Resources:
    """What is asked for, over what the site has set; there is always a walltime."""
    walltime = units.walltime(site.walltime or DEFAULT_WALLTIME, days=True)
    return replace(
        asked,
        walltime=walltime if asked.walltime is None else asked.walltime,
        account=site.account if asked.account is None else asked.account,
    )


def _count(number: object, most: int | None) -> int:
    count = rules.whole("num_jobs", number, 1, 100_000)
    if most is not None and count > most:
        raise ClusterError(f"num_jobs must be at most {most} here, got {count}")
    return count
