"""The victim's TMPDIR lies where everybody may write, without a sticky bit, as some sites set it.

The stranger renames whatever the victim makes there, and puts her own in its place: programs, a
configuration for Jupyter. What a playbook tries in a directory for a moment would run it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from people import done, root
from report import Report

from attacks.planted_names import unworkable
from attacks.scene import HIDEOUT, NODE, STRANGER, VICTIM, evidence, set_up
from attacks.screen import play

TOP = "/srv/hijack/tmp"
PLACES = {
    "open to all": "install -d -m 777 {top}",
    "sticky, and hers": "install -d -m 1777 -o mallory {top}",
}
PLAYBOOKS = (
    "doctor", "setup --check", "setup", "start", "status", "connect --check", "restart", "parallel",
    "teardown --check", "stop",
)  # fmt: skip
CARELESS = "d=$(mktemp -d) && sleep 2; echo : >$d/program; sh $d/program"


def temporary_directory(report: Report, *, short: bool = False) -> None:
    """Every playbook with each such directory; what is tried has to be tried somewhere else."""
    done("setup")
    done("stop")
    set_up()
    for place, made in PLACES.items():
        with _racing(made):
            VICTIM.run(CARELESS)
            shown = evidence()
            assert any("code ran" in line for line in shown), f"{place}: {shown}"
            for number, line in enumerate(PLAYBOOKS[:3] if short else PLAYBOOKS):
                # Options that change, so that there is something to try.
                days = {"MappingKernelManager.cull_idle_timeout": 86400 + number}
                screen = play(*line.split(), nbserver_profile_options=days)
                blocked = unworkable(screen, may_fail=line == "doctor")
                report.note(
                    f"a temporary directory {place}", *blocked, *evidence(),
                    what="things renamed in the directory for temporary files", line=line,
                )  # fmt: skip


@contextmanager
def _racing(made: str) -> Iterator[None]:
    root(NODE, f"rm -rf {TOP}; install -d {TOP.rpartition('/')[0]} && {made.format(top=TOP)}")
    VICTIM.says(
        f"cp -p ~/.bashrc ~/.kept && {{ echo 'export TMPDIR={TOP}'; cat ~/.kept; }} >~/.bashrc"
    )
    try:
        with STRANGER.running("attacks/renamer.py", TOP, f"{HIDEOUT}/proofs/renamed"):
            yield
    finally:
        VICTIM.says("mv ~/.kept ~/.bashrc")
        root(NODE, f"rm -rf {TOP}")
