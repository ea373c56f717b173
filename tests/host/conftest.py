"""What runs where, and accounts that own servers."""

from __future__ import annotations

import socket
from functools import cache
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

CHECKOUT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long ones first, or the last worker is waited for."""
    items.sort(key=_limit, reverse=True)


def _limit(item: pytest.Item) -> float:
    marker = item.get_closest_marker("timeout")
    return float(marker.args[0]) if marker and marker.args else 0


class ByTest(LoadScopeScheduling):
    """Any test to the next worker that is free; those of a file that share something stay."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if _shares(CHECKOUT / file) else nodeid


@cache
def _shares(file: Path) -> bool:
    return 'scope="module"' in file.read_text(encoding="utf-8")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByTest | None:
    return ByTest(config, log) if config.getoption("dist") == "loadfile" else None


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
