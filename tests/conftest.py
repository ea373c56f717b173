"""What every test leaves in temporary files goes with its run, also what a killed Ansible left."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Short paths, since some of the limits that are tested are of paths."""
    if config.option.basetemp:  # the person's own, or a worker's part of ours
        return
    place = Path(tempfile.mkdtemp(prefix="hn-"))
    config.option.basetemp = str(place / "p")
    os.environ["ANSIBLE_LOCAL_TEMP"] = str(place / "ansible")
    config.add_cleanup(lambda: shutil.rmtree(place, ignore_errors=True))
