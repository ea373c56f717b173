"""What may happen to an installation: runs with any values, kills, damage and foreign things."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._installation import installers
from directly import Directly, at_rest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from kills import Steps
from one_task import TaskFailed
from quick_distribution import BASE, SITE, QuickDistribution
from small_distribution import Mirror

PLAIN = ["parcel>=2", "whole"]
LISTS = st.sampled_from(
    [
        PLAIN,
        [],
        ["parcel<2"],
        ["parcel>=2", "letter"],
        ["parcel>=2", "whole", "nosuch"],  # a name that there is not
        ["parcel>=2", "letter==0.1"],  # a version that there is not
        ["parcel>=2", "clash"],  # needs another parcel
        ["parcel>=2", "broken"],  # cannot be imported
        ["parcel>=2", "--index-url"],
    ]
)
ENDS = {
    "first": "exit 0 # first",
    "second": "exit 0 # second",
    "that fails": "exit 3",
    "without Python": 'rm "$prefix/bin/python"',
    "without conda": 'printf "#!/bin/sh\\nexit 4\\n" >"$prefix/bin/conda"',
}
WRONG = (
    {"sha256": "0" * 64},
    {"url": "https://127.0.0.1:9/Miniforge3-9.0-1-Linux-x86_64.sh", "sha256": "1" * 64},
    {"prefix": "relative"},
    {"download_timeout": 0},
)
# What an account may lose of the live generation, or find in its place.
LOST = (
    "bin/python", *BASE,
    *(f"{SITE}/{name}" for name in ("parcel.py", "part.py", "whole.py", "pip/__main__.py", "pip")),
    *(f"{SITE}/whole-1.0.dist-info/{name}" for name in ("METADATA", "RECORD", "INSTALLER", "")),
    "conda-meta", "lib", "",
)  # fmt: skip
# What a Python finds its place by. The one of these tests is the machine's, and would go on running
# with the machine's packages where a real one does not run at all.
LANDMARKS = ("pyvenv.cfg", "lib")
# Where somebody may put a thing of their own, and what it is.
PLACES = ("", ".d", ".d/work", ".d/logs", ".d/downloads", ".d/NEXT", ".d/mine", ".d/LIVE/mine")
THINGS = ("file", "directory", "link")
MOST_RUNS = 5
# It needs little room: what it installs is small.
SMALL = replace(installers.DISTRIBUTIONS["miniforge"], kib=1000, inodes=200)


def begin(directory: Path, mirror: Mirror) -> tuple[QuickDistribution, dict[str, dict[str, str]]]:
    """The distribution and what is published of it, once for all sequences."""
    made = QuickDistribution(directory)
    made.wheel("parcel", "1.0", "VALUE = 1")
    made.wheel("parcel", "2.1", "VALUE = 21")
    made.wheel("letter", "1.0")
    made.wheel("part", "1.0", "VALUE = 1")
    made.wheel("whole", "1.0", "import part", "part")
    made.wheel("clash", "1.0", "", "parcel<2")
    made.wheel("broken", "1.0", "raise ImportError('it does not work here')")
    machine = os.uname().machine
    return made, {
        name: mirror.publish(f"Miniforge3-{number}.0-1-Linux-{machine}.sh", made.installer(end))
        for number, (name, end) in enumerate(ENDS.items(), 1)
    }


def may_run(rules: InstallationRules) -> bool:
    """A sequence has room for so many runs that take a second, among its twenty steps."""
    return rules.runs < MOST_RUNS


class InstallationRules:
    """One account's installation; `home` and `said` are those of the whole sequence."""

    home: Path
    said: list[str]
    mirror: Mirror
    made: QuickDistribution
    steps: Steps
    published: dict[str, dict[str, str]]

    def prepare_installation(self) -> None:
        self.prefix = self.home / "anaconda"
        self.store = Path(f"{self.prefix}.d")
        self.foreign: dict[Path, str] = {}
        self.runs = 0
        bundle = {"CURL_CA_BUNDLE": str(self.mirror.certificate)}
        # Of this machine only what each has: whoever develops may have shims for every program.
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", **bundle}
        options = {"distribution": "miniforge", "packages": PLAIN, **self.published["first"]}
        self.action = Directly(options, environment)

    def live(self) -> dict[str, int]:
        """What is live, as far as a failing run may not change it."""
        found = (path for path in self.prefix.rglob("*") if "__pycache__" not in str(path))
        tree = {str(path): path.lstat().st_size for path in found if not path.is_dir()}
        return {**tree, os.path.realpath(self.prefix): 0}

    def run(self, **changes: Any) -> bool:
        """Whether it worked; what fails has changed nothing of what was live."""
        before = self.live()
        worked = self.tried_to_run(**changes)
        changed = {*before.items()} ^ {*self.live().items()}
        assert worked or not changed, f"{sorted(changed)} was changed: {self.said[-1]}"
        return worked

    def tried_to_run(self, **changes: Any) -> bool:
        self.runs += 1
        try:
            self.action.run(**changes)
        except TaskFailed as failed:
            self.said.append(str(failed))
            return False
        return True

    @initialize(installed=st.booleans())
    def begin_installation(self, installed: bool) -> None:
        if installed:
            self.run()

    @precondition(may_run)
    @rule(
        packages=LISTS, installer=st.sampled_from([*ENDS, "first", "first", "second"]),
        wrong=st.sampled_from([{}, {}, {}, *WRONG]),
    )  # fmt: skip
    def install(self, packages: list[str], installer: str, wrong: dict[str, str]) -> None:
        self.run(**{"packages": packages, **self.published[installer], **wrong})

    @precondition(may_run)
    @rule(state=st.sampled_from(["rolled_back", "absent"]))
    def go_back(self, state: str) -> None:
        self.run(state=state)

    @precondition(may_run)
    @rule(
        step=st.integers(1, 60), packages=LISTS, installer=st.sampled_from(["first", "second"]),
        state=st.sampled_from(["present", "present", "rolled_back", "absent"]),
    )  # fmt: skip
    def kill_installation(self, step: int, state: str, packages: list[str], installer: str) -> None:
        options = {**self.published[installer], "packages": packages}
        self.runs += 1
        self.steps.run(self.action, step, state=state, **options)
        self.made.last.write_text("0")  # what lives on is not killed any more

    @rule(lost=st.sampled_from(LOST), how=st.sampled_from(["gone", "empty", "cut"]))
    def harm_installation(self, lost: str, how: str) -> None:
        path = Path(os.path.realpath(self.prefix)) / lost
        ours = self.home in path.parents and path not in self.foreign
        if not ours or not os.path.lexists(path):
            return
        if path.is_dir():
            shutil.rmtree(path)
        elif how == "gone" or path.is_symlink():
            path.unlink(missing_ok=True)
        elif path.is_file():
            path.write_bytes(path.read_bytes()[: 3 if how == "cut" else 0])
        if lost in LANDMARKS:
            Path(os.path.realpath(self.prefix), "bin/python").unlink(missing_ok=True)

    @rule(
        what=st.sampled_from(["markers", ".turn", ".files-*", ".unshipped-*", "[!.]*", "downloads"])
    )
    def harm_store(self, what: str) -> None:
        if not self.store.is_dir():
            return
        places = (
            [self.store / what]
            if what in ("markers", "downloads")
            else (list(self.store.glob(f"markers/{what}")))
        )
        for path in places:
            if path.is_dir() and path not in self.foreign:
                shutil.rmtree(path)
            elif path not in self.foreign:
                path.unlink(missing_ok=True)

    @rule(place=st.sampled_from(PLACES), kind=st.sampled_from(THINGS))
    def put_something(self, place: str, kind: str) -> None:
        live = Path(os.path.realpath(self.prefix)).name
        following = f"miniforge-2.0-1-{self.published['second']['sha256'][:12]}"
        place = place.replace("NEXT", following).replace("LIVE", live)
        path = Path(f"{self.prefix}{place}")
        if os.path.lexists(path) or not path.parent.is_dir():
            return
        word = f"mine-{len(self.foreign)}"
        if kind == "directory":
            path.mkdir()
            (path / word).touch()
        elif kind == "link":
            path.symlink_to(f"/usr/share/{word}")
        else:
            path.write_text(word)
        self.foreign[path] = word

    def things(self) -> set[str]:
        """The words of the things that are somewhere in this home."""
        found = [path for path in self.home.rglob("mine*") if not path.is_dir()]
        found += [path for path in self.foreign if os.path.lexists(path) and not path.is_dir()]
        texts = [path.read_text() for path in found if not path.is_symlink()]
        targets = [path.readlink().name for path in found if path.is_symlink()]
        return {path.name for path in found} | {*texts, *targets}

    def mend_installation(self) -> None:
        """As a person does: move away what a refusal names, and run again."""
        for _try in range(len(self.foreign) + 1):
            if self.run():
                break
            named = [path for path in self.foreign if f"{path}" in self.said[-1]]
            assert named, f"it does not converge: {self.said[-1]}"
            self.move_away(max(named, key=lambda path: len(str(path))))
        else:
            raise AssertionError(self.said[-1])
        assert at_rest(self.store)
        again = self.action.run()
        assert not again["changed"], again["reason"]
        lost = {*self.foreign.values()} - self.things()
        assert not lost, f"{lost} of a person were removed: {self.foreign}"

    def move_away(self, path: Path) -> None:
        """With all that lies in it."""
        moved = Path(tempfile.mkdtemp(prefix="moved", dir=self.home), path.name)
        path.rename(moved)
        for each in [each for each in self.foreign if path in (each, *each.parents)]:
            self.foreign[moved / each.relative_to(path)] = self.foreign.pop(each)

    def end_installation(self) -> None:
        """Nothing runs any longer."""
        with suppress(OSError):
            at_rest(self.store)
