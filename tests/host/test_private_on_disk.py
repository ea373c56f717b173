"""Secrets stay private below directories that are open to others in every way."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.modules import (
    ipython_profile,
    notebook_certificate,
    notebook_password,
)
from modules import run_module

STRANGER = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
PARENTS = {
    "open to all": ["chmod", "0777"],
    "setgid and open to its group": ["chmod", "2775"],
    "with a default list that lets a stranger in": ["setfacl", "-d", "-m", "u:65534:rwx,m::rwx"],
    "with a list that lets a stranger in": ["setfacl", "-m", "u:65534:rwx"],
}


@pytest.fixture
def home(monkeypatch):
    """Where a stranger can get to: pytest's own directories are closed."""
    directory = Path(tempfile.mkdtemp(prefix="h", dir="/tmp"))
    directory.chmod(0o755)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("LOGNAME", "alice-of-the-lab")
    yield directory
    shutil.rmtree(directory)


@pytest.mark.threat(6)
@pytest.mark.parametrize("how", PARENTS.values(), ids=PARENTS)
def test_a_parent_directory_gives_nothing_of_its_openness_on(home, how):
    if shutil.which(how[0]) is None:
        pytest.skip(f"no {how[0]} here")
    ipython = home / ".ipython"
    ipython.mkdir(mode=0o755)
    if subprocess.run([*how, ipython], capture_output=True, check=False).returncode:
        pytest.skip(f"the file system of {home} has no access control lists")
    if how == PARENTS["open to all"]:
        with pytest.raises(Exception, match="everybody can write to it"):
            run_module(ipython_profile)
        return
    run_module(ipython_profile)
    run_module(notebook_certificate, authority=True)
    run_module(notebook_password, password="a long enough passphrase")
    profile = ipython / "profile_nbserver"
    for path in (profile, *profile.rglob("*")):
        assert stat.S_IMODE(path.lstat().st_mode) & 0o077 == 0, path
    if os.geteuid() == 0:
        for path in filter(Path.is_file, profile.rglob("*")):
            read = subprocess.run([*STRANGER, "cat", path], capture_output=True, check=False)
            assert read.returncode, path
