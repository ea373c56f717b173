# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The distributions, and which of their installers are pinned.

A new version is one line in PINNED, of which the first is the default; a new distribution is a row
of DISTRIBUTIONS and its lines in PINNED.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError

_GIB = 1024 * 1024


@dataclass(frozen=True)
class Distribution:
    """What all versions of a distribution share; {version} is filled into base."""

    file: str
    base: str
    glibc: tuple[int, int]
    kib: int  # installer, tree and the notebook packages, generously
    inodes: int
    about: str
    terms: str = ""
    package: str = ""
    """Which package has its version; empty for those that are numbered as the conda in them."""
    channel: str = ""
    """Which one its .condarc names, where that tells it from the others."""


@dataclass(frozen=True)
class Installer:
    """One installer: what it holds, where it lies, and the checksum that it must have."""

    distribution: str
    version: str
    url: str
    sha256: str

    @property
    def name(self) -> str:
        """The name of the generation that it makes."""
        return f"{self.distribution}-{self.version}-{self.sha256[:12]}"


DISTRIBUTIONS = {
    "anaconda": Distribution(
        "Anaconda3",
        "https://repo.anaconda.com/archive/",
        (2, 28),
        10 * _GIB,
        250_000,
        "conda with the packages of Anaconda, Inc.",
        "https://www.anaconda.com/legal/terms/terms-of-service",
        package="anaconda",
    ),
    "miniconda": Distribution(
        "Miniconda3",
        "https://repo.anaconda.com/miniconda/",
        (2, 28),
        2 * _GIB,
        60_000,
        "conda alone, with the channels of Anaconda, Inc.",
        "https://www.anaconda.com/legal/terms/terms-of-service",
    ),
    "miniforge": Distribution(
        "Miniforge3",
        "https://github.com/conda-forge/miniforge/releases/download/{version}/",
        (2, 17),
        2 * _GIB,
        60_000,
        "conda with conda-forge under the BSD licence",
        channel="conda-forge",
    ),
}

# Distribution, version, machine and the published sha256: one line for each installer.
PINNED = tuple(
    row.split()
    for row in """
anaconda  2025.12-2       x86_64  57b2b48cc5b8665e25fce7011f0389d47c1288288007844b3b1ba482d4f39029
anaconda  2025.12-2       aarch64 be13a20f31d82508a061984fa3555369cfd8e4692643721415c19e7dc2e9e0f9
miniconda py313_26.5.3-1  x86_64  7358a5961dc6a4941d087281cd70313728fcc68695735e18a337321bc31c7f51
miniconda py313_26.5.3-1  aarch64 4eaf1f2d83ede3ad010afa6ad19bef69893ca4667ba5996f51efb3080c08a70d
miniforge 26.3.2-3        x86_64  848194851a98903134187fbb4ab50efe87b003e0c0f808f97644b7524a62bf2c
miniforge 26.3.2-3        aarch64 2c113a69297e612b01ca0f320c22a3107a11f2ab9b573d79ac868a175945ce29
miniforge 26.3.2-3        ppc64le df7e80ee070ccc6031e2710eb4cf81ee0012264b587306b5aa3890d3d89edd97
""".strip().splitlines()
)

_FILE = re.compile(r"[A-Za-z]+3?-(?P<version>.+?)-Linux-(?P<machine>[a-z0-9_]+)\.sh")


def pinned(distribution: str, version: str, machine: str) -> Installer:
    """The installer of a pinned version; the default one when no version is given."""
    version = version or versions(distribution)[0]
    for row_distribution, row_version, row_machine, sha256 in PINNED:
        if [row_distribution, row_version, row_machine] == [distribution, version, machine]:
            return Installer(
                distribution, version, _address(distribution, version, machine), sha256
            )
    raise _not_pinned(distribution, version, machine)


def versions(distribution: str) -> list[str]:
    """The pinned versions of a distribution, the default one first."""
    return list(dict.fromkeys(row[1] for row in PINNED if row[0] == distribution))


def signs() -> list[str]:
    """By what the shell knows an installation that somebody made: name, package, channel.

    What several rows fit is what the last of them says, so the most general one comes first.
    """
    by_signs = sorted(DISTRIBUTIONS, key=lambda name: _signs_of(DISTRIBUTIONS[name]))
    rows = ((name, DISTRIBUTIONS[name]) for name in by_signs)
    return [f"{name} {facts.package or '-'} {facts.channel or '-'}" for name, facts in rows]


def _signs_of(facts: Distribution) -> tuple[bool, bool]:
    return bool(facts.package), bool(facts.channel)


def without_terms() -> str:
    """Those that nobody has to accept terms for, in words."""
    free = (f"{name}, which is {d.about}" for name, d in DISTRIBUTIONS.items() if not d.terms)
    return "; or ".join(free)


def for_the_oldest() -> str:
    """The one that is content with the oldest host."""
    return min(DISTRIBUTIONS, key=lambda name: DISTRIBUTIONS[name].glibc)


def own(distribution: str, version: str, url: str, sha256: str) -> Installer:
    """The installer of a mirror; its file name knows the version when nobody says it."""
    found = _FILE.fullmatch(url.rsplit("/", 1)[-1])
    return Installer(
        distribution, version or (found["version"] if found else "custom"), url, sha256.lower()
    )


def machine_of(url: str) -> str:
    """The architecture that the file name of an installer names, or nothing."""
    found = _FILE.fullmatch(url.rsplit("/", 1)[-1])
    return found["machine"] if found else ""


def _address(distribution: str, version: str, machine: str) -> str:
    facts = DISTRIBUTIONS[distribution]
    return f"{facts.base.format(version=version)}{facts.file}-{version}-Linux-{machine}.sh"


def _not_pinned(distribution: str, version: str, machine: str) -> NotebookError:
    machines = sorted({row[2] for row in PINNED if row[:2] == [distribution, version]})
    known = f"for {', '.join(machines)}" if machines else f"of {', '.join(versions(distribution))}"
    return NotebookError(
        what=f"no installer of {distribution} {version} for {machine} is known, only {known}",
        where="version",
        todo="Give the url and the sha256 of another one (anaconda_url, anaconda_sha256).",
    )
