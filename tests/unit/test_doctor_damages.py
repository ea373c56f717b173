"""Each damage of an account is named by the doctor, by the thing that has to be put right."""

import json
import os
import secrets
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import file_systems
import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor import inside
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.checks import findings
from ansible_collections.hpcc.notebook.plugins.module_utils._doctor.findings import Seen
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    kernel_trial,
    option_trial,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import KERNEL_SPEC
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record, serialise
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import sent_program
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS, question

HOST = socket.gethostname().split(".")[0]
NEIGHBOUR = 64901
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed"),
]


def look(owner, *behind, prefix="~/none"):
    """What is found in an account, by the two programs that the doctor sends."""
    settings = {"PREFIX": prefix, "PROFILE": owner.profile, "MODULE": "m", "PORT": 1,
                "ASKED": "localhost", "LOOK": "", "LOST_FILES": "", "NAMES": "",
                "KERNEL": Path(kernel_trial.__file__).read_text(), "KERNEL_WITHIN": 60,
                "OPTIONS": Path(option_trial.__file__).read_text(),
                "QUESTIONS": "", "OWNER": "", "MODULES": "~/m"}  # fmt: skip
    server = SCRIPTS / "shared" / "server.sh"
    put = question(settings, server, SCRIPTS / "doctor" / "look.sh")
    plain = owner.command
    owner.command = lambda *argv, **env: [*behind, *plain(*argv, **env)]
    seen = put.answers(owner.run("sh", "-s", stdin=put.program))
    script = f'. {server}; find_record "$1/run" {HOST}; find_server "$1/security/notebook.crt"'
    script += '; exec "$2" -I -c "$3" "$1" "$RECORD" "$SERVER" 1'
    words = [str(owner.directory), owner.python, sent_program.program(inside.__name__)]
    for line in owner.run("sh", "-c", script, "sh", *words).splitlines():
        name, _equals, value = line.partition("=")
        seen.setdefault(name, []).append(value)
    owner.command = plain
    return {finding.subject: finding for finding in findings(Seen(seen))}


def own(path, uid):
    os.chown(path, uid, uid, follow_symlinks=False)


def replaced(name, make):
    def damage(owner):
        path = owner.directory / name
        if path.is_dir():
            shutil.rmtree(path)
        path.unlink(missing_ok=True)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        make(path)
        own(path, owner.uid)
        own(path.parent, owner.uid)

    return damage


def fifo(name):
    return replaced(name, lambda path: os.mkfifo(path, 0o600))


def directory(name):
    return replaced(name, lambda path: path.mkdir(mode=0o700))


def text(name, content):
    return lambda owner: owner.write(owner.directory / name, content)


def mode(name, bits):
    return lambda owner: (owner.directory / name).chmod(bits)


def lost(name):
    return lambda owner: (owner.directory / name).unlink()


def local(make):
    def damage(owner):
        owner.local.mkdir(mode=0o700)
        own(owner.local, owner.uid)
        make(owner)

    return damage


def below_local(name, kind, bits=0o700, uid=None):
    def make(owner):
        path = owner.local / name
        path.mkdir() if kind == "directory" else path.touch()
        path.chmod(bits)
        own(path, owner.uid if uid is None else uid)

    return local(make)


def other_key(owner):
    kept = (owner.security / "notebook.key").read_bytes()
    owner.make_certificate()
    owner.write(owner.security / "notebook.key", kept)


def record(owner, **changed):
    (owner.directory / "run").mkdir(mode=0o700)
    own(owner.directory / "run", owner.uid)
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    noted = Record(
        host=HOST, boot_id=boot, pid=4194303, start_time=1, since="Monday", session="s",
        frontend="lab", version="JupyterLab 4.6.6", transport="socket", port=0, socket="/tmp/none",
        certificate_sha256="AA",
    )  # fmt: skip
    content = serialise(replace(noted, **changed))
    owner.write(owner.directory / "run" / f"{HOST}.json", content)


def hashed(value):
    return json.dumps({"PasswordIdentityProvider": {"hashed_password": value}})


CERTIFICATE, KEY = "security/notebook.crt", "security/notebook.key"
CONFIG, DATA = "jupyter_server_config.py", "jupyter_server_config.json"
# Damage → the line that names it, and what stands there.
DAMAGES = {
    "a FIFO for the certificate": (fifo(CERTIFICATE), "kinds of files", "notebook.crt is no"),
    "a FIFO for the key": (fifo(KEY), "certificate", "notebook.key is not a regular file"),
    "a FIFO for the configuration": (fifo(CONFIG), "server configuration", "not a regular file"),
    "a FIFO for the record": (fifo(f"run/{HOST}.json"), "kinds of files", f"{HOST}.json is no"),
    "a directory for the record": (directory(f"run/{HOST}.json"), "kinds of files", "is no regul"),
    "a directory for the key": (directory(KEY), "kinds of files", "notebook.key is no regular"),
    "a device for the token": (
        replaced("security/token", lambda path: os.mknod(path, 0o600 | 0o020000, os.makedev(1, 3))),
        "kinds of files", "token is no regular file",
    ),
    "a key of another certificate": (other_key, "key", "MISMATCH"),
    "a certificate cut in two": (text(CERTIFICATE, "-----BEGIN CERT"), "certificate", "cannot be"),
    "an expired certificate": (
        lambda owner: owner.make_certificate(days=(-9, -4)), "certificate", "days ago",
    ),
    "a configuration cut in two": (text(CONFIG, "c = (("), "server configuration", "closed"),
    "a password file cut in two": (text(DATA, '{"Passw'), "server configuration", "cannot be read"),
    "a lost password file": (lost(DATA), "server configuration", "No such file"),
    "no password": (text(DATA, "{}"), "password", "none is set"),
    "an old hash": (text(DATA, hashed("sha1:0:1")), "password", "weak: sha1"),
    "a lost token": (lost("security/token"), "token", "there is none"),
    "a token cut in two": (text("security/token", "cut"), "token", "is cut off"),
    "an open profile": (mode(".", 0o755), "profile", "others can enter"),
    "an open key": (mode(KEY, 0o644), "files of the profile", "others can read"),
    "a profile of somebody else": (
        lambda owner: (owner.directory.chmod(0o755), own(owner.directory, NEIGHBOUR)),
        "profile", "belongs to somebody else",
    ),
    "a security directory that cannot be entered": (
        mode("security", 0o600), "writing to the profile", "you cannot write to",
    ),
    "a profile that cannot be written to": (mode(".", 0o500), "writing to the profile", "chmod"),
    "a record that is none": (lambda owner: record(owner, pid="x"), "server", "cannot be"),
    "a server that is gone": (record, "server", "of Monday is gone"),
    "a reboot": (lambda owner: record(owner, boot_id="another"), "server", "rebooted"),
    "an open local directory": (
        local(lambda owner: owner.local.chmod(0o755)), "node-local directory", "others can enter",
    ),
    "a local directory of a neighbour": (
        local(lambda owner: own(owner.local, NEIGHBOUR)), "node-local directory", "somebody else",
    ),
    "what a neighbour left in it": (
        below_local("tmux.sock", "file", uid=NEIGHBOUR), "node-local directory", "holds what",
    ),
    "an open runtime directory": (
        below_local("runtime", "directory", 0o777), "node-local directory", "no kernel is started",
    ),
    "a directory for the lock": (
        below_local("lock", "directory"), "node-local directory", "lock is no file",
    ),
}  # fmt: skip


@pytest.fixture
def owner(owner):
    yield owner
    own(owner.directory, owner.uid)
    owner.directory.chmod(0o700)


def test_there_are_more_than_twenty_and_an_account_without_damage_has_nothing_wrong(owner):
    assert len(DAMAGES) >= 20
    wrong = {name: each for name, each in look(owner).items() if each.level == "wrong"}
    elsewhere = {"installation", "front ends", "tmux", "safety of /tmp", "ssh"}
    assert set(wrong) <= {*elsewhere, "password"}


@pytest.mark.parametrize(("damage", "subject", "said"), DAMAGES.values(), ids=DAMAGES)
def test_the_doctor_names_a_damage(owner, damage, subject, said):
    assert look(owner)[subject].level == "ok" or subject == "password"
    damage(owner)
    finding = look(owner)[subject]
    assert finding.level in ("wrong", "warning")
    assert said in finding.what + finding.todo
    assert finding.todo


def installed(owner):
    """A prefix with the Python of these tests."""
    python = owner.home / "anaconda/bin/python"
    python.parent.mkdir(parents=True)
    owner.write(python, f'#!/bin/sh\nexec {owner.python} "$@"\n', 0o700)
    for path in (python.parent, python.parents[1]):
        own(path, owner.uid)


def kernelspec(python):
    def write(owner):
        path = owner.directory / KERNEL_SPEC
        path.parent.mkdir(parents=True)
        argv = [python or owner.python, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        asked = {"argv": argv, "display_name": "x", "language": "python"}
        owner.write(path, json.dumps(asked))
        for each in list(path.parents)[:3]:
            own(each, owner.uid)

    return write


KERNELS = {
    "a kernel": (kernelspec(""), "ok", "computed 1 + 1"),
    "no kernel specification": (lambda _owner: None, "wrong", "kernel.json is missing"),
    "a kernel's Python that is gone": (kernelspec("/no/such/python"), "wrong", "No such file"),
    "a kernel's Python without ipykernel": (kernelspec("/usr/bin/python3"), "wrong", "ipykernel"),
    "a kernel that ends at once": (kernelspec("/bin/true"), "wrong", "before it computed"),
    "a kernel specification cut in two": (
        lambda owner: (kernelspec("")(owner), text(KERNEL_SPEC, '{"argv"')(owner)), "wrong", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("damage", "level", "said"), KERNELS.values(), ids=list(KERNELS))
def test_nothing_is_well_where_no_kernel_has_computed(owner, damage, level, said):
    installed(owner)
    damage(owner)
    finding = look(owner, prefix="~/anaconda")["kernel"]
    assert finding.level == level
    assert said in finding.what


def test_a_python_that_says_nothing_is_no_kernel_either(owner):
    installed(owner)
    kernelspec("")(owner)
    owner.write(owner.home / "anaconda/bin/python", "#!/bin/sh\n", 0o700)
    assert "without a word" in look(owner, prefix="~/anaconda")["kernel"].what


# What a person may write, and a start would find out.
WRITTEN = {
    "nothing wrong": ("c.MappingKernelManager.cull_idle_timeout = 9999", "can be read"),
    "a text for a number": ("c.ServerApp.max_body_size = 'abc'", "expected an int"),
    "an option that there is not": (
        "c.MappingKernelManager.cull_idle_timeuot = 1", "did you mean cull_idle_timeout?"
    ),
    "a directory that is missing": (
        "c.ServerApp.preferred_dir = '/no/such'", "No such preferred dir"
    ),
    "a class that is gone": ("c.ServerApp.kernel_manager_class = 'gone.Gone'", "imported"),
    "a program that fails": ("import no_such_module", "no_such_module"),
    "a program that ends": ("raise SystemExit(3)", "without a word"),
}  # fmt: skip


@pytest.mark.parametrize(("line", "said"), WRITTEN.values(), ids=list(WRITTEN))
def test_the_doctor_lets_jupyter_judge_the_configuration(owner, line, said):
    installed(owner)
    owner.write(owner.directory / CONFIG, f"c = get_config()\n{line}\n")
    before = owner.tree()
    finding = look(owner, prefix="~/anaconda")["server configuration"]
    assert said in finding.what
    assert finding.level == ("ok" if said == "can be read" else "wrong")
    assert owner.tree() == before


def rooted(mode):
    """The directory of the notebooks is made, or not, with this mode."""

    def damage(owner):
        root = owner.home / "notebooks"
        if mode is not None:
            root.mkdir()
            own(root, owner.uid)
            root.chmod(mode)
        layout = profile.Layout(str(owner.home), owner.profile)
        owner.write(owner.directory / CONFIG, profile.server_config(layout, "~/notebooks", {}))

    return damage


@pytest.mark.parametrize(("mode", "said"), [(None, "there is no"), (0o300, "you may not list")])
def test_the_doctor_names_a_directory_of_notebooks_that_cannot_be_listed(owner, mode, said):
    rooted(mode)(owner)
    finding = look(owner)["root directory"]
    assert (finding.level, said in finding.what) == ("wrong", True)


def test_the_doctor_names_a_directory_that_is_not_sticky(owner):
    script = 'mount -t tmpfs -o mode=777 none "$1"'
    kept = Path(f"/var/tmp/{secrets.token_hex(4)}")
    shutil.copytree(owner.home, kept, symlinks=True)
    for path in [kept, *kept.rglob("*")]:
        own(path, owner.uid)
    owner.home, before = kept, owner.home
    try:
        with file_systems.mounted(Path("/tmp"), script) as open_to_all:
            owner.python = shutil.which("true")
            found = look(owner, *open_to_all.behind)
    finally:
        owner.home = before
        shutil.rmtree(kept)
    assert "not sticky" in found["safety of /tmp"].what
