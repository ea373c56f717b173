"""Make the checkout importable as ansible_collections.hpcc.notebook, without installing it."""

import socket
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

CHECKOUT = Path(__file__).parents[2]
sys.path.insert(0, str(CHECKOUT / "playbooks" / "collections"))
sys.path.insert(0, str(CHECKOUT / "packages" / "cluster_helper"))

# Others may use the machine at the same time: a slow example is no wrong one.
settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(scope="session")
def everybodys_python():
    """One that every user of this machine may run, and so may the accounts of servers."""
    # Imported late: most tests need none of what this brings with it.
    from servers import python_for_everybody

    with python_for_everybody() as python:
        yield python


@pytest.fixture(scope="session")
def warm_modules(everybodys_python):
    """What runs the modules of the server."""
    from warm_modules import Warm

    warm = Warm(everybodys_python)
    yield warm
    warm.close()


@pytest.fixture
def owner(everybodys_python, warm_modules):
    """Somebody with a profile and no server."""
    from servers import new_account

    account = new_account(everybodys_python, warm_modules)
    yield account
    account.clean_up()


@pytest.fixture
def free_port():
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return trial.getsockname()[1]
