"""Playbooks as Molecule plays them: with its variables, and again for nothing to be changed."""

import os
import re
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
ANSIBLE_PLAYBOOK = str(Path(sys.executable).with_name("ansible-playbook"))
INVENTORY = f"{os.environ['HPCC_NOTEBOOK_STATE']}/inventory.ini"
VARIABLES = Path(__file__).parents[1] / "vars.yml"


def once(name, *options):
    """Play it, and give what it prints."""
    done = subprocess.run(
        [ANSIBLE_PLAYBOOK, f"playbooks/{name}.yml", f"-i{INVENTORY}", f"-e@{VARIABLES}", *options],
        cwd=CHECKOUT, env={**os.environ, "ANSIBLE_NOCOLOR": "1"}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def twice(name, *options):
    """Play it, and again, which changes nothing any more."""
    once(name, *options)
    printed = once(name, *options)
    changes = re.findall(r" changed=(\d+) ", printed)
    assert changes, printed
    assert set(changes) == {"0"}, printed
