"""What the site and the person have set once for all: two small files of `name = value`.

The site's lies in the Python installation (etc/cluster_helper.ini, one section [cluster]), the
person's in ~/.config. What a call of cluster_view says comes before both.
"""

from __future__ import annotations

import configparser
import stat
import sys
from dataclasses import dataclass, fields
from pathlib import Path

from cluster_helper import rules, units
from cluster_helper.errors import ClusterError

SECTION = "cluster"


@dataclass(frozen=True)
class Site:
    """The defaults. None where the site has none."""

    scheduler: str | None = None
    queue: str | None = None
    account: str | None = None
    walltime: str | None = None
    max_jobs: int | None = None
    address: str | None = None
    """Where engines reach the controller: an IPv4 address or a network interface of this node."""
    parallel_environment: str = "smp"


def files() -> list[Path]:
    """Where the defaults are looked for; the later comes before the earlier."""
    name = "cluster_helper.ini"
    return [Path(sys.prefix) / "etc" / name, Path.home() / ".config" / name]


def load(paths: list[Path] | None = None) -> Site:
    """The defaults of all files that exist."""
    found: dict[str, str] = {}
    for path in files() if paths is None else paths:
        found |= _read(path)
    return _site(found)


def _read(path: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return {}
        parser.read_string(path.read_text(encoding="utf-8"), str(path))
        values = _section(parser)
        _site(values)
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (configparser.Error, UnicodeDecodeError, OSError, ClusterError) as error:
        reason = str(error).splitlines()[0]
        raise ClusterError(f"{path} cannot be used", f"{reason}; correct or remove it") from error
    return values


def _section(parser: configparser.ConfigParser) -> dict[str, str]:
    """What is said; a file with nothing in it says nothing."""
    if parser.sections() and SECTION not in parser:
        raise ClusterError(f"it has no section [{SECTION}]")
    return dict(parser[SECTION]) if SECTION in parser else {}


def _site(values: dict[str, str]) -> Site:
    known = [field.name for field in fields(Site)]
    strange = [name for name in values if name not in known]
    if strange:
        raise ClusterError(f"{strange[0]!r} is not known", f"known are {', '.join(known)}")
    return Site(**{name: _value(name, value) for name, value in values.items() if value})  # type: ignore[arg-type]


def _value(name: str, value: str) -> object:
    if name == "max_jobs":
        number = int(value) if value.isascii() and value.isdigit() and len(value) < 7 else value
        return rules.whole(name, number, 1, 100_000)
    if name == "walltime":
        units.walltime(value, days=True)
        return value
    kind = name.replace("_", " ")
    return rules.name(kind, value)


def dask_options(site: Site | None = None) -> dict[str, str]:
    """The same defaults as arguments of dask-jobqueue's clusters.

    Its `interface` is the name of a network interface; an address is not one, and is left out.
    """
    known = load() if site is None else site
    address = known.address if known.address and not known.address[0].isdigit() else None
    options = {"queue": known.queue, "account": known.account, "walltime": known.walltime}
    return {k: v for k, v in {**options, "interface": address}.items() if v is not None}
