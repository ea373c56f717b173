"""Make an environment with another Ansible and Python, and print where its programs are.

other_ansible.py 2.21 3.13

It holds what requirements.lock pins, save for ansible-core: that is the newest of its series.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
PINNED = CHECKOUT / "requirements.lock"
# A pin with its hashes, which stand on lines of their own.
_PIN = re.compile(r"^\S.*(?:\n\s+.*)*\n?", re.MULTILINE)


def without_ansible(pinned: str) -> str:
    """The pins of everything else."""
    return "".join(pin for pin in _PIN.findall(pinned) if not pin.startswith("ansible-core=="))


def pythons(version: str) -> Iterator[str]:
    """What may be that Python here, the machine's own first."""
    yield f"python{version}"
    for place in sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python")):
        yield str(place)


def found(version: str) -> str:
    asked = f"import sys; sys.exit('%d.%d' % sys.version_info[:2] != {version!r})"
    for python in filter(shutil.which, pythons(version)):
        if subprocess.run([python, "-c", asked], check=False, capture_output=True).returncode == 0:
            return python
    sys.exit(f"there is no Python {version} on this machine")


def make(place: Path, core: str, python: str) -> None:
    print(f"installing ansible-core {core} on Python {python} into {place}", file=sys.stderr)
    subprocess.run([found(python), "-m", "venv", "--clear", place], check=True)
    rest = place / "rest.lock"
    rest.write_text(without_ansible(PINNED.read_text(encoding="utf-8")), encoding="utf-8")
    own = str(place / "bin" / "python")
    install = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, "--no-deps", "--require-hashes", "-r", str(rest)], check=True)
    subprocess.run([*install, f"ansible-core=={core}.*"], check=True)


def programs(core: str, python: str) -> Path:
    """Where the programs of that environment are."""
    place = CHECKOUT / ".cache" / "ansible" / f"{core}-{python}"
    stamp, pinned = place / "requirements.lock", PINNED.read_bytes()
    if not stamp.exists() or stamp.read_bytes() != pinned:
        make(place, core, python)
        stamp.write_bytes(pinned)
    return place / "bin"


if __name__ == "__main__":
    print(programs(*sys.argv[1:]))
