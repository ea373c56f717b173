"""What people have in their configuration of ssh for other work, beside the notebook."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from connecting import GREETING, common, connecting, login_page
from examining import doctor, level
from terminal import playbook

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)
# Lecture notes have the first three; people who live in tmux, the rest. Ansible needs its cure.
OTHER_WORK = """\
Host dev1
  LocalForward {port} localhost:8888
  LocalForward 127.0.0.1:{port} localhost:8888
  DynamicForward 127.0.0.1:{port}
  RemoteCommand tmux new -A -s main
  RequestTTY force
"""
CURE = "-o RemoteCommand=none -o RequestTTY=no"


@pytest.fixture
def other_work(ways: Path, local_port: int) -> Path:
    ways.write_text(OTHER_WORK.format(port=local_port) + ways.read_text())
    return ways


def test_connect_and_doctor_work_beside_what_is_configured_for_other_logins(
    options: list[str], other_work: Path, local_port: int
) -> None:
    cured = common(Path(f"{other_work} {CURE}"), "gateway")
    printed = playbook("start", *options, *cured)
    assert "is running" in printed
    assert f"LocalForward {local_port} [localhost]:8888" in printed, "it is said below the command"
    with connecting(*options, *cured) as terminal:  # while Ansible's own login holds that port
        terminal.expect(GREETING)
        assert login_page(local_port) == "200"
    code, said = doctor(*options, *cured)
    assert code == 0, said
    for subject in ("forwarding of sockets", "forwarding of ports", "shell on the node"):
        assert level(subject, said) == "ok", said


def test_what_ansible_cannot_do_is_said_at_once_and_connect_can(
    options: list[str], other_work: Path, local_port: int
) -> None:
    through = common(other_work, "gateway")
    with pytest.raises(AssertionError, match="RequestTTY force in the configuration of ssh"):
        playbook("start", *options, *through)
    with connecting(*options, *through) as terminal:
        terminal.expect(GREETING)
        assert login_page(local_port) == "200"


def test_a_block_for_ssh_carries_the_tunnel_alone(options: list[str], other_work: Path) -> None:
    cured = common(Path(f"{other_work} {CURE}"), "gateway")
    given = [*options, *cured, "-e", f"nbserver_ssh_config_file={other_work}"]
    with connecting(*given, "-e", "nbserver_ssh_config=present") as terminal:
        terminal.expect(GREETING)
    block = other_work.read_text().partition("# END")[0]
    assert re.findall("(?i)(.*forward) ", block) == ["    localforward"]
