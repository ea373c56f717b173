# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor sees on this computer, and through one login on the node."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import inside, jobs
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.checks import questions
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.distribution import NAMES
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    kernel_trial,
    option_trial,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import free_port_reason
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh import faults
from ansible_collections.hpcc.notebook.plugins.module_utils._ssh.hops import Way
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import leases, lost_files
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import sent_program
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS, question
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh import (
    ansible_login,
    forwarding,
    own_ssh,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.listener import listener
from ansible_collections.hpcc.notebook.plugins.plugin_utils._ssh.ssh_session import (
    NotConnected,
    Session,
)

SHELL_WITHIN = 10.0  # seconds for a shell that does nothing
LOOK_WITHIN = 30.0
_QUICK = 0.2  # seconds: a shell that needs no more tells of a node that is not slow
_SLOWEST = 4.0
_PROGRAM = SCRIPTS / "doctor" / "look.sh"
_SERVER = SCRIPTS / "shared" / "server.sh"


def computer(found: Way, local_port: int, ansibles: Path) -> Answers:
    """What this computer's ssh is and how it is configured for the node; no host is contacted."""
    gateway = found.gateway.host if found.gateway else ""
    return {
        "ssh": [_said([found.program, "-V"]).stderr],
        "agent_keys": [str(_said(["ssh-add", "-l"]).stdout.count("SHA256:"))],
        "local_port": [str(local_port)],
        "local_port_free": ["no" if free_port_reason(local_port) else "yes"],
        "local_port_holder": [listener(local_port)],
        "local_port_ansibles": ["yes" if ansible_login.holds(local_port, ansibles) else "no"],
        "gateway_addresses": [str(len(_addresses(gateway)))] if gateway else [],
        **_configuration(found),
    }


def _configuration(way: Way) -> Answers:
    """What ssh itself makes of its configuration for this login."""
    asked = _said([way.program, "-G", *way.words()])
    if asked.returncode:
        return {"config_error": [" ".join(asked.stderr.split())]}
    found: Answers = {}
    for line in asked.stdout.splitlines():
        keyword, _space, value = line.partition(" ")
        found.setdefault(keyword, []).append(value)
    return {
        "hostname": found.get("hostname", []),
        "gateway": found.get("proxyjump", []),
        "control_path": found.get("controlpath", []),
        "control_path_open": ["yes" if _others_may_write(found.get("controlpath", [])) else "no"],
        "control_path_elsewhere": ["yes" if _may_lead_elsewhere(way) else "no"],
        "strict_host_keys": found.get("stricthostkeychecking", []),
        "forward_agent": found.get("forwardagent", []),
        "local_forward": found.get("localforward", []),
        "identity": _identities(found.get("identityfile", [])),
    }


def _may_lead_elsewhere(way: Way) -> bool:
    return own_ssh.may_lead_elsewhere(way.words(), way.program)


def _others_may_write(control_path: list[str]) -> bool:
    """Whether another user could put a socket in the place of one that ssh shares."""
    for path in control_path:
        with suppress(OSError):
            return path != "none" and bool(Path(path).parent.stat().st_mode & 0o022)
    return False


def _identities(files: list[str]) -> list[str]:
    paths = (Path(name).expanduser() for name in files)
    return [f"{path} {path.stat().st_mode & 0o777:o}" for path in paths if path.is_file()]


def node(session: Session, refused: list[str], settings: Mapping[str, object]) -> Answers:
    """Log in and look around; what cannot be seen is left out."""
    began = time.monotonic()
    try:
        session.open()
    except NotConnected as reason:
        fault = faults.diagnose(str(reason), refused)
        return {"login_fault": [f"{fault.where}: {fault.what}"], "login_todo": [fault.todo]}
    seen: Answers = {"login_seconds": [f"{time.monotonic() - began:.2f}"], **_shell(session)}
    if "node_fault" not in seen:
        seen.update(_look(session, settings, patience(float(seen["shell_seconds"][0]))))
        seen.update(_forwarding(session, seen))
    return seen


_SOCKET = """
if [ ! -S "$SOCKET" ]; then emit job_socket missing
elif [ -O "$SOCKET" ] &&
  [ -n "$(find -H "${SOCKET%/*}" -prune -type d -user "$(id -u)" ! -perm /077)" ]
then emit job_socket there
else emit job_socket foreign
fi
end_answers
"""


def compute_node(session: Session, refused: list[str], host: str, server: Record) -> Answers:
    """Log in where a job serves, or leads to, and look for the socket that a tunnel leads to."""
    try:
        session.open()
    except NotConnected as reason:
        fault = faults.diagnose(str(reason), refused)
        said = f"{fault.where}: {fault.what}"
        return {"job_login_fault": [said], "job_login_todo": [fault.todo]}
    asked = question({"SOCKET": jobs.reached_by(server)}, text=_SOCKET)
    ended = session.run(asked.program, LOOK_WITHIN)
    return {"job_host": [host], **asked.answers(ended.stdout)}


def _shell(session: Session) -> Answers:
    """What the login files print and cost, told by a command that does nothing."""
    began = time.monotonic()
    ended = session.run(":\n", SHELL_WITHIN)
    if ended.code:
        said = (ended.stderr.strip() or ended.stdout.strip())[-200:]  # nologin speaks on the latter
        return {"node_fault": [f"`sh -s` ended with {ended.code}: {said}"]}
    noise = len(ended.stdout.splitlines()) + len(ended.stderr.splitlines())
    return {"noise": [str(noise)], "shell_seconds": [f"{time.monotonic() - began:.2f}"]}


def patience(shell_seconds: float) -> float:
    """Seconds for the look at a node that is as slow as its shell."""
    return LOOK_WITHIN * min(_SLOWEST, max(1.0, shell_seconds / _QUICK))


def _look(session: Session, settings: Mapping[str, object], within: float) -> Answers:
    lost = Path(lost_files.__file__).read_text(encoding="utf-8")
    kernel = Path(kernel_trial.__file__).read_text(encoding="utf-8")
    lease = Path(leases.__file__).read_text(encoding="utf-8")
    programs = {"LOST_FILES": lost, "KERNEL": kernel, "NAMES": " ".join(NAMES)}
    programs |= {"LOOK": sent_program.program(inside.__name__), "QUESTIONS": questions()}
    programs["LEASES"] = lease
    programs["OPTIONS"] = Path(option_trial.__file__).read_text(encoding="utf-8")
    programs["KERNEL_WITHIN"] = f"{within / 2:.0f}"
    asked = question({**settings, **programs}, _SERVER, _PROGRAM)
    before = time.time()
    ended = session.run(asked.program, within)
    found = asked.answers(ended.stdout)
    if not found:  # it is not the login files: a shell that does nothing has ended well
        return {"look_fault": [f"`sh -s` ended with {ended.code}: {ended.stderr.strip()[-200:]}"]}
    # The node looked at its clock at the beginning; whole seconds are exact enough.
    apart = int(found["now"][0]) - int(before)
    return {**found, "clock_difference": [str(apart if abs(apart) > 2 else 0)]}


def _forwarding(session: Session, seen: Answers) -> Answers:
    wait = max(1.0, 3 * float(seen["shell_seconds"][0]))  # as slow as the node is
    ports = forwarding.ports(session, int((seen.get("ssh_port") or [""])[0] or 22), wait)
    prefix = (seen.get("prefix") or [""])[0]
    sockets = forwarding.sockets(session, ["python3", prefix and f"{prefix}/bin/python"], wait)
    return {
        "forwards_ports": [ports.answer],
        "forwards_ports_reason": [ports.reason],
        "forwards_sockets": [sockets.answer],
        "forwards_sockets_reason": [sockets.reason],
    }


def _addresses(host: str) -> set[str]:
    try:
        return {str(found[4][0]) for found in socket.getaddrinfo(host, 22, socket.AF_INET)}
    except OSError:
        return set()


def _said(argv: list[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=10,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except (FileNotFoundError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(argv, 127, "", str(error))
