"""Make the checkout importable as ansible_collections.hpcc.notebook, without installing it."""

import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))
sys.path.insert(0, str(CHECKOUT / "roles" / "parallel" / "files" / "cluster_helper"))

# Others may use the machine at the same time: a slow example is no wrong one.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    """Short paths for temporary files, since some of the limits that are tested are of paths."""
    if not config.option.basetemp:
        config.option.basetemp = tempfile.mkdtemp(prefix="hn-")
        config.add_cleanup(lambda: shutil.rmtree(config.option.basetemp, ignore_errors=True))
