"""A first-time user's session, typed into a shell in an empty home, as docs/transcript.md.

`make transcript` writes the page: the commands of the README, with what they print on the test
cluster. Nothing is left out; what differs from run to run, such as a path of this machine, is
shown as a person would see it elsewhere.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import pexpect  # type: ignore[import-untyped]

CHECKOUT = Path(__file__).parents[1]
PAGE = CHECKOUT / "docs" / "transcript.md"
BIN = Path(sys.executable).parent
CLUSTER = [sys.executable, str(CHECKOUT / "tests" / "cluster" / "cluster.py")]
ACCOUNT = "alice"
PASSWORD = "a walk along the Red Cedar"
PROMPT = "\N{HEAVY ASTERISK}typed\N{HEAVY ASTERISK}"
CALM = "export ANSIBLE_STDOUT_CALLBACK=hpcc.notebook.calm"
PATIENCE = 900
_INI = "~/.ansible/collections/ansible_collections/hpcc/notebook/hpcc.ini"
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]?")
_SPINNER = re.compile(r"[|/\\-]?\x08")  # of ansible-galaxy, which steps back over it
HEAD = """\
# A first session

What a person types and reads who has an account, Ansible, and an empty home: from nothing to a
notebook, and back to nothing. `make transcript` writes this page: it types the commands of the
[README](../README.md) into a shell, and writes down what the test cluster answers. After the second
line, the person has written account, gateway and node into `my.ini`. The third one chooses the calm
display; without it Ansible also prints the name of each task.

```console
"""


@dataclass
class Shell:
    """A shell at which somebody types."""

    home: Path
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ},
            "PATH": f"{BIN}:{os.environ['PATH']}", "HOME": str(self.home), "TERM": "xterm",
            "PS1": PROMPT, "ANSIBLE_NOCOLOR": "1", "BROWSER": "true", "LC_ALL": "C.UTF-8",
        }  # fmt: skip
        self._terminal = pexpect.spawn(
            "/bin/bash", ["--norc", "--noprofile"], cwd=str(self.home), encoding="utf-8",
            timeout=PATIENCE, dimensions=(60, 160), env=environment, echo=False,
        )  # fmt: skip
        self._terminal.expect_exact(PROMPT)

    def type(self, command: str, answers: Mapping[str, str] | None = None, until: str = "") -> None:
        """Type a command, answer what it asks, and press Ctrl-C once it says that it stays."""
        replies = dict(answers or {})
        self.said.append(f"$ {command}\n")
        self._terminal.sendline(command)
        while True:
            waited = [re.escape(PROMPT), *([until] if until else []), *replies]
            index = self._terminal.expect(waited)
            self.said.append(self._terminal.before)
            if index == 0:
                break
            self.said.append(self._terminal.after)
            if until and index == 1:
                until = ""
                self._terminal.expect(pexpect.TIMEOUT, timeout=3)
                self._terminal.sendcontrol("c")
                continue
            self._terminal.send(f"{replies.pop(waited[index])}\r")  # as the key does
        self.said.append("\n")

    def close(self) -> None:
        """Leave the shell."""
        self._terminal.close(force=True)


def commands() -> list[str]:
    """What is typed, in its order; the page shows the same."""
    playbook = "ansible-playbook hpcc.notebook.{} -i my.ini"
    names = ("setup", "open", "status", "doctor", "stop", "teardown")
    install = "ansible-galaxy collection install ./hpcc-notebook.tar.gz"
    return [install, f"cp {_INI} my.ini", CALM, *map(playbook.format, names)]


def session(home: Path) -> str:
    """Type all of it; a person edits the file after the second command."""
    shell = Shell(home)
    asked = {"The same password again:": PASSWORD, r"[Pp]assword [^\r\n]*:\r?\n": PASSWORD}
    try:
        for command in commands():
            answers = {"Type yes to go on:": "yes"} if "teardown" in command else {}
            if ".setup" in command:
                answers = asked
            shell.type(command, answers, "goes on running\\." if ".open" in command else "")
            if command.startswith("cp "):
                shutil.copy(CHECKOUT / ".cluster" / "inventory.ini", home / "my.ini")
    finally:
        shell.close()
    return as_seen("".join(shell.said), home)


def as_seen(text: str, home: Path) -> str:
    """Without what belongs to this machine, and what a terminal has written over."""
    text = _COLOUR.sub("", text).replace("\r\n", "\n")
    lines = [line.rstrip("\r ").rpartition("\r")[2].rstrip() for line in text.split("\n")]
    plain = re.sub(r" -F \S+", "", "\n".join(lines)).replace(str(home), "/home/alice")
    plain = _SPINNER.sub("", plain)
    return re.sub(r"\n{3,}", "\n\n", plain).strip() + "\n"


def build(home: Path) -> None:
    """The archive that a release brings."""
    galaxy = [str(BIN / "ansible-galaxy"), "collection", "build", "--output-path", str(home)]
    subprocess.run(galaxy, cwd=CHECKOUT, check=True, stdout=subprocess.DEVNULL)
    [archive] = home.glob("hpcc-notebook-*.tar.gz")
    archive.rename(home / "hpcc-notebook.tar.gz")


def main() -> int:
    """Write the page."""
    subprocess.run([*CLUSTER, "up"], check=True)
    subprocess.run([*CLUSTER, "reset", ACCOUNT], check=True)
    with TemporaryDirectory(prefix="home-") as name:
        build(Path(name))
        PAGE.write_text(f"{HEAD}{session(Path(name))}```\n", encoding="utf-8")
    print(f"{PAGE.relative_to(CHECKOUT)} written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
