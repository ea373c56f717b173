"""Each check of the doctor says when all is well, and can be made to say the opposite."""

import json
import os
import re
import subprocess
import sys
from dataclasses import replace

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.versions import version
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import (
    computer,
    distribution,
    inside,
    jobs,
    node,
    path,
    serving,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.checks import (
    CHECKS,
    PLACES,
    findings,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import Seen
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.summary import (
    document,
    is_wrong,
    report,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import RULES
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import sent_program
from hypothesis import given
from hypothesis import strategies as st
from login_shells import RC_FILES, greet, log_in_with
from server_answers import SERVER

LOST = "name=cryptography version=46.0 files=12 path=lib/c"

SLURM = ["/usr/bin/sbatch", "/usr/bin/squeue", "/usr/bin/scancel"]


def served(**changed):
    return record.serialise(replace(SERVER, **changed)).decode().replace("\n", "")


SERVES = {"job_record": '{"job": "5", "mark": "a"}', "job_servers": served()}
THERE = {"profile": "700", "python": "3.13.1"}
RUNS = {"server": "running", "host": "dev1", "certificate_sha256": "AA"}
# Check → what it sees when all is well; then each other case: level, what is seen, what is said.
CASES = {
    serving.root_directory: [
        {"root_dir": "/home/a", "root_dir_state": "ok"},
        ("wrong", {"root_dir": "/home/a/n", "root_dir_state": "gone"}, "there is no /home/a/n"),
        ("wrong", {"root_dir": "/home/a b", "root_dir_state": "closed"}, "chmod u+rx '/home/a b'"),
    ],
    serving.kernel: [
        {"kernel": '{"reason": null}'},
        ("wrong", {"kernel": '{"reason": "No module named zmq"}'}, "No module named zmq"),
        ("wrong", {"kernel": "Segmentation fault"}, "Segmentation fault"),
        ("warning", {"kernel": "no file", "home_write": "no"}, "above of the home directory"),
        ("warning", {"kernel": "no file", "tmp_write": "no"}, "above of the temporary files"),
    ],
    computer.ssh: [
        {"ssh": "OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19"},
        ("wrong", {"ssh": "OpenSSH_7.2p2"}, "cannot jump"),
        ("wrong", {"ssh": ""}, "no OpenSSH"),
        ("wrong", {"ssh": "No user exists for uid 7\r\n"}, "no account with your user number 7"),
        ("warning", {"ssh": "OpenSSH_8.3p1"}, "may not be able to ask"),
    ],
    computer.configuration: [
        {"hostname": "dev1"},
        ("wrong", {"config_error": "line 3: Bad configuration option: x"}, "line 3"),
    ],
    computer.keys: [
        {"agent_keys": "1"},
        ("warning", {"agent_keys": "0"}, "ssh-copy-id"),
    ],
    computer.key_modes: [
        {"identity": "/home/a b/.ssh/id 600"},
        ("wrong", {"identity": "/home/a b/.ssh/id 640"}, "chmod 600 '/home/a b/.ssh/id'"),
    ],
    computer.control_path: [
        {"control_path": "/home/a/.ssh/4f3a"},
        ("wrong", {"control_path": "/home/" + "a" * 90}, "96 bytes"),
        ("warning", {"control_path": "/tmp/x", "control_path_open": "yes"}, "ControlPath ~/.ssh"),
    ],
    computer.host_keys: [
        {"strict_host_keys": "ask"},
        ("warning", {"strict_host_keys": "false"}, "StrictHostKeyChecking"),
    ],
    computer.agent_forwarding: [
        {"forward_agent": "no"},
        ("warning", {"forward_agent": "yes"}, "root could"),
    ],
    computer.local_port: [
        {"local_port": "8888", "local_port_free": "yes"},
        ("warning", {"local_port": "8888", "local_port_holder": "nc (pid 7)"}, "by nc (pid 7)"),
        ("warning", {"local_port": "8888"}, "another program"),
        (
            "warning",
            {
                "local_port": "8888",
                "local_port_holder": "ssh (pid 7)",
                "local_forward": "8888 [localhost]:8888",
            },
            "choose another",
        ),
    ],
    computer.clock: [
        {"clock_difference": "0"},
        ("warning", {"clock_difference": "-90"}, "90 s"),
        ("wrong", {"clock_difference": "172800"}, "48.0 hours"),
    ],
    path.login: [
        {"login_seconds": "0.7", "login": "alice@dev1"},
        ("wrong", {"login_fault": "dev1: refused", "login_todo": "ssh-add"}, "ssh-add"),
        ("warning", {"login_seconds": "14"}, "ControlMaster"),
    ],
    path.node: [
        {"host": "dev1"},
        ("wrong", {"node_fault": "no answer"}, "~/.zshenv (zsh), ~/.config/fish/config.fish"),
        ("wrong", {"node_fault": "Password change required but no TTY"}, "`ssh -t NODE`"),
        ("wrong", {"node_fault": "This account is currently not available."}, "no shell on"),
        ("wrong", {"look_fault": "no answer"}, "--limit NODE"),
    ],
    path.jump: [
        {"login_seconds": "1", "gateway": "alice@gw", "form": "jump"},
        (
            "warning",
            {"login_seconds": "1", "gateway": "gw", "form": "two_hop", "transport": "tcp"},
            "another user",
        ),
    ],
    path.ports: [
        {"forwards_ports": "yes", "transport": "tcp"},
        ("wrong", {"forwards_ports": "no", "transport": "tcp"}, "nbserver_transport=socket"),
    ],
    path.sockets: [
        {"forwards_sockets": "yes", "transport": "socket"},
        ("wrong", {"forwards_sockets": "no", "transport": "socket"}, "nbserver_transport=tcp"),
        ("wrong", {"forwards_sockets": "no", "forwards_ports": "no"}, "-> ask the site"),
    ],
    path.noise: [{"noise": "0"}, ("warning", {"noise": "3"}, "3 lines")],
    path.pace: [{"shell_seconds": "0.2"}, ("warning", {"shell_seconds": "9"}, "9.0 s")],
    path.round_robin: [
        {"node_addresses": "1", "host": "dev1"},
        ("warning", {"node_addresses": "3", "asked": "dev", "host": "dev1"}, "3 machines"),
    ],
    node.home_writable: [
        {"home_write": "yes"},
        ("wrong", {"home_write": "sh: write error: Disk quota exceeded"}, "make room"),
        ("wrong", {"home_write": "Read-only file system"}, "-> ask the site"),
        ("wrong", {"home_write": "Permission denied"}, "-> on the node: chmod u+rwx ~"),
    ],
    node.home_room: [
        {"home_kib": "9999999"},
        ("warning", {"home_kib": "1048576"}, "1024 MiB"),
        ("wrong", {"home_kib": "2048"}, "2 MiB"),
    ],
    node.home_inodes: [
        {"home_inodes": "999999"},
        ("warning", {"home_inodes": "20000"}, "20000 more files"),
        ("wrong", {"home_inodes": "0"}, "0 more files"),
    ],
    node.quota: [
        {"home_device": "nfs:/home", "quota": "nfs:/home 5 0 40 0 1 0 0 0"},
        ("warning", {"home_device": "nfs:/home", "quota": "nfs:/home 1 0 9 0 95 0 100 0"}, "95 %"),
        ("wrong", {"home_device": "nfs:/home", "quota": "nfs:/home 9* 8 9 6 1 0 0 0"}, "du -xhd1"),
        ("warning", {"home_path": "/home/ann", "quota": "/home/ann 95 0 100 - 1 0 0 -"}, "95 %"),
    ],
    node.tmp_writable: [
        {"tmp_write": "yes"},
        ("wrong", {"tmp_write": "Read-only file system"}, "Read-only"),
    ],
    node.tmp_executable: [{"tmp_exec": "yes"}, ("warning", {"tmp_exec": "no"}, "noexec")],
    node.tmp_sticky: [{"tmp_sticky": "yes"}, ("wrong", {"tmp_sticky": "no"}, "ask the site")],
    node.tmp_room: [
        {"tmp_kib": "9999999"},
        ("warning", {"tmp_kib": "102400"}, "100 MiB"),
        ("wrong", {"tmp_kib": "0"}, "0 MiB"),
    ],
    node.local_directory: [
        {"local_dir": "/tmp/nb-1", "local_dir_state": "ours"},
        ("warning", {"local_dir": "/tmp/nb-1", "local_dir_state": "foreign"}, "somebody else"),
        (
            "wrong",
            {"local_dir": "/tmp/nb-1", "local_dir_state": "foreign", "server": "running"},
            "nbserver_state=restarted",
        ),
        ("wrong", {"local_dir": "/tmp/nb-1", "local_dir_state": "open"}, "chmod 700 /tmp/nb-1"),
    ],
    node.tmux: [{"tmux": "tmux 3.3a"}, ("wrong", {"tmux": "missing"}, "there is none")],
    node.logout: [
        {"kill_user_processes": "no"},
        ("warning", {"kill_user_processes": "yes", "linger": "no"}, "enable-linger"),
    ],
    node.modules: [{"modules": "Lmod 8.6"}, ("warning", {"modules": "none"}, "no `module`")],
    node.cpu_limit: [
        {"cpu_limit": "unlimited"},
        ("warning", {"cpu_limit": "7200"}, "120 minutes"),
    ],
    node.open_files: [{"open_files": "1024"}, ("warning", {"open_files": "256"}, "at most 256")],
    node.load: [
        {"load": "1.5", "cores": "2"},
        ("warning", {"load": "9", "cores": "2"}, "9.0 on 2 cores"),
    ],
    distribution.installation: [
        {"installation": "complete", "generation": "g", "prefix": "/p"},
        ("wrong", {"installation": "missing", "prefix": "/p"}, "none at /p"),
        ("wrong", {"installation": "damaged", "prefix": "/p"}, "not complete"),
        ("warning", {"installation": "foreign", "prefix": "/p"}, "not made by"),
        ("wrong", {"installation": "untrusted", "untrusted": "eve", "untrusted_todo": "x"}, "eve"),
    ],
    distribution.python: [
        {"installation": "complete", "python": "3.13.1"},
        ("wrong", {"installation": "complete"}, "does not run"),
    ],
    distribution.files: [
        {"python": "3.13.1"},
        (
            "wrong",
            {"python": "3.13.1", "lost": LOST},
            r"missing or empty: 12 of cryptography (such as lib/c",
        ),
    ],
    distribution.unfinished: [
        {"prefix": "/p"},
        ("warning", {"prefix": "/p", "lock": "pid=7 host=dev2"}, "rm /p.d/lock"),
        ("warning", {"prefix": "/p", "changing": "yes"}, "cut off"),
    ],
    distribution.frontends: [
        {"python": "3.13.1", "package": "jupyterlab 4.6.6"},
        ("wrong", {"python": "3.13.1"}, "none"),
    ],
    distribution.vulnerable: [
        {"package": "jupyter_server 2.21.0"},
        ("wrong", {"package": "jupyter_server 2.20.9"}, "safe from 2.21.0"),
        ("wrong", {"package": "tornado 6.4.2"}, "tornado 6.4.2"),
    ],
    distribution.modulefile: [
        {"modules": "x", "modulefile": "/m", "module_python": "/p/bin/python", "prefix": "/p"},
        ("warning", {"modules": "x", "modulefile": "missing"}, "there is none"),
        (
            "warning",
            {"modules": "x", "modules_dir": "/m", "modules_dir_closed": "yes"},
            "chmod u+wx /m",
        ),
        ("wrong", {"modules": "x", "modulefile": "/m", "prefix": "/p"}, "not found"),
        (
            "wrong",
            {"modules": "x", "modulefile": "/m/a.lua", "module_file": "/m/a/2023.lua"},
            "finds /m/a/2023.lua first, and never /m/a.lua",
        ),
    ],
    distribution.spider_cache: [
        {"spider_cache": "fresh"},
        ("warning", {"spider_cache": "stale"}, "rm -rf ~/.cache/lmod ~/.lmod.d/.cache"),
    ],
    serving.profile: [
        {"profile": "700"},
        ("wrong", {"profile": "missing"}, "there is none"),
        ("wrong", {"profile": "755"}, "755"),
    ],
    serving.exposed: [THERE, ("wrong", {**THERE, "exposed": "/x/key"}, "can read /x/key")],
    serving.configuration: [
        {"config": "ok"},
        ("wrong", {"config": "cannot be read: invalid syntax"}, "invalid syntax"),
    ],
    serving.password: [
        {"password": "argon2id m=65536 t=3 p=4"},
        ("wrong", {"password": "none"}, "none is set"),
        ("wrong", {"password": "sha1"}, "weak: sha1"),
        ("warning", {"password": "argon2id m=8 t=1 p=1"}, "too weak with m=8,t=1,p=1"),
    ],
    serving.certificate: [
        {**THERE, "certificate_until": "31536000", "now": "0"},
        ("wrong", THERE, "there is none"),
        ("wrong", {"certificate_until": "0", "now": "172801"}, "expired 3 days ago"),
        ("warning", {"certificate_until": "864001", "now": "0"}, "in 10 days"),
    ],
    serving.odd_files: [THERE, ("wrong", {**THERE, "odd": "/p/run/x.json"}, "/p/run/x.json is no")],
    serving.writable: [THERE, ("wrong", {**THERE, "unwritable": "/p/run"}, "chmod 700 /p/run")],
    serving.key: [{"key": "ok"}, ("wrong", {"key": "KEY_VALUES_MISMATCH"}, "MISMATCH")],
    serving.token: [{"token": "there"}, ("wrong", {"token": "missing"}, "gently")],
    serving.server: [
        RUNS,
        ("warning", {**RUNS, "newer": "it runs from a-1, and a-2 is installed"}, "a-2 is inst"),
        ("warning", {"server": "gone", "server_since": "Monday"}, "of Monday is gone"),
        ("warning", {"server": "rebooted"}, "rebooted"),
        ("warning", {"server": "unrecorded", "server_pid": "7"}, "process 7 serves"),
        ("wrong", {"server": "damaged record", "server_record": "/r/dev1.json"}, "rm /r/dev1.json"),
    ],
    serving.served: [
        {**RUNS, "served_sha256": "AA"},
        ("wrong", {**RUNS, "served_error": "refused"}, "refused"),
        ("wrong", {**RUNS, "served_lost": "its socket was removed"}, "answer: its socket was"),
        ("warning", {**RUNS, "served_sha256": "BB"}, "another certificate"),
    ],
    serving.session: [
        {**RUNS, "session": "there"},
        ("warning", {**RUNS, "session": "lost"}, "start makes it again"),
    ],
    serving.elsewhere: [
        {"elsewhere": "dev2", "profile_dir": "/p"},
        (
            "warning",
            {"elsewhere": "old1", "unresolved": "old1", "profile_dir": "/p"},
            "if old1 is gone for good, forget it; on the node: rm /p/run/old1.json",
        ),
    ],
    serving.port: [
        {"transport": "tcp", "node_port": "8888", "node_port_holder": "free"},
        (
            "wrong",
            {"transport": "tcp", "node_port": "8888", "node_port_holder": "7", "uid": "1"},
            "belongs to uid 7",
        ),
    ],
    jobs.scheduler: [
        {"where": "job", "scheduler_programs": SLURM},
        ("wrong", {"where": "job"}, "is in PATH"),
        ("wrong", {"where": "job", "scheduler_programs": SLURM[:2]}, "nbserver_modules"),
        (
            "wrong",
            {"where": "job", "scheduler_programs": SLURM, "scheduler_named": ["slurm", "sge"]},
            "scheduler 'sge' is not here",
        ),
        (
            "wrong",
            {"where": "job", "scheduler_programs": SLURM, "scheduler_named": "slrm"},
            "did you mean slurm?",
        ),
    ],
    jobs.entrance: [
        SERVES,
        (
            "warning",
            {**SERVES, "job_servers": served(obstacle="ssh c1: denied")},
            "ssh c1: denied",
        ),
    ],
    jobs.login: [
        {**SERVES, "job_host": "c1"},
        (
            "wrong",
            {**SERVES, "job_login_fault": "c1: it refuses you", "job_login_todo": "ask the site"},
            "c1: it refuses you",
        ),
    ],
    jobs.socket: [
        {**SERVES, "job_socket": "there"},
        ("wrong", {**SERVES, "job_socket": "missing"}, "there is no /tmp/nbserver-1001/notebook"),
        ("wrong", {**SERVES, "job_socket": "foreign"}, "is not yours alone"),
    ],
}
# It only tells what is so; nothing is better or worse about it.
ONLY_TELLING = {
    path.round_robin_gateway: {"gateway": "gw", "gateway_addresses": "3"},
    distribution.leases: {"lease": "process 7 of bob (uid 7) runs from a-1"},
    jobs.job: {"job_record": '{"job": "5", "mark": "a"}'},
}


def seen(answers):
    return Seen({n: value if isinstance(value, list) else [value] for n, value in answers.items()})


def name_of(value):
    return value.__name__ if callable(value) else None


@pytest.mark.parametrize("check", CASES, ids=name_of)
def test_a_check_says_when_all_is_well(check):
    assert check(seen(CASES[check][0])).level == "ok"


@pytest.mark.fault(
    "F32 told",
    "F52 stale cache",
    "F63 told",
    "F66 days",
    "doctor: a closed directory of modulefiles",
)
@pytest.mark.parametrize(
    ("check", "level", "answers", "said"),
    [(check, *case) for check, (_well, *cases) in CASES.items() for case in cases],
    ids=name_of,
)
def test_a_check_can_fail_and_says_what_to_type(check, level, answers, said):
    finding = check(seen(answers))
    assert finding.level == level
    assert said in "\n".join(finding.lines())
    assert finding.todo, "a person is left with what to do"


def test_a_shared_login_that_may_lead_elsewhere_is_said_to_be_left_alone():
    finding = computer.control_path(
        seen({"control_path": "/home/a/.ssh/4f3a", "control_path_elsewhere": "yes"})
    )
    assert finding.level == "ok"
    assert "none is used: /home/a/.ssh/4f3a does not tell" in finding.what


def test_an_ssh_that_holds_the_port_is_not_called_more_than_is_known_of_it():
    held = {"local_port": "8888", "local_port_holder": "ssh (pid 7)"}
    finding = computer.local_port(seen(held))
    assert (finding.level, finding.todo) == ("ok", "")
    assert "perhaps" in finding.what
    finding = computer.local_port(seen({**held, "local_port_ansibles": "yes"}))
    assert finding.level == "ok"
    assert "connect takes it back" in finding.what


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "ssh to c1"),
        ({"socket": "/proc/7/root/tmp/n.sock"}, "ssh to c1, through the process of the job"),
        ({"relay": "dev1", "relay_socket": "/tmp/j.sock"}, "the job on c1 leads back to dev1"),
    ],
)
def test_the_way_to_a_job_is_told_as_the_job_has_found_it(changed, said):
    answers = {**SERVES, "job_servers": ["half", served(job="4"), served(**changed)]}
    assert said in jobs.entrance(seen(answers)).what
    assert jobs.reached_by(jobs.serving(seen(answers))) == changed.get(
        "relay_socket", changed.get("socket", SERVER.socket)
    )


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        (SERVES, "5 serves on c1 until 2026-07-18T17:20:00Z"),
        ({"job_record": SERVES["job_record"]}, "5 does not serve"),
        (
            {"job_record": SERVES["job_record"], "job_end": '{"mark": "a", "reason": "x"}'},
            "5 ended: x",
        ),
        ({"job_record": "", "where": "job"}, "none was submitted"),
    ],
)
def test_a_job_is_told_by_what_it_has_left(answers, said):
    assert jobs.job(seen(answers)).what == said


def test_without_a_job_and_without_the_wish_for_one_nothing_is_said_of_jobs():
    answers = {"where": "node", "scheduler_programs": SLURM, "job_record": ""}
    assert [check(seen(answers)) for check in (*jobs.CHECKS, *jobs.CHECKS_THERE)] == [None] * 5


@pytest.mark.parametrize("kind", ["ports", "sockets"])
def test_what_could_not_be_tried_is_not_called_forbidden(kind):
    unknown = {f"forwards_{kind}": "unknown", f"forwards_{kind}_reason": "of this"}
    for transport in ("socket", "tcp"):
        finding = getattr(path, kind)(seen({**unknown, "transport": transport}))
        assert finding.level == "ok"
        assert finding.what == "not looked at, because of this"


@pytest.mark.parametrize("check", CASES, ids=name_of)
def test_what_could_not_be_seen_is_not_judged(check):
    finding = check(seen({}))
    assert finding is None or check is computer.ssh or check is computer.keys


@pytest.mark.parametrize("check", ONLY_TELLING, ids=name_of)
def test_some_only_tell(check):
    assert check(seen(ONLY_TELLING[check])).level == "ok"


def test_there_are_many_checks_and_each_has_its_cases():
    assert len(CHECKS) >= 25
    assert set(CHECKS) == {*CASES, *ONLY_TELLING}


def test_the_report_counts_and_ends_badly_only_when_something_is_wrong():
    good = findings(seen({"ssh": "OpenSSH_9.9", "agent_keys": "1"}))
    assert report(good)[0] == "2 checks: 2 ok, 0 to look at, 0 wrong."
    assert not is_wrong(good)
    warned = findings(seen({"ssh": "OpenSSH_9.9"}))
    assert not is_wrong(warned)
    bad = findings(seen({"ssh": "", "agent_keys": "1"}))
    assert report(bad)[0] == "2 checks: 1 ok, 0 to look at, 1 wrong."
    assert report(bad, "wrong") == [report(bad)[0], "", "This computer:", *bad[0].lines()]
    assert report(good, "wrong") == [report(good)[0]]
    assert is_wrong(bad)


def test_the_report_goes_from_place_to_place_and_names_each_once():
    answers = {name: value for case in CASES.values() for name, value in case[0].items()}
    found = findings(seen(answers))
    headings = [line for line in report(found) if line.endswith(":") and " -> " not in line]
    assert headings == ["This computer:", "The way there:", "The node:", "The compute node:"]
    assert {finding.place for finding in found} == {*PLACES}


def test_every_check_has_one_place():
    assert sorted(map(name_of, CHECKS)) == sorted(map(name_of, {*CHECKS}))


WELL = {"findings": [vars(finding) for finding in findings(seen({"ssh": "OpenSSH_9.9"}))]}
ILL = {"findings": [vars(finding) for finding in findings(seen({"ssh": ""}))], "msg": "It is ill."}


@pytest.mark.parametrize(
    ("answers", "healthy"),
    [
        ({"a": WELL}, True),
        ({"a": WELL, "b": ILL}, False),
        ({"a": WELL, "b": {}}, False),
        ({}, False),
    ],
)
def test_only_what_was_looked_at_and_is_well_is_healthy(answers, healthy):
    made = json.loads(json.dumps(document(answers)))
    assert made["healthy"] is healthy
    assert [host["host"] for host in made["hosts"]] == list(answers)
    for host in made["hosts"]:
        assert sum(host["counts"].values()) == len(host["checks"])


ODD = st.one_of(
    st.text(), st.sampled_from(["inf", "nan", "-1", "²", "argon2id m=x t=", "argon2id"])
)


@given(st.dictionaries(st.sampled_from(sorted({n for c in CASES.values() for n in c[0]})), ODD))
def test_no_answer_of_a_node_breaks_a_check(answers):
    for finding in findings(seen(answers)):
        assert finding.level in ("ok", "warning", "wrong")


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("9.2p1", (9, 2)), ("4.4.8", (4, 4, 8)), ("2.21.0rc1", (2, 21, 0)), ("", ())],
)
def test_versions_are_compared_by_their_numbers(text, numbers):
    assert version(text) == numbers


LOOK = sent_program.program(inside.__name__)


def look(directory):
    """Run the program for the node here, on a profile that does not even exist."""
    command = [sys.executable, "-I", "-c", LOOK, str(directory), "/dev/null", "", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return [line.partition("=")[::2] for line in done.stdout.splitlines()]


def test_the_program_for_the_node_survives_a_profile_that_is_not_there(tmp_path):
    answers = dict(look(tmp_path / "none"))
    assert answers["server"] == "none"
    assert answers["config"].startswith("cannot be read")
    assert answers["node_port_holder"] == "free"


@pytest.mark.parametrize("memory", [7167, 7168, 9216, 12288, 19456, 47104, 1048576, 1048577])
@pytest.mark.parametrize("passes", [1, 2, 3, 4, 5, 64, 65])
def test_doctor_and_setup_agree_about_a_hash(memory, passes):
    salt_and_hash = "c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
    stored = f"argon2:$argon2id$v=19$m={memory},t={passes},p=1${salt_and_hash}"
    reason = RULES["password_hash"](stored)
    said = serving.password(Seen({"password": [f"argon2id m={memory} t={passes} p=1"]}))
    assert (said.level == "ok") == (reason is None)
    assert (reason or "") in said.what


def test_the_program_for_the_node_never_prints_a_hash(tmp_path):
    stored = "argon2:$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHQ$aGFzaGhhc2g"
    (tmp_path / "jupyter_server_config.py").write_text("c = 1\n")
    settings = {"IdentityProvider": {"hashed_password": stored}}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(settings))
    answers = dict(look(tmp_path))
    assert answers["password"] == "argon2id m=65536 t=3 p=4"
    assert not re.search("c2FsdHNhbHQ|aGFzaGhhc2g", str(answers))


@pytest.mark.parametrize(
    ("shell", "file"),
    [
        ("bash", "in ~/.bashrc: begin it with"),
        ("tcsh", "in ~/.tcshrc or, without that, ~/.cshrc: end it"),
        ("csh", "in ~/.cshrc: end it"),
        ("zsh", "in ~/.zshenv: move it to ~/.zshrc"),
        ("fish", "in ~/.config/fish/config.fish: put it between"),
        ("ksh", "in the login files of your shell: "),
        ("", "in the login files of your shell: "),
    ],
)
def test_the_file_that_is_named_is_that_of_the_persons_shell(shell, file):
    for check, seen in ((path.noise, {"noise": ["2"]}), (path.pace, {"shell_seconds": ["9"]})):
        found = check(Seen({**seen, "shell": [shell]}))
        assert found.todo.startswith(file)


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("bash", "case $- in *i*) ;; *) return ;; esac\n{noise}"),
        ("tcsh", "if (! $?prompt) exit\n{noise}"),
        ("fish", "if status is-interactive\n{noise}\nend"),
    ],
)
def test_what_is_advised_keeps_the_shell_silent_for_commands(tmp_path, shell, words):
    env = log_in_with(tmp_path, shell)
    greet(tmp_path, shell)
    file = tmp_path / RC_FILES[shell]
    command = [env["ANSIBLE_SSH_EXECUTABLE"], "sh -s"]
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"]}

    def said():
        return subprocess.run(
            command, env=environment, input="echo it runs", capture_output=True, text=True,
            check=True,
        ).stdout  # fmt: skip

    assert "Welcome" in said()
    file.write_text(words.format(noise=file.read_text()))
    assert said() == "it runs\n"


def test_a_base_that_belongs_to_somebody_else_is_said_to_be_read_only():
    seen = {"installation": ["complete"], "generation": ["g"], "prefix": ["/p"]}
    told = distribution.installation(Seen({**seen, "base_owner": ["grace"]}))
    assert told is not None
    assert "belongs to grace and is read-only to you: `conda create -n NAME`" in told.what
    assert "read-only" not in distribution.installation(Seen(seen)).what
