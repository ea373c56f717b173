"""The demonstration: the real playbooks against the test cluster, as a person would run them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).parents[1]
PASSWORD_FILE = CHECKOUT / ".cluster" / "password.json"
VARIABLE = "nbserver_profile_password"


def password() -> str:
    """One password for all runs of this cluster, so that a second `make demo` changes nothing."""
    if not PASSWORD_FILE.exists():
        descriptor = os.open(PASSWORD_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({VARIABLE: secrets.token_urlsafe(12)}, file)
    return str(json.loads(PASSWORD_FILE.read_text())[VARIABLE])


def playbook(name: str) -> None:
    inventory = ["-i", ".cluster/inventory.ini", "-e", "@.cluster/password.json"]
    command = ["ansible-playbook", f"playbooks/{name}.yml", *inventory]
    print(f"\n$ {' '.join(command)}", flush=True)
    subprocess.run([str(Path(sys.executable).with_name(command[0])), *command[1:]], check=True)


def main() -> int:
    os.chdir(CHECKOUT)
    secret = password()
    try:
        playbook("setup")
        playbook("start")
    except subprocess.CalledProcessError as failure:
        print("\nThe demonstration stopped: what failed stands above.", file=sys.stderr)
        return failure.returncode
    print(f"\nThe notebook's password is {secret}\n`make demo-down` removes everything again.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
