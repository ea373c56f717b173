"""Each damage of an account is named by the doctor, by the thing that has to be put right."""

import fcntl
import json
import os
import secrets
import shutil
import socket
from dataclasses import replace
from pathlib import Path

import file_systems
import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import RESTART
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
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import lost_files
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node import sent_program
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS, question
from typed import commands

HOST = socket.gethostname().split(".")[0]
NEIGHBOUR = 64901
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed"),
]


def look(owner, *behind, prefix="~/none", **exported):
    """What is found in an account, by the two programs that the doctor sends."""
    settings = {"PREFIX": prefix, "PROFILE": owner.profile, "MODULE": "m", "PORT": 1,
                "ASKED": "localhost", "LOOK": "", "NAMES": "jupyterlab",
                "LOST_FILES": Path(lost_files.__file__).read_text(),
                "KERNEL": Path(kernel_trial.__file__).read_text(), "KERNEL_WITHIN": 60,
                "OPTIONS": Path(option_trial.__file__).read_text(),
                "QUESTIONS": "", "OWNER": "", "MODULES": "~/m"}  # fmt: skip
    server = SCRIPTS / "shared" / "server.sh"
    put = question(settings, server, SCRIPTS / "doctor" / "look.sh")
    plain = owner.command
    owner.command = lambda *argv, **env: [*behind, *plain(*argv, **env, **exported)]
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


@pytest.mark.fault("doctor: a foreign tmux", "doctor: a directory for the lock", "doctor: a FIFO")
@pytest.mark.parametrize(("damage", "subject", "said"), DAMAGES.values(), ids=DAMAGES)
def test_the_doctor_names_a_damage(owner, damage, subject, said):
    assert look(owner)[subject].level == "ok" or subject == "password"
    damage(owner)
    finding = look(owner)[subject]
    assert finding.level in ("wrong", "warning")
    assert said in finding.what + finding.todo
    assert finding.todo


@pytest.mark.parametrize("made", [0o700, 0o1700, 0o2700])
def test_a_runtime_directory_as_jupyter_leaves_it_is_no_damage(owner, made):
    below_local("runtime", "directory", made)(owner)
    finding = look(owner)["node-local directory"]
    assert finding.level == "ok", finding


def test_what_jupyterlab_keeps_in_the_profile_is_no_damage(owner):
    workspace = owner.directory / "lab/workspaces/default-37a8.jupyterlab-workspace"
    workspace.parent.mkdir(parents=True)
    owner.write(workspace, "{}", 0o644)
    finding = look(owner)["files of the profile"]
    assert finding.level == "ok", finding


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


@pytest.mark.fault("a doctor without a kernel", "doctor: a Python without a kernel")
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


def store(owner):
    """Beside the prefix, what its installation keeps."""
    installed(owner)
    place = owner.home / "anaconda.d/markers"
    place.mkdir(parents=True, mode=0o755)
    for path in (place, place.parent):
        own(path, owner.uid)
    return place.parent


def held_lock(owner):
    (store(owner) / "lock").symlink_to("pid=7 host=another run=x")


def cut_off_change(owner):
    (store(owner) / "markers/.changing-").touch()


def purged(owner):
    """A package whose files a purge has taken, but not its metadata."""
    installed(owner)
    info = owner.home / "anaconda/lib/python3.13/site-packages/jupyterlab-4.6.dist-info"
    info.mkdir(parents=True)
    owner.write(info / "INSTALLER", "pip\n")
    owner.write(info / "METADATA", "Name: jupyterlab\n\ntext")
    owner.write(info / "RECORD", "jupyterlab/__init__.py,sha256=x,1\n")
    for path in [owner.home / "anaconda/lib", *(owner.home / "anaconda/lib").rglob("*")]:
        own(path, owner.uid)


def gone_node(owner):
    record(owner, boot_id="another")
    run = owner.directory / "run"
    (run / f"{HOST}.json").rename(run / "node-that-is-gone.json")


# Damage of what lies around the profile → the line that names it, and what stands there.
AROUND = {
    "a lock that another node holds": (held_lock, "installing", "rm ~/anaconda.d/lock"),
    "a change that was cut off": (cut_off_change, "installing", "was cut off"),
    "files that a purge has taken": (purged, "files", "1 of jupyterlab (such as"),
    "a node that is gone": (gone_node, "other nodes", "node-that-is-gone.json"),
}


@pytest.mark.fault(
    "doctor: a change that is cut off", "doctor: lost files", "doctor: two nodes at once"
)
@pytest.mark.parametrize(("damage", "subject", "said"), AROUND.values(), ids=list(AROUND))
def test_the_doctor_names_what_is_damaged_around_the_profile(owner, damage, subject, said):
    damage(owner)
    finding = look(owner, prefix="~/anaconda")[subject]
    assert finding.level in ("wrong", "warning")
    assert said in finding.what + finding.todo.replace(str(owner.home), "~")


@pytest.mark.fault("doctor: a node that is gone")
def test_a_node_that_is_gone_is_forgotten_by_what_the_doctor_says(owner):
    gone_node(owner)
    before = owner.tree()
    (typed,) = commands(look(owner)["other nodes"].todo)
    assert owner.tree() == before, "nobody is judged from afar"
    owner.run("sh", "-c", typed)
    assert "other nodes" not in look(owner)


@pytest.mark.fault("doctor: a swept socket")
def test_a_socket_that_was_swept_under_a_living_server_is_named_with_what_brings_it_back(owner):
    owner.server()
    assert look(owner)["answer"].level == "ok"
    (owner.local / "notebook.sock").unlink()
    found = look(owner)
    assert found["server"].level == "ok", "it lives"
    assert (found["answer"].level, found["answer"].what) == ("wrong", "its socket was removed")
    assert commands(found["answer"].todo) == [RESTART]
    owner.server(state="restarted")
    assert look(owner)["answer"].level == "ok"


def test_a_directory_that_was_swept_under_a_living_server_is_not_called_new(owner):
    owner.server()
    shutil.rmtree(owner.local)
    found = look(owner)
    assert (found["answer"].level, found["answer"].what) == ("wrong", "its socket was removed")
    assert found["node-local directory"].level == "wrong"
    assert "was removed under the running server" in found["node-local directory"].what


@pytest.mark.fault("doctor: no locks")
def test_a_file_system_without_locks_is_named(owner):
    below_local("lock", "file", 0o600)(owner)
    inject = "inject=flock:error=ENOLCK"
    found = look(owner, "strace", "-qq", "-f", "-o", "/dev/null", "-e", "trace=flock", "-e", inject)
    finding = found["node-local directory"]
    assert (finding.level, finding.what.rpartition(": ")[2]) == ("wrong", "No locks available")


def test_a_lock_that_a_start_holds_is_no_fault(owner):
    below_local("lock", "file", 0o600)(owner)
    with (owner.local / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert look(owner)["node-local directory"].level == "ok"


@pytest.mark.fault("doctor: quotes in a home")
@pytest.mark.parametrize("name", ["it's", 'a "b"', "a b", "a$b", "ä"])
def test_a_home_with_odd_letters_is_looked_at_as_any_other(owner, name):
    record(owner)
    usual = [line for each in look(owner).values() for line in each.lines()]
    before, owner.home = owner.home, owner.home.with_name(f"{owner.home.name} {name}")
    before.rename(owner.home)
    try:
        found = [each for finding in look(owner).values() for each in finding.lines()[:1]]
        told = [line.replace(str(owner.home), str(before)) for line in found]
        assert told == [line for line in usual if "-> " not in line]
    finally:
        owner.home.rename(before)
        owner.home = before


@pytest.mark.fault("doctor: variables of another Python")
@pytest.mark.parametrize("name", ["PYTHONHOME", "PYTHONPATH"])
def test_what_a_login_file_exports_for_another_python_costs_no_kernel(owner, name):
    installed(owner)
    kernelspec("")(owner)
    wrong = owner.home / "python2"
    wrong.mkdir(mode=0o755)
    owner.write(wrong / "enum.py", "raise SystemExit('of another Python')\n", 0o644)
    own(wrong, owner.uid)
    finding = look(owner, prefix="~/anaconda", **{name: str(wrong)})["kernel"]
    assert (finding.level, finding.what) == ("ok", "computed 1 + 1")


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


@pytest.mark.fault("doctor: an option that Jupyter does not take")
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


@pytest.mark.fault("doctor: a closed directory of notebooks")
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
