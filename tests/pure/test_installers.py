"""The table of pinned installers."""

from __future__ import annotations

import re

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import installers

ADDRESSES = {
    ("anaconda", "x86_64"): "https://repo.anaconda.com/archive/Anaconda3-2025.12-2-Linux-x86_64.sh",
    ("miniconda", "aarch64"): (
        "https://repo.anaconda.com/miniconda/Miniconda3-py313_26.5.3-1-Linux-aarch64.sh"
    ),
    ("miniforge", "ppc64le"): (
        "https://github.com/conda-forge/miniforge/releases/download/26.3.2-3/"
        "Miniforge3-26.3.2-3-Linux-ppc64le.sh"
    ),
}


@pytest.mark.parametrize(("key", "url"), ADDRESSES.items())
def test_the_default_version_has_its_published_address(key: tuple[str, str], url: str) -> None:
    found = installers.pinned(key[0], "", key[1])
    assert found.url == url
    assert installers.machine_of(url) == key[1]


def test_every_row_is_complete_and_occurs_once() -> None:
    assert len({tuple(row[:3]) for row in installers.PINNED}) == len(installers.PINNED)
    for distribution, _version, _machine, sha256 in installers.PINNED:
        assert distribution in installers.DISTRIBUTIONS
        assert re.fullmatch("[0-9a-f]{64}", sha256)


@pytest.mark.parametrize(
    ("version", "machine", "words"),
    [("1.9.1", "x86_64", "only of 26.3.2-3"), ("", "riscv64", "only for aarch64, ppc64le, x86_64")],
)
def test_what_is_not_pinned_is_refused_with_what_is(version: str, machine: str, words: str) -> None:
    with pytest.raises(NotebookError, match=f"{words}.*anaconda_url"):
        installers.pinned("miniforge", version, machine)


@pytest.mark.parametrize(
    ("given", "file", "version"),
    [
        ("", "Miniforge3-26.1.0-0-Linux-x86_64.sh", "26.1.0-0"),
        ("", "Miniconda3-py313_26.5.3-1-Linux-x86_64.sh", "py313_26.5.3-1"),
        ("", "install.sh", "custom"),
        ("7", "install.sh", "7"),
    ],
)
def test_an_own_installer_gets_a_version(given: str, file: str, version: str) -> None:
    found = installers.own("miniforge", given, f"https://mirror.example/{file}", "AB" * 32)
    assert (found.version, found.sha256) == (version, "ab" * 32)
    assert found.name == f"miniforge-{version}-abababababab"
