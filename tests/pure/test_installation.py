"""From what was seen to a plan: what is done, and with which reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import (
    observation,
    refusals,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import (
    plan as installation,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.installers import own
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    Observed,
)

URL = "https://mirror.example/Miniforge3-2-Linux-x86_64.sh"
INSTALLER = own("miniforge", "", URL, "ab" * 32)
NAME = INSTALLER.name
MARKER = {"distribution": "miniforge", "version": "2", "sha256": "ab" * 32}
FRESH = Observed(
    prefix="/home/a/anaconda",
    user="alice",
    machine="Linux x86_64",
    libc="glibc 2.36",
    tools=("curl", "sha256sum"),
    place="/home/a",
)
LIVE = replace(FRESH, what="generation", live=NAME, complete={NAME: MARKER}, python="3.13.1")
OLD = replace(LIVE, complete={NAME: {**MARKER, "version": "1", "sha256": "cd" * 32}})

PLANS = {
    "nothing there": (FRESH, (), "install", NAME, "nothing is installed yet"),
    "complete": (LIVE, (), "", NAME, "is complete"),
    "no marker": (replace(LIVE, complete={}), (), "install", f"{NAME}-2", "no completion marker"),
    "no python": (replace(LIVE, python=""), (), "install", f"{NAME}-2", "Python does not run"),
    "another version": (OLD, (), "install", f"{NAME}-2", "miniforge 1 is installed, miniforge 2"),
    "taken names": (
        replace(FRESH, taken=(NAME, f"{NAME}-2")),
        (),
        "install",
        f"{NAME}-3",
        "nothing is",
    ),
    "a package": (LIVE, ("b",), "packages", NAME, "not there or in another version: b"),
    "cut off": (replace(LIVE, changing="a c"), ("b",), "packages", NAME, "cut off"),
}


@pytest.mark.parametrize("case", PLANS)
def test_a_plan_has_a_job_a_generation_and_a_reason(case: str) -> None:
    seen, missing, job, generation, reason = PLANS[case]
    plan = installation.decide(INSTALLER, ("a", "b"), missing, seen)
    assert (plan.job, plan.generation) == (job, generation)
    assert reason in plan.reason


LOST = {"name": "b", "version": "1", "files": "3", "path": "lib/b.py"}


def test_what_was_cut_off_is_installed_again_with_what_is_missing() -> None:
    plan = installation.decide(INSTALLER, ("a", "b"), ("b",), replace(LIVE, changing="a c"))
    assert plan.packages == ("b",)
    assert [each["name"] for each in plan.again] == ["a", "c"]


def test_what_has_lost_files_is_installed_again_and_named() -> None:
    plan = installation.decide(INSTALLER, ("a", "b"), (), replace(LIVE, lost=(LOST,)))
    assert (plan.job, plan.again) == ("packages", (LOST,))
    assert plan.reason == "files are missing or empty in b (such as lib/b.py)"
    diff = installation.diff(
        plan, ("a", "b"), {"a": "a 1", "b": "b 1"}, replace(LIVE, lost=(LOST,))
    )
    assert "b 1 (files are missing or empty)" in diff["before"]
    assert "missing" not in diff["after"]


def test_an_installation_whose_python_has_lost_files_is_replaced() -> None:
    damaged = {"name": "python", "path": "lib/python3.13/ssl.py"}
    plan = installation.decide(INSTALLER, (), (), replace(LIVE, damaged=(damaged,)))
    assert (plan.job, plan.generation) == ("install", f"{NAME}-2")
    assert "lib/python3.13/ssl.py" in plan.reason


def test_the_diff_shows_requirements_for_versions_that_nobody_knows_yet() -> None:
    plan = installation.decide(INSTALLER, ("a>=1", "b"), ("b",), LIVE)
    diff = installation.diff(plan, ("a>=1", "b"), {"a>=1": "a 1.2", "b": ""}, LIVE)
    assert diff["before"] == f"{NAME}\na 1.2\n"
    assert diff["after"] == f"{NAME}\na 1.2\nb\n"


REFUSALS = {
    "directory": ({"what": "directory"}, "was not made by this collection.*mv /home/a/anaconda "),
    "link": ({"what": "link", "target": "/opt/conda"}, "symbolic link to /opt/conda"),
    "machine": ({"machine": "Linux aarch64"}, "aarch64.*for Linux x86_64"),
    "system": ({"machine": "Darwin x86_64"}, "Darwin"),
    "old glibc": ({"libc": "glibc 2.5"}, "has glibc 2.5, .* needs glibc 2.17"),
    "musl": ({"libc": ""}, "has no glibc"),
    "no checksum": ({"tools": ("curl",)}, "sha256sum"),
    "no curl": ({"tools": ("openssl",)}, "download_on: controller"),
    "read only": ({"writable": False}, "/home/a: alice may not write"),
    "no room": ({"kib": 10240}, "not enough room: 2048 MiB are needed, 10 MiB are free"),
    "no inodes": ({"inodes": 7}, "not enough inodes: 60000 are needed, 7 are free"),
    "long path": ({"prefix": "/" + "a" * 90}, "bytes long"),
    "locked": (
        {"held": "elsewhere", "holder": {"user": "eve", "host": "dev2", "since": "noon"}},
        "eve on dev2 .* since noon.*rm /home/a/anaconda.d/lock",
    ),
}


@pytest.mark.fault("F29 long path")
@pytest.mark.parametrize("case", REFUSALS)
def test_a_host_that_cannot_take_it_is_refused(case: str) -> None:
    changes, words = REFUSALS[case]
    seen = replace(FRESH, **changes)
    plan = installation.decide(INSTALLER, (), (), seen)
    with pytest.raises(NotebookError, match=words):
        refusals.refuse(plan, INSTALLER, True, seen)


def test_a_member_of_a_lab_needs_no_write_access_when_nothing_is_to_do() -> None:
    seen = replace(LIVE, writable=False, kib=0, tools=())
    refusals.refuse(installation.decide(INSTALLER, (), (), seen), INSTALLER, True, seen)


@pytest.mark.parametrize("distribution", ["anaconda", "miniconda"])
def test_terms_are_accepted_by_a_named_variable_only(distribution: str) -> None:
    refusals.refuse_terms(distribution, True)
    refusals.refuse_terms("miniforge", False)
    with pytest.raises(NotebookError, match=r"anaconda_accept_terms: true.*miniforge.*BSD"):
        refusals.refuse_terms(distribution, False)


def test_a_pattern_that_matched_nothing_is_no_package() -> None:
    assert observation.observed({"dist": ["*"], "inodes": [""], "kib": ["12"]}).dists == ()
