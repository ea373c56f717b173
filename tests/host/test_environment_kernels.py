"""Environments of the person's own that have ipykernel are kernels: found without running them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import ipykernel
import pytest
import servers
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import environment_kernels
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.environment_kernels import (
    Look,
    environments,
    spec,
    titles,
)
from servers import Account, refusal
from test_notebook_server import tcp_listeners


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home with an installation of ours and no environment."""
    monkeypatch.setenv("HOME", str(tmp_path))
    store = tmp_path / "anaconda.d"
    (store / "one").mkdir(parents=True)
    (store / ".hpcc-notebook-store").touch()
    tmp_path.chmod(0o755)
    return tmp_path


def make(path: Path, version: str = "3.13", ipykernel: str = "6.29.5", **kind: bool) -> Path:
    """What stands in an environment, as far as anybody looks at it without running it."""
    python = path / "bin" / f"python{version}"
    python.parent.mkdir(parents=True)
    python.write_text(f"#!/bin/sh\ntouch {path}/was-run\n")
    python.chmod(0o755)
    (path / "bin" / "python").symlink_to(python.name)
    packages = path / "lib" / f"python{version}" / "site-packages"
    packages.mkdir(parents=True)
    if ipykernel:
        (packages / "ipykernel").mkdir()
        (packages / f"ipykernel-{ipykernel}.dist-info").mkdir()
    if kind.get("conda", True):
        (path / "conda-meta").mkdir()
    return path


def found(home: Path) -> tuple[list[str], list[str]]:
    """The titles that the launcher shows, and why others are not there."""
    said: list[str] = []
    shown = titles(environments(str(home / "anaconda.d" / "one"), said.append))
    assert not list(home.rglob("was-run")), "nothing is run to find out"
    return sorted(shown.values()), said


def test_environments_are_found_where_conda_makes_them_and_where_it_noted_them(home):
    make(home / "anaconda.d/envs/mine")
    make(home / ".conda/envs/other", version="3.9")
    elsewhere = make(home / "work/here", version="3.14t")
    project = make(home / "thesis/.venv", conda=False)
    generation = make(home / "anaconda.d/two")
    lines = [elsewhere, project, generation, home / "gone", home / "anaconda.d/envs/mine"]
    (home / ".conda/environments.txt").write_text("".join(f"{line}\n" for line in lines))
    assert found(home) == (
        [
            "Python 3.13 (mine)",
            "Python 3.13 (thesis/.venv)",
            "Python 3.14t (here)",
            "Python 3.9 (other)",
        ],
        [],
    )


def test_two_of_one_name_are_told_apart_and_keep_their_kernels(home):
    first = make(home / "anaconda.d/envs/mine")
    (alone,) = environments(str(home / "anaconda.d/one"), print)
    make(home / ".conda/envs/mine")
    both = environments(str(home / "anaconda.d/one"), print)
    assert set(titles(both).values()) == {
        "Python 3.13 (~/.conda/envs/mine)",
        "Python 3.13 (~/anaconda.d/envs/mine)",
    }
    assert len(titles(both)) == 2
    assert alone.kernel in [each.kernel for each in both if each.path == str(first)]


def without_python(path):
    (path / "bin/python3.13").unlink()


def without_ipykernel(path):
    shutil.rmtree(path / "lib/python3.13/site-packages/ipykernel")


def with_an_old_ipykernel(path):
    packages = path / "lib/python3.13/site-packages"
    (packages / "ipykernel-6.29.5.dist-info").rename(packages / "ipykernel-5.5.6.dist-info")


def with_a_python_that_cannot_be_run(path):
    (path / "bin/python3.13").chmod(0o644)


def with_links_in_a_circle(path):
    (path / "bin/python3.13").unlink()
    (path / "bin/python3.13").symlink_to("python")


def that_others_can_write_to(path):
    (path / "bin").chmod(0o777)


def with_packages_that_a_shared_group_can_write_to(path):
    packages = path / "lib/python3.13/site-packages"
    os.chown(packages, -1, 100) if os.geteuid() == 0 else pytest.skip("not root")
    packages.chmod(0o775)


def with_a_python_of_somebody_else(path):
    os.chown(path / "bin/python3.13", 4242, -1) if os.geteuid() == 0 else pytest.skip("not root")


def behind_a_link_of_somebody_else(path):
    if os.geteuid() != 0:
        pytest.skip("not root")
    path.rename(path.parent.parent / "real")
    path.symlink_to("../real")
    os.chown(path, 4242, -1, follow_symlinks=False)


def that_is_a_file(path):
    shutil.rmtree(path)
    path.touch()


@pytest.mark.parametrize(
    "damage",
    [
        without_python,
        without_ipykernel,
        with_an_old_ipykernel,
        with_a_python_that_cannot_be_run,
        with_links_in_a_circle,
        that_others_can_write_to,
        with_packages_that_a_shared_group_can_write_to,
        with_a_python_of_somebody_else,
        behind_a_link_of_somebody_else,
        that_is_a_file,
    ],
)
def test_an_environment_is_not_shown_and_hides_no_other(home, damage):
    make(home / "anaconda.d/envs/good")
    bad = make(home / "anaconda.d/envs/bad")
    damage(bad)
    shown, said = found(home)
    assert shown == ["Python 3.13 (good)"]
    (why,) = said
    assert "envs/bad" in why


NAMES = [
    "a b",
    "{connection_file}",
    "$HOME",
    "x\ny",
    "\u202egnp",
    "<a b=c d=e>",
    "'\"`;id",
]


def test_a_name_can_be_anything_and_does_nothing(home):
    for name in (*NAMES, "ä" * 100):
        make(home / "anaconda.d/envs" / name)
    make(home / "anaconda.d/envs/x").rename(home / "anaconda.d/envs/\udcff")  # no UTF-8
    shown, said = found(home)
    assert len(said) == 5, "what Jupyter would replace, or nobody could print"
    assert all(words.isprintable() and words.isascii() for words in said)
    assert "Python 3.13 (a b)" in shown
    assert "Python 3.13 (?a b?c d?e?)" in shown
    assert not re.search(r"[<>&\"'`$;{}]", "".join(shown))
    assert max(map(len, shown)) < 80


def test_every_kernel_has_a_name_that_jupyter_takes(home):
    for name in NAMES:
        make(home / "anaconda.d/envs" / name)
    kernels = [each.kernel for each in environments(str(home / "anaconda.d/one"), len)]
    assert len(kernels) == 3
    assert all(re.fullmatch(r"environment-[a-z0-9-]+", kernel) for kernel in kernels)


def test_twenty_environments_are_found_in_no_time(home):
    for number in range(20):
        packages = make(home / f"anaconda.d/envs/e{number}") / "lib/python3.13/site-packages"
        for each in range(300):
            (packages / f"package{each}").mkdir()
    times = []
    for _each in range(5):
        began = time.thread_time()  # whatever else the machine does
        assert len(environments(str(home / "anaconda.d" / "one"), print)) == 20
        times.append(time.thread_time() - began)
    assert min(times) < 0.1, times


def test_a_file_system_that_hangs_stops_nobody(home, monkeypatch):
    look = Look(print)
    make(home / ".conda/envs/mine")
    assert [each.name for each in look.now()] == ["mine"]
    monkeypatch.setattr(environment_kernels, "environments", lambda *_each: time.sleep(3))
    monkeypatch.setattr(environment_kernels, "WITHIN", 0.1)
    began = time.monotonic()
    assert [each.name for each in look.now()] == ["mine"], "what there was"
    assert [each.name for each in look.now()] == ["mine"]
    assert time.monotonic() - began < 2.5
    look.thread.join()


def test_a_reason_is_said_once(home):
    make(home / ".conda/envs/mine", ipykernel="")
    said: list[str] = []
    look = Look(said.append)
    assert (look.now(), look.now()) == ([], [])
    assert len(said) == 1


def test_the_kernel_is_ours_and_tells_what_it_runs_what_it_belongs_to(home):
    make(home / ".conda/envs/mine")
    make(home / ".conda/envs/venv-like", conda=False)
    for one in environments(str(home / "anaconda.d/one"), print):
        made = spec(one, "title", "/p/launch.py", "nbserver")
        assert made["argv"][:2] == [f"{one.path}/bin/python", "/p/launch.py"]
        assert made["argv"][-1] == "--profile=nbserver"
        assert made["metadata"]["debugger"] is False
        kind = "CONDA_PREFIX" if one.name == "mine" else "VIRTUAL_ENV"
        assert made["env"].items() >= {kind: one.path, "PATH": f"{one.path}/bin:${{PATH}}"}.items()


# With a real server.

COMPUTE = """
import sys
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels()
client.wait_for_ready(timeout=60)
wanted = {name: name for name in ("__import__('sys').prefix", "__import__('os').getpid()",
    "__import__('shutil').which('python')", "get_ipython().profile")}
said = client.execute("x = 1", user_expressions=wanted, reply=True, timeout=60)
for value in said["content"]["user_expressions"].values():
    print(eval(value["data"]["text/plain"]))
"""


def set_up(owner: Account) -> None:
    """The profile as setup makes it."""
    (owner.directory / profile.SERVER_CONFIG).unlink()
    token = owner.security / "token"
    asked = {"module": "ipython_profile", "name": owner.profile, "check": False}
    said = owner.run(owner.python, "-c", servers.RUNNER, stdin=json.dumps(asked))
    assert json.loads(said.splitlines()[-1])["changed"], said
    owner.write(token, servers.TOKEN)


def real_environment(owner: Account, name: str) -> Path:
    """A virtual environment of the account in which ipykernel is installed."""
    path = owner.home / ".conda" / "envs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    base = os.path.realpath(owner.python)
    subprocess.run([base, "-m", "venv", "--without-pip", path], check=True)
    (packages,) = path.glob("lib/python3*/site-packages")
    installed = Path(ipykernel.__file__).parents[1]
    (packages / "others.pth").write_text(f"{installed}\n")
    for part in (installed / "ipykernel", *installed.glob("ipykernel-*.dist-info")):
        (packages / part.name).symlink_to(part)
    for each in (owner.home / ".conda", *(owner.home / ".conda").rglob("*")):
        os.chown(each, owner.uid, -1, follow_symlinks=False)
    return path


KNOWN = ["-H", f"Authorization: token {servers.TOKEN}"]


def listed(owner: Account) -> dict[str, str]:
    """What the launcher would show: title → kernel."""
    specs = json.loads(owner.curl("/api/kernelspecs", *KNOWN))["kernelspecs"]
    return {each["spec"]["display_name"]: name for name, each in specs.items()}


def computed(owner: Account, kernel: str) -> list[str]:
    """Start a kernel, and what it says about itself."""
    body = json.dumps({"name": kernel})
    made = json.loads(owner.curl("/api/kernels", *KNOWN, "-d", body))
    connection = owner.local / "runtime" / f"kernel-{made['id']}.json"
    assert json.loads(connection.read_text())["transport"] == "ipc"
    return owner.run(owner.python, "-c", COMPUTE, str(connection)).splitlines()


@pytest.mark.timeout(300)
def test_a_kernel_of_an_environment_computes_in_it_behind_no_port_and_goes_with_it(owner):
    set_up(owner)
    first, second = (real_environment(owner, name) for name in ("first", "second"))
    version = f"Python {sys.version_info.major}.{sys.version_info.minor}"
    started = owner.server(kernels_from_environments=True)
    found = listed(owner)
    assert set(found) == {profile.OWN_KERNEL, f"{version} (first)", f"{version} (second)"}

    prefix, pid, python, name = computed(owner, found[f"{version} (first)"])
    assert (prefix, python, name) == (str(first), f"{first}/bin/python", owner.profile)
    for each in (int(pid), started["pid"]):
        assert tcp_listeners(each) == []

    shutil.rmtree(second)
    assert set(listed(owner)) == {profile.OWN_KERNEL, f"{version} (first)"}
    gone = json.dumps({"name": found[f"{version} (second)"]})
    status = owner.curl("/api/kernels", *KNOWN, "-d", gone, "-o", "/dev/null", "-w", "%{http_code}")
    assert status != "201"
    third = real_environment(owner, "third")
    assert f"{version} (third)" in listed(owner), "without a restart"
    without_ipykernel_of(third)
    assert f"{version} (third)" not in listed(owner)

    again = owner.server(state="restarted", kernels_from_environments=True)
    assert (again["changed"], f"{version} (first)" in listed(owner)) == (True, True)
    assert owner.server(kernels_from_environments=True)["changed"] is False
    said = json.dumps(owner.server())
    assert "restart it to have JupyterLab over a socket" in said


def without_ipykernel_of(path: Path) -> None:
    (link,) = path.glob("lib/python3*/site-packages/ipykernel")
    link.unlink()


@pytest.mark.timeout(300)
@pytest.mark.parametrize("frontend", ["notebook", "nbclassic"])
def test_the_other_front_ends_show_them_too(owner, frontend):
    set_up(owner)
    real_environment(owner, "mine")
    owner.server(frontend=frontend, kernels_from_environments=True)
    assert [title for title in listed(owner) if title.endswith("(mine)")]


@pytest.mark.timeout(300)
def test_nothing_is_shown_unless_it_was_asked_for(owner):
    set_up(owner)
    real_environment(owner, "mine")
    owner.server()
    assert list(listed(owner)) == [profile.OWN_KERNEL]


def test_a_profile_of_an_older_version_is_refused_by_name(owner):
    said = refusal(owner, kernels_from_environments=True)
    assert f"{profile.ENVIRONMENT_KERNELS}: " in said
    assert "Run setup.yml" in said
