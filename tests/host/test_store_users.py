"""Who uses an installation: the kernel says so, not what strangers say of themselves."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import rollback
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    observed,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._node.question import SCRIPTS
from people_and_stores import NEIGHBOUR, PERSON, ROOT, Person, person, process

COMMON = SCRIPTS / "installation" / "common.sh"
FORGED = "\x1b[2J\nusing=process 1\nhpcc-end\r\u2028ours=no"


@pytest.fixture
def somebody() -> Iterator[Person]:
    with person() as made:
        (made.store / "markers").mkdir(parents=True)
        (made.store / "markers/.begun-generation").touch()
        (made.store / ".hpcc-notebook-store").symlink_to("schema=1 id=0")
        yield made


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
@pytest.mark.parametrize("place", ["{}/bin/python", "{}.d/generation/bin/python"])
def test_what_a_neighbour_says_of_herself_forbids_no_removal(somebody: Person, place: str) -> None:
    with process(NEIGHBOUR, place.format(somebody.prefix), FORGED) as hers:
        seen = observed(somebody.probe("absent"))
        assert seen.using == ()
        assert [hint.split(" (")[0] for hint in seen.hints] == [f"process {hers.pid} of UNKNOWN"]
    assert rollback.remove(seen).job == "remove"
    assert str(hers.pid) in rollback.doubt(seen)


def test_a_program_of_ones_own_forbids_it_and_its_arguments_forge_nothing(
    somebody: Person,
) -> None:
    with process(PERSON, f"{somebody.prefix}/bin/python", FORGED) as own:
        seen = observed(somebody.probe("absent"))
        with pytest.raises(NotebookError, match=rf"process {own.pid} ") as refused:
            rollback.remove(seen)
    assert str(refused.value).isprintable()
    assert "\x1b" not in str(refused.value)
    assert seen.ours


def test_a_prefix_that_comes_and_goes_is_never_taken_for_somebody_elses(tmp_path: Path) -> None:
    prefix = tmp_path / "anaconda"
    (tmp_path / "anaconda.d/one").mkdir(parents=True)
    program = (
        f"PREFIX={prefix}; . {COMMON}; locate; n=0; while [ $n -lt 1000 ]; do n=$((n + 1)); "
        'look_at_prefix; echo "$WHAT"; done'
    )
    with subprocess.Popen(["sh", "-c", program], stdout=subprocess.PIPE, text=True) as looks:
        while looks.poll() is None:
            prefix.symlink_to("anaconda.d/one")
            prefix.unlink()
        assert looks.stdout
        assert set(looks.stdout.read().split()) == {"generation", "nothing"}


def test_a_program_that_ends_while_it_is_looked_at_forbids_nothing() -> None:
    program = f". {COMMON}; tell_programs"
    with subprocess.Popen(["sleep", "60"]) as living, subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # it has, and is still listed
        said = subprocess.run(
            ["sh", "-c", program], input=f"{ended.pid}\n{living.pid}\n", capture_output=True,
            text=True, check=True,
        ).stdout  # fmt: skip
        living.kill()
    assert said == f"process {living.pid} (sleep 60 ) "


@pytest.mark.skipif(not ROOT, reason="only root can be somebody else")
def test_a_neighbour_who_does_not_name_it_is_no_hint(somebody: Person) -> None:
    with process(NEIGHBOUR, "/usr/bin/python", str(somebody.prefix)):
        seen = observed(somebody.probe("absent"))
    assert (seen.using, seen.hints) == ((), ())
