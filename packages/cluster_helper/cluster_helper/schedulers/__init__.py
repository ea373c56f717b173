"""The schedulers by name, and which of them is here. Pure: `which` looks up a program."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import replace
from pathlib import PurePath

from cluster_helper.errors import ClusterError
from cluster_helper.schedulers import lsf, pbspro, sge, slurm, torque
from cluster_helper.schedulers.dialect import Dialect

Which = Callable[[str], str | None]

# In the order of detection: a Slurm often brings Torque's commands along, never the reverse.
DIALECTS = {
    d.name: d for d in (slurm.DIALECT, lsf.DIALECT, sge.DIALECT, pbspro.DIALECT, torque.DIALECT)
}
# Torque's commands as Slurm brings them: their qsub knows arrays, but their qstat and qdel do not;
# and it lets the options of its own command line win over those of the script.
TORQUE_ON_SLURM = replace(
    torque.DIALECT,
    name="torque on Slurm",
    title="Torque's commands as Slurm brings them",
    programs=("qsub", "squeue", "scancel"),
    submit=("qsub", "-j", "oe", "-o", "/dev/null"),
    query=slurm.query,
    tasks=slurm.tasks,
    select=None,
    named=slurm.named,
    named_jobs=slurm.named_jobs,
    own_id=slurm.DIALECT.own_id,
    terminate=slurm.DIALECT.terminate,
    signal=slurm.DIALECT.signal,
    forgotten=slurm.DIALECT.forgotten,
    cancel=slurm.DIALECT.cancel,
    settings=slurm.DIALECT.settings,
    beaten=slurm.BEATEN,
    unclear=slurm.unclear,
)


def choose(name: str | None, which: Which) -> Dialect:
    """The scheduler of that name, or the one that is found when none is named."""
    if name is None:
        return detect(which)
    dialect = named(name)
    missing = [program for program in dialect.programs if not which(program)]
    if missing:
        raise ClusterError(
            f"scheduler {name!r} is not here, {missing[0]} is not in PATH", _others(which)
        )
    return TORQUE_ON_SLURM if dialect is torque.DIALECT and _slurm_brings(which) else dialect


def _slurm_brings(which: Which) -> bool:
    qsub, sbatch = which("qsub"), which("sbatch")
    return bool(qsub and sbatch and PurePath(qsub).parent == PurePath(sbatch).parent)


def named(name: object) -> Dialect:
    """The scheduler of that name, whether it is here or not."""
    if name == TORQUE_ON_SLURM.name:
        return TORQUE_ON_SLURM
    if isinstance(name, str) and name in DIALECTS:
        return DIALECTS[name]
    near = difflib.get_close_matches(str(name).lower(), DIALECTS, 1, 0.5)
    meant = f", did you mean {near[0]}?" if near else ""
    raise ClusterError(f"scheduler must be one of {', '.join(DIALECTS)}, got {name!r}{meant}")


def detect(which: Which) -> Dialect:
    """The first whose programs are all in PATH."""
    found = here(which)
    if not found:
        *others, last = dict.fromkeys(dialect.submit[0] for dialect in DIALECTS.values())
        raise ClusterError(
            f"no scheduler is here, none of {', '.join(others)} and {last} is in PATH",
            "load the site's module, or use extra_params={'run_local': True}",
        )
    return found[0]


def here(which: Which) -> list[Dialect]:
    """Every scheduler whose programs are all in PATH."""
    return [
        dialect
        for dialect in DIALECTS.values()
        if all(map(which, (*dialect.programs, *dialect.telltale)))
    ]


def _others(which: Which) -> str:
    found = [dialect.name for dialect in here(which)]
    return f"found {', '.join(found)}" if found else "load the site's module first"
