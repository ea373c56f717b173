"""Whatever a person may have lying around an installation: none of it is ever lost.

Random trees beside, inside of and under names like those of a store; the installation is led by
the node's own programs, with a generation that is made in a moment.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._installation import refusals, rollback
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.installers import (
    Installer,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.observation import (
    Observed,
    observed,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._installation.plan import (
    INSTALL,
    Plan,
    generation_name,
)
from ansible_collections.hpcc.notebook.plugins.plugin_utils._installation import host_shell
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

INSTALLER = f"""#!/bin/sh
mkdir -p "$3/bin" "$3/lib/python3.13/site-packages" "$3/share" || exit 1
ln -s {sys.executable} "$3/bin/python"
printf '#!/bin/sh\\nexit 0\\n' >"$3/bin/conda" && chmod 755 "$3/bin/conda"
echo shipped >"$3/share/shipped"
pwd >"$3/share/where"
# VERSION"""
VERSIONS = ("1", "2", "3")


def installer(version: str) -> tuple[bytes, str, str]:
    """The program, its checksum and the name of the generation that it makes."""
    content = INSTALLER.replace("VERSION", version).encode()
    sha256 = hashlib.sha256(content).hexdigest()
    return content, sha256, f"miniforge-{version}-{sha256[:12]}"


_NAMES = [installer(version)[2] for version in VERSIONS]
_SUMS = [installer(version)[1] for version in VERSIONS]
# Names that the store uses itself, names of the same form, and others.
NAMES = st.sampled_from(
    [
        *_NAMES, "miniforge-9-0123456789ab", "anaconda-2025.12-2-57b2b48cc5b8", "adopted", "work",
        "downloads", "logs", "trash", "markers", "envs", "kept", "lock.takeover", ".link",
        "0123456789ab", "0123456789ab.log", "run", "run=work", f"{_SUMS[0]}.sh", "thesis",
        f"{_SUMS[1]}.part", ".hpcc-trial-mine", ".hpcc-trial-0123456789ab", "trial", "a b", "-rf",
        "ü", "x.pyc", "notes.log", "discarded", f"{_NAMES[0]}.0123456789ab", "bin", "share",
    ]
)  # fmt: skip
PLACES = st.sampled_from(
    [
        ".", ".", "anaconda.d", "anaconda.d", "anaconda.d/work", "anaconda.d/logs",
        "anaconda.d/downloads", "anaconda.d/trash", "anaconda.d/markers", "anaconda.d/envs",
        "anaconda.d/kept", "anaconda.d/LIVE", "anaconda.d/LIVE/share", "anaconda.d/LIVE/bin",
        "anaconda", "anaconda/lib", "anaconda.d.old", "tool.d",
    ]
)  # fmt: skip
# When a file appears (before the first step, or between two), where, and as what.
FILES = st.tuples(st.integers(0, 4), PLACES, st.lists(NAMES, min_size=1, max_size=3), st.booleans())
TREES = st.lists(FILES, min_size=1, max_size=12)


# No shims (pyenv): one of them costs more processes than everything else in a step.
PATH = f"{Path(sys.executable).parent}:/usr/bin:/bin:/usr/sbin:/sbin"
# No disk: what is synced there is what everybody else has written, too.
PLACE = "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None
RUBBISH = "discarded-by-hpcc-notebook"


@dataclass
class Home:
    """A home with an installation, and what is known to be the person's in it."""

    path: Path
    theirs: dict[Path, str] = field(default_factory=dict)
    runs: int = 0
    files: int = 0

    @property
    def store(self) -> Path:
        return self.path / "anaconda.d"

    @property
    def live(self) -> str:
        link = self.path / "anaconda"
        return link.readlink().name if link.is_symlink() else ""

    def generations(self) -> set[str]:
        """Those that an installer has made."""
        return {path.parts[-3] for path in self.store.glob("*/share/shipped")}

    def put(self, place: str, names: list[str], is_old: bool) -> None:
        """A file of the person, where she can make one without replacing anything."""
        at = self.path / place.replace("LIVE", self.live or "none")
        if place.startswith(("anaconda.d/", "anaconda/")) and not at.is_dir():
            return  # nobody makes the directories of a store for it
        path = at.joinpath(*names)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x") as file:
                self.files += 1
                file.write(f"dear {self.files}")
        except OSError:
            return  # one of the names is taken
        for each in (path, *path.relative_to(self.path).parents) if is_old else ():
            os.utime(self.path / each, (0, 0))
        self.theirs[path.parent.resolve() / path.name] = hash_of(path)

    def lost(self) -> list[Path]:
        """What was theirs and is not there any more, under any name that was given to it."""
        there = (path for path in self.path.rglob("*") if is_file(path))
        kept = {hash_of(path) for path in there if RUBBISH not in path.parts}
        return [path for path, digest in self.theirs.items() if digest not in kept]

    def run(self, program: str) -> str:
        env = {"HOME": str(self.path), "PATH": PATH}
        done = subprocess.run(
            ["sh", "-s"], input=program, env=env, capture_output=True, text=True, check=False
        )
        return done.stdout

    def seen(self, state: str = "present") -> Observed:
        asked = host_shell.small("probe", {**self.where(), "STATE": state, "ADOPT": ""})
        found = asked.answers(self.run(asked.program))
        return observed(found)

    def where(self) -> dict[str, object]:
        return {"PREFIX": "~/anaconda"}

    def work(self, job: str, generation: str = "", **settings: object) -> Answers:
        """A worker from its start to its end; what it says of that."""
        self.runs += 1
        run = f"{self.runs:012x}"
        where = {**self.where(), "RUN": run, "KIB": 0, "INODES": 0}
        prepared = host_shell.small("start", {**where, "WORKER": ""})
        said = prepared.answers(self.run(prepared.program))
        if "error" in said:
            return said
        work = Path(said["work"][0])
        content = settings.pop("UPLOAD", None)
        if isinstance(content, bytes):
            (work / "upload").write_bytes(content)
        program = host_shell.worker({**_SETTINGS, **where, **settings, "JOB": job,
                                     "GENERATION": generation})  # fmt: skip
        started = host_shell.small("start", {**where, "WORKER": program})
        self.run(started.program)
        return self._end(run)

    def _end(self, run: str) -> Answers:
        asked = host_shell.small("poll", {**self.where(), "RUN": run, "TENTHS": 100, "OWN": "yes"})
        return asked.answers(self.run(asked.program))


_SETTINGS: Mapping[str, object] = {
    **dict.fromkeys(("PACKAGES", "PACKAGES_FROM", "AGAIN", "INDEX_URL", "CHANNELS"), ""),
    **dict.fromkeys(("TERMS_ACCEPTED", "DISTRIBUTION", "VERSION", "SHA256", "URL"), ""),
    "DEADLINE": 60,
    "LOST_FILES": "",
    "LEASES": host_shell.LEASES.read_text(encoding="utf-8"),
}


def is_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def hash_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@contextmanager
def home() -> Iterator[Home]:
    """Nothing is left of it afterwards."""
    made = Path(tempfile.mkdtemp(prefix="hpcc-belongings-", dir=PLACE))
    try:
        yield Home(made)
    finally:
        shutil.rmtree(made)


def install(owner: Home, version: str) -> str:
    """As the action does: look, refuse, work. What was said against it, if anything."""
    content, sha256, _name = installer(version)
    seen = owner.seen()
    wanted = Installer("miniforge", version, "x", sha256)
    plan = Plan(INSTALL, "", generation_name(wanted, seen))
    try:
        refusals._refuse_store(seen)
        refusals._refuse_foreign(seen)
    except NotebookError as error:
        return str(error)
    settings = {"DISTRIBUTION": "miniforge", "VERSION": version, "SHA256": sha256, "URL": "x"}
    said = owner.work(INSTALL, plan.generation, UPLOAD=content, **settings)
    return " ".join([*said.get("error", []), *said.get("message", [])])


def step(owner: Home, number: int) -> str:
    """One of those that every person goes through: install, upgrade twice, go back, remove."""
    if number < len(VERSIONS):
        return install(owner, VERSIONS[number])
    state = "rolled_back" if number == len(VERSIONS) else "absent"
    try:
        seen = owner.seen(state)
        plan = rollback.roll_back(seen) if state == "rolled_back" else rollback.remove(seen)
    except NotebookError as error:
        return str(error)
    said = owner.work(plan.job, plan.generation) if plan.job else {}
    return " ".join([*said.get("error", []), *said.get("message", [])])


STEPS = 5


@dataclass
class Life:
    """What a person loses of some files in the life of an installation, and what goes of itself."""

    lost: list[str] = field(default_factory=list)
    removed: int = 0  # generations


def life(tree: list[tuple[int, str, list[str], bool]]) -> Life:
    """Go through every step, with these files around."""
    found = Life()
    with home() as owner:
        for number in range(STEPS):
            for when, place, names, is_old in tree:
                if when == number:
                    owner.put(place, names, is_old)
            before = owner.generations()
            said = step(owner, number)
            found.removed += len(before - owner.generations())
            for path in owner.lost():
                found.lost.append(f"step {number} ({said}): {path.relative_to(owner.path)}")
                del owner.theirs[path]
    return found


@dataclass
class Campaign:
    """Many trees, and what was lost of them."""

    trees: int = 0
    files: int = 0
    removed: int = 0  # generations: where none is, nothing could be lost
    lost: list[str] = field(default_factory=list)

    def run(self, number: int) -> Campaign:
        @settings(max_examples=number, phases=[Phase.generate], database=None, deadline=None)
        @given(TREES)
        def one(tree: list[tuple[int, str, list[str], bool]]) -> None:
            self.trees += 1
            self.files += len(tree)
            lived = life(tree)
            self.removed += lived.removed
            self.lost += [f"{loss} of {tree}" for loss in lived.lost]

        one()
        return self
