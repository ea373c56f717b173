"""Requirements against the names of what lies in an installation."""

from __future__ import annotations

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    Observed,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import packages

FOUND = packages.installed(
    Observed(
        prefix="/p",
        dists=("jupyter_server-2.21.1", "Numpy-2.0.0rc1"),
        condas=("tzdata-2025b-h04d1e81_0", "jupyter_server-2.20.0-py313_0", "ca-certs-1-0"),
    )
)

CASES = [
    ("jupyter-server>=2.21.0", True),
    ("jupyter_server>=2.22", False),
    ("numpy>=2.0.0rc1,<3", True),
    ("numpy>=2.0.0", False),
    ("ca-certs", True),
    ("tzdata", True),
    ("tzdata==2025b", True),
    ("scipy", False),
]


@pytest.mark.parametrize(("requirement", "there"), CASES)
def test_a_requirement_is_fulfilled_or_missing(requirement: str, there: bool) -> None:
    assert packages.missing([requirement], FOUND) == ([] if there else [requirement])


def test_what_python_sees_counts_more_than_what_conda_installed() -> None:
    assert packages.held(["jupyter_server"], FOUND) == {"jupyter_server": "jupyter-server 2.21.1"}
