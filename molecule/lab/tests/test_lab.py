"""One owner, five members and somebody who is not in the group: the playbook of docs/lab.md."""

import os
import subprocess
from pathlib import Path

import pytest

CHECKOUT = Path(os.environ["MOLECULE_PROJECT_DIRECTORY"])
STATE = Path(os.environ["HPCC_NOTEBOOK_STATE"])
MEMBERS = {"judy": "dev1", "kim": "dev1", "leo": "dev1", "grace": "dev2", "heidi": "dev1"}
SOFTWARE = "/home/lab/software"
PYTHON = f"{SOFTWARE}/anaconda/bin/python"


def typed(user, command, host="dev1"):
    """What somebody types on a node, and what that says."""
    argv = ["ssh", "-F", STATE / "ssh_config", f"{user}@{host}", command]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


def played(playbook, *options):
    """As the scenario itself plays it."""
    inventories = (STATE / "inventory.ini", CHECKOUT / "molecule/lab/lab.ini")
    argv = [CHECKOUT / ".venv/bin/ansible-playbook", playbook, *options]
    for each in inventories:
        argv += ["-i", each]
    argv += ["-e", f"@{CHECKOUT}/molecule/lab/vars.yml"]
    return subprocess.run(argv, capture_output=True, text=True, check=False, cwd=CHECKOUT)


def test_the_store_is_for_the_group_alone_whatever_the_umask(host):
    assert typed("ivan", "umask").stdout != typed("judy", "umask").stdout, "it is another one"
    store = host.file(f"{SOFTWARE}/anaconda.d")
    assert (store.user, store.group, store.mode & 0o777) == ("ivan", "lab", 0o750)
    open_to_others = f"find {SOFTWARE}/ ! -type l -perm /022"
    assert host.check_output(open_to_others) == ""
    closed = f"find {SOFTWARE}/anaconda.d/*-* -maxdepth 3 ! -perm -o=r"
    assert host.check_output(closed) == ""


@pytest.mark.parametrize("member", MEMBERS)
def test_a_member_has_a_profile_and_no_byte_of_the_installation(member):
    code = "import jupyterlab, hpcc_notebook_lease as own; print(own.LEASE >= 0)"
    assert typed(member, f"{PYTHON} -c '{code}'", MEMBERS[member]).stdout == "True\n"
    assert typed(member, "cat .ipython/profile_nbserver/jupyter_server_config.json").stdout
    assert int(typed(member, "du -sk . | cut -f1").stdout) < 1024
    assert int(typed(member, "find . | wc -l").stdout) < 100
    assert typed(member, "ls -d anaconda anaconda.d modulefiles").stdout == ""


def test_the_module_is_for_all():
    loads = f"module use {SOFTWARE}/modulefiles; module load anaconda; command -v python"
    assert typed("judy", f"bash -lc '{loads}'").stdout == f"{PYTHON}\n"


def test_the_work_of_a_member_goes_to_her_own_home_and_the_base_is_said_to_be_read_only():
    conda = f"{SOFTWARE}/anaconda/bin/conda"
    refused = typed("kim", f"{conda} install -y letter")
    assert refused.returncode != 0
    said = " ".join(played(CHECKOUT / "playbooks/doctor.yml", "--limit", "kim").stdout.split())
    assert "it belongs to ivan and is read-only to you: `conda create -n NAME` and" in said
    made = typed(
        "kim",
        f"{PYTHON} -m venv --without-pip own && own/bin/python -c 'import sys; print(sys.prefix)'",
    )
    assert made.stdout == "/home/kim/own\n"


def test_members_on_two_nodes_serve_from_there():
    started = played(CHECKOUT / "playbooks/start.yml", "--limit", "judy,grace")
    assert started.returncode == 0, started.stdout
    assert started.stdout.count("is running") == 2, started.stdout
    found = typed("grace", "cat .ipython/profile_nbserver/run/dev2.json").stdout
    assert f'"prefix": "{SOFTWARE}/anaconda.d/' in found
    stopped = played(CHECKOUT / "playbooks/stop.yml", "--limit", "judy,grace")
    assert stopped.returncode == 0, stopped.stdout


def test_who_is_not_in_the_group_is_told_so_and_nothing_is_made():
    strange = typed("frank", "find . | sort").stdout
    for playbook in ("setup", "start"):
        told = played(CHECKOUT / f"playbooks/{playbook}.yml", "--limit", "frank")
        words = " ".join((told.stdout + told.stderr).split())
        assert told.returncode != 0, playbook
        assert f"{SOFTWARE}/anaconda.d is closed to frank: it belongs to ivan, group lab" in words
        assert "Ask its owner to let you in" in words
    assert typed("frank", "find . -not -path './.ansible*' | sort").stdout == strange


def test_the_members_cannot_change_it(host):
    tried = typed("leo", f"touch {SOFTWARE}/anaconda.d/x; rm -rf {SOFTWARE}/anaconda; echo $?")
    assert "Permission denied" in tried.stderr
    assert host.file(f"{SOFTWARE}/anaconda").is_symlink


def in_the_group(member, command):
    """Somebody of the site changes who belongs to it, on each host."""
    for node in ("gateway", "dev1", "dev2"):
        argv = [CHECKOUT / ".venv/bin/python", "tests/cluster/cluster.py", "root", node]
        subprocess.run([*argv, *command.split(), member, "lab"], check=True, cwd=CHECKOUT)


def test_who_leaves_keeps_her_home_and_the_others_go_on():
    assert played(CHECKOUT / "playbooks/start.yml", "--limit", "leo").returncode == 0
    assert played(CHECKOUT / "playbooks/stop.yml", "--limit", "leo").returncode == 0
    hers = typed("leo", "find . -name '*.json' | sort").stdout
    in_the_group("leo", "gpasswd -d")
    try:
        anew = ("--limit", "leo", "--ssh-extra-args=-o ControlPath=none")  # as after a new login
        told = played(CHECKOUT / "playbooks/start.yml", *anew)
        assert told.returncode != 0
        assert "anaconda.d is closed to leo: it belongs to ivan, group lab" in " ".join(
            (told.stdout + told.stderr).split()
        )
        assert typed("leo", "find . -name '*.json' | sort").stdout == hers
        assert typed("judy", f"{PYTHON} -c 'print(6 * 7)'").stdout == "42\n"
    finally:
        in_the_group("leo", "gpasswd -a")
