"""Login shells of people, as sshd starts them for a command."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

# What each reads when sshd starts it with a command; dash reads nothing then.
RC_FILES = {
    "bash": ".bashrc",
    "tcsh": ".cshrc",
    "zsh": ".zshenv",
    "fish": ".config/fish/config.fish",
}
NOISE = "echo 'Welcome to the cluster'\nprintf %s hpcc-begin\n"  # the last without its end


def log_in_with(directory: Path, shell: str) -> dict[str, str]:
    """The environment in which Ansible's ssh is this shell, which gets the command as from sshd."""
    if not shutil.which(shell.split()[0]):
        pytest.skip(f"{shell} is not installed")
    ssh = directory / "ssh"
    ssh.write_text(
        f"""#!/bin/sh
[ "$1" != -G ] || exec ssh "$@" # what it would do is asked, and no shell is reached
for command; do :; done
unset SHLVL
SSH_CLIENT=yes exec {shell} -c "$command"
"""
    )
    ssh.chmod(0o755)
    return {"ANSIBLE_SSH_EXECUTABLE": str(ssh), "ANSIBLE_PIPELINING": "true"}


def greet(home: Path, shell: str) -> None:
    """Let the shell's own file print something before each command."""
    if shell in RC_FILES:
        noise = home / RC_FILES[shell]
        noise.parent.mkdir(parents=True, exist_ok=True)
        noise.write_text(NOISE)
