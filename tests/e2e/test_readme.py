"""What the README shows is what is printed: the same words; times, numbers and names may differ."""

from __future__ import annotations

import re
import shlex
import socket
import time
from pathlib import Path

import pexpect
import pytest
from connecting import USER, VARIABLES, connecting
from examining import doctor
from parallel import Person
from terminal import CHECKOUT, COLOUR, STATE, playbook, run

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)
README = (CHECKOUT / "README.md").read_text(encoding="utf-8")
# What stands in the README, and what may stand there instead.
FREE = {
    r"\d+ \w+ ago": r"(\d+ \w+ ago|just now)",
    r"[0-9A-F]{2}(:[0-9A-F]{2})+": "[0-9A-F:]+",
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ": r"\S+",
    r"\d+(\.\d+)*": r"[\d.]+",
    "…": ".*",
    r"[* ]+": r"[* ]*",
    r"taken by \S+": r"taken by \S+",
    "alice": f"(alice|{USER})",
}
EVERY = re.compile("|".join(f"(?P<_{place}>{free})" for place, free in enumerate(FREE)))


def shown(name: str) -> list[str]:
    """The lines that the README shows of a playbook."""
    after = re.search(rf"^\$ ansible-playbook hpcc\.notebook\.{name} .*\n", README, re.MULTILINE)
    assert after, f"the README does not show {name}"
    block = re.split(r"^(?:```|\$ )", README[after.end() :], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in block.splitlines() if line.strip("… ")]
    assert lines, f"the README does not show what {name} prints"
    return lines


def pattern(line: str) -> str:
    """What a printed line has to look like."""
    ends, parts = 0, []
    for found in EVERY.finditer(line):
        place = next(int(name[1:]) for name, text in found.groupdict().items() if text)
        parts += [re.escape(line[ends : found.start()]), list(FREE.values())[place]]
        ends = found.end()
    return "".join([*parts, re.escape(line[ends:]), r"[* ]*"])


def missing(name: str, printed: str) -> list[str]:
    """Lines of the README that are not printed."""
    plain = re.sub(r" -F \S+", "", COLOUR.sub("", printed).replace("\r", "\n"))
    plain = re.sub(r"(hpcc\.notebook\.\w+)(?: -[ie] (?:'[^']*'|[^\s`]+))+", r"\1 -i my.ini", plain)
    lines = plain.splitlines()
    return [s for s in shown(name) if not any(re.fullmatch(pattern(s), line) for line in lines)]


def recap(word: str, printed: str) -> list[str]:
    """A number of Ansible's summary, for each host."""
    return re.findall(rf"\b{word}=(\d+)", printed)


@pytest.fixture
def nodes(tmp_path: Path) -> Path:
    """An inventory of all hosts that the README shows; dev9 does not exist."""
    path = tmp_path / "my.ini"
    text = (STATE / "inventory.ini").read_text()
    path.write_text(text.replace("\ndev1\n", "\ndev1\ndev2\ndev9\n"))
    return path


def test_another_text_would_be_found() -> None:
    assert missing("stop", "Notebook server on dev1 was stopped: it had to be killed.")


def test_setup_and_start(first_run: dict[str, str]) -> None:
    assert missing("setup", first_run["setup"]) == []
    assert missing("start", first_run["start"]) == []
    # The password is given there: one task less than the README's, which asks for it.
    in_readme = recap("changed", "\n".join(shown("setup")))
    assert recap("changed", first_run["setup"]) == in_readme != []


def test_connect(options: list[str]) -> None:
    with connecting(*options) as terminal:
        terminal.expect(r"goes on running\.")
        printed = terminal.before + terminal.after
    assert missing("connect", printed) == []


def test_open(options: list[str]) -> None:
    playbook("stop", "-e", VARIABLES)
    with connecting(*options, name="open", env={"BROWSER": "true"}) as terminal:
        terminal.expect(r"goes on running\.", timeout=400)
        printed = terminal.before + terminal.after
        time.sleep(1)  # nobody has read it sooner
        terminal.sendcontrol("c")
        terminal.expect(pexpect.EOF)
        printed += terminal.before
    assert missing("open", printed) == []


def test_doctor(options: list[str], local_port: int) -> None:
    with socket.socket() as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.bind(("127.0.0.1", local_port))
        held.listen()
        _code, printed = doctor(*options)
    assert missing("doctor", printed) == []
    count = re.compile(r"^\d+ checks:", re.MULTILINE)
    assert count.findall(printed) == count.findall(README)


def test_parallel(serving: str, options: list[str]) -> None:
    # Another test may have prepared the account: what is shown is the first time.
    Person(serving).on("dev1", "~/anaconda/bin/python -m pip uninstall -qy hpcc-cluster-helper")
    printed = playbook("parallel", *options)
    assert missing("parallel", printed) == []
    # Files may be there from another test, so what changes is not compared.
    assert recap("ok", printed) == recap("ok", "\n".join(shown("parallel"))) != []


def test_status_restart_and_stop(options: list[str], nodes: Path) -> None:
    every = [*options, "-i", str(nodes)]
    assert missing("status", playbook("status", *every)) == []
    two = [*every, "--limit", "dev1,dev2"]
    try:
        restarted = playbook("restart", *options, "-e", "nbserver_frontend=notebook")
        assert missing("restart", restarted) == []
        assert missing("stop", playbook("stop", *two)) == []
    finally:
        playbook("start", "-e", VARIABLES)


def test_teardown_until_it_asks(options: list[str]) -> None:
    inventory = str(STATE / "inventory.ini")
    command = ["ansible-playbook", "playbooks/teardown.yml", "-i", inventory]
    printed = run(f"{shlex.join([*command, *options])} || :", answers={"Type yes to go on:": "no"})
    assert missing("teardown", printed) == []
    assert "Nothing was removed: the answer was not yes." in printed
    some = '{"teardown_parts": ["server", "profile"]}'
    assert f"-e '{some.translate({34: None})}'" in README
    printed = playbook("teardown", *options, "--check", "-e", some)
    assert re.search(r"^ +profile +/home", printed, re.MULTILINE)
    assert not re.search(r"^ +installation +/home", printed, re.MULTILINE)
