"""Run a playbook for real, on this machine, with a home directory of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

CHECKOUT = Path(__file__).parents[2]
ANSIBLE_PLAYBOOK = [sys.executable, "-m", "ansible.cli.playbook"]


@dataclass(frozen=True)
class Run:
    """How a run of ansible-playbook ended and what it printed."""

    code: int
    output: str

    @property
    def changed(self) -> int:
        """The number of changes in the recap."""
        return int(self.output.rpartition("changed=")[2].split()[0])


def run_playbook(
    directory: Path,
    play: dict[str, Any],
    *options: str,
    shell: dict[str, str] | None = None,
    behind: Sequence[str] = (),
    **variables: object,
) -> Run:
    """Run one play on localhost; `directory` holds its roles, its modules and its home.

    `shell` is what the shells of this machine have in their environment besides; `behind` is a
    command that runs commands in another place.
    """
    home = directory / "home"
    home.mkdir(exist_ok=True)
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, **play}
    playbook = directory / "play.yml"
    playbook.write_text(yaml.safe_dump([play]))
    given = directory / "variables.yml"
    python = {"ansible_python_interpreter": sys.executable}
    given.write_text(yaml.safe_dump({**python, **variables}))
    argv = [*behind, *ANSIBLE_PLAYBOOK, "-i", "localhost,", f"-e@{given}", str(playbook), *options]
    return _run(argv, home, shell or {})


def run_ours(
    directory: Path, name: str, host: str, *options: str, shell: dict[str, str] | None = None
) -> Run:
    """Run a playbook of the collection for one line of an inventory."""
    home = directory / "home"
    home.mkdir(exist_ok=True)
    (home / "my.ini").write_text(f"[hpcc_dev]\n{host}\n")
    playbook = str(CHECKOUT / "playbooks" / f"{name}.yml")
    return _run([*ANSIBLE_PLAYBOOK, "-i", "my.ini", playbook, *options], home, shell or {})


def _run(argv: list[str], home: Path, shell: dict[str, str]) -> Run:
    environment = {
        "PATH": os.environ["PATH"],
        "LC_ALL": "C.UTF-8",
        "HOME": str(home),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / "playbooks" / "collections"),
        "ANSIBLE_NOCOLOR": "1",
        "COLUMNS": "1000",
        **shell,
    }
    done = subprocess.run(
        argv, env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    return Run(done.returncode, done.stdout + done.stderr)
