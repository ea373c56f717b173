"""doctor.yml on the real cluster: quick, right about what is broken, and it touches nothing."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from connecting import common
from examining import doctor, level
from sshd import as_root
from terminal import playbook

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(600)
LISTING = (
    "cd /home/{} && find . -not -path './.ansible*' -printf '%p %m %s %T@\\n' "
    "| grep -v '^[.] ' | sort"
)
# What pip brought is compiled after setup has come back.
AT_REST = "while pgrep -u {} -f 'anaconda[.]d/work|[c]ompileall' >/dev/null; do sleep 0.2; done"


def test_a_healthy_server_has_nothing_wrong_and_nothing_is_touched(
    options: list[str], serving: str
) -> None:
    as_root("dev1", AT_REST.format(serving))
    before = as_root("dev1", LISTING.format(serving))
    began = time.monotonic()
    code, printed = doctor(*options)
    seconds = time.monotonic() - began
    assert code == 0, printed
    total = re.search(r"^(\d+) checks: .*, 0 wrong", printed, re.MULTILINE)
    assert total
    assert int(total[1]) >= 40
    for subject in ("login", "forwarding of sockets", "certificate", "server", "answer"):
        assert level(subject, printed) == "ok", printed
    assert as_root("dev1", LISTING.format(serving)) == before
    # 5 seconds on a machine with nothing else to do; more where others keep it busy.
    assert seconds < 5 * max(1.0, busy()), f"it took {seconds:.1f} s"


def busy() -> float:
    """How many times more work there is than cores."""
    return float(Path("/proc/loadavg").read_text().split()[0]) / 2


# What is looked at, and how it is broken; the home directory last, for it is then closed.
BROKEN = {
    "server configuration": "echo 'x = (' >> {profile}/jupyter_server_config.py",
    "files of the profile": "chmod 644 {profile}/jupyter_server_config.json",
    "key": "openssl ecparam -genkey -name prime256v1 -out {profile}/security/notebook.key",
    "token": ": > {profile}/security/token",
    "modulefile": "sed -i 's/prepend_path/--/' {home}/modulefiles/anaconda.lua",
    "installation": "mv {home}/anaconda.d/markers {home}/anaconda.d/away",
    "login files": "sed -i '1i echo welcome to the cluster' {home}/.bashrc",
    "node-local directory": "chmod 755 /tmp/nbserver-$(id -u {user})",
    "home directory": "chmod 500 {home}",
}
KEEP = "tar -C {home} -cpf /tmp/kept.tar .ipython/profile_nbserver .bashrc modulefiles"
RESTORE = """
    chmod 700 {home} /tmp/nbserver-$(id -u {user}); tar -C {home} -xpf /tmp/kept.tar
    rm /tmp/kept.tar; mv {home}/anaconda.d/away {home}/anaconda.d/markers
"""


@pytest.mark.fault("doctor: a login file with JSON", "doctor: half a modulefile")
def test_everything_that_is_broken_is_seen_in_one_run(options: list[str], serving: str) -> None:
    home = f"/home/{serving}"
    names = {"home": home, "user": serving, "profile": f"{home}/.ipython/profile_nbserver"}
    as_root("dev1", "; ".join([KEEP, *BROKEN.values()]).format(**names))
    try:
        code, printed = doctor(*options)
    finally:
        as_root("dev1", RESTORE.format(**names))
    assert code == 2
    for subject in BROKEN:
        assert level(subject, printed) in ("wrong", "warning"), f"{subject} in\n{printed}"
    assert printed.count("         -> ") >= len(BROKEN)


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("nowhere", "wrong    login: the gateway: it cannot reach the node"),
        ("stranger", "wrong    login: stranger: its host key is not known"),
    ],
)
def test_a_way_that_ends_early_is_told_and_nothing_behind_it(
    options: list[str], ways: Path, host: str, said: str
) -> None:
    if host == "nowhere":
        ways.write_text(f"Host nowhere\n  HostKeyAlias dev1\n{ways.read_text()}")
    code, printed = doctor(*options, *common(ways, "gateway"), "-e", f"ansible_host={host}")
    assert code == 2
    assert said in printed
    assert level("ssh", printed) == "ok"
    assert level("server", printed) == "not judged"


def test_without_a_server_nothing_is_wrong(options: list[str]) -> None:
    playbook("stop", *options)
    try:
        code, printed = doctor(*options)
    finally:
        playbook("start", *options)
    assert code == 0, printed
    assert level("server", printed) in ("ok", "warning")
    assert level("answer", printed) == "not judged"


def test_a_login_file_that_hangs_is_found(options: list[str], serving: str) -> None:
    bashrc = f"/home/{serving}/.bashrc"
    as_root("dev1", f"cp -p {bashrc} {bashrc}.kept && sed -i '1i sleep 300' {bashrc}")
    try:
        code, printed = doctor(*options)
    finally:
        as_root("dev1", f"mv {bashrc}.kept {bashrc}; pkill -u {serving} -x sleep || true")
    assert code == 2
    assert "wrong    shell on the node: `sh -s` ended with 124: no answer within" in printed
    assert "~/.bashrc" in printed
