"""doctor.yml as a person runs it, and what it says of one subject."""

from __future__ import annotations

import re
import subprocess

from connecting import STATE
from terminal import BIN, CHECKOUT, environment


def doctor(*options: str) -> tuple[int, str]:
    """How it ends, and what it prints."""
    inventory = ["-i", str(STATE / "inventory.ini")]
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), "playbooks/doctor.yml", *inventory, *options],
        cwd=CHECKOUT, env={**environment(), "ANSIBLE_NOCOLOR": "1"}, capture_output=True, text=True,
        check=False, stdin=subprocess.DEVNULL, timeout=300,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout


def level(subject: str, printed: str) -> str:
    found = re.search(rf"^(\w+) +{re.escape(subject)}: ", printed, re.MULTILINE)
    return found[1] if found else "not judged"
