"""What the doctor says of a healthy server, beside what other people's tools say."""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "tests" / "e2e"))

from examining import doctor, level
from playing import twice
from terminal import playbook

PROFILE = "/home/alice/.ipython/profile_nbserver"


@pytest.fixture(scope="module", autouse=True)
def played():
    twice("doctor")


@pytest.fixture(scope="module")
def printed():
    code, lines = doctor()
    assert code == 0, lines
    return lines


def what(subject, printed):
    assert level(subject, printed) == "ok", printed
    return re.search(rf"^ok +{subject}: (.*)$", printed, re.MULTILINE)[1]


def test_each_part_is_looked_at_and_nothing_is_wrong(printed):
    total = re.search(r"^(\d+) checks: .* 0 wrong\.$", printed, re.MULTILINE)
    assert total, printed
    assert int(total[1]) >= 40


def test_the_days_of_the_certificate_are_those_of_openssl(host, printed):
    days = int(what("certificate", printed).split()[0])
    check = f"openssl x509 -in {PROFILE}/security/notebook.crt -noout -checkend"
    assert host.run(f"{check} {(days - 1) * 86400}").rc == 0
    assert host.run(f"{check} {(days + 2) * 86400}").rc == 1


def test_versions_and_limits_are_those_of_the_node(host, printed):
    assert what("tmux", printed) == host.check_output("tmux -V")
    lmod = host.check_output("bash -lc 'echo Lmod $LMOD_VERSION'")
    assert what("modules", printed) == lmod
    assert host.check_output("ulimit -n") in what("open files", printed)
    python = host.check_output("/home/alice/anaconda/bin/python --version")
    assert python == f"Python {what('Python', printed)}"
    free = int(host.check_output("df -Pm /home/alice | awk 'NR == 2 { print $4 }'"))
    assert int(what("room at home", printed).split()[0]) == pytest.approx(free, rel=0.1)


def test_a_session_that_is_lost_comes_back_by_what_is_to_be_typed(host):
    host.check_output("rm /tmp/nbserver-1001/tmux.sock")
    code, lines = doctor()
    assert code == 0, "the notebook can be used"
    assert level("tmux session", lines) == "warning"
    todo = re.search(
        r"tmux session: .*\n +-> ansible-playbook hpcc\.notebook\.(\w+) -i \S+(?: .*)?$",
        lines,
        re.M,
    )
    assert todo, lines
    playbook(todo[1])
    assert host.run("tmux -S /tmp/nbserver-1001/tmux.sock has-session -t =nbserver").rc == 0
