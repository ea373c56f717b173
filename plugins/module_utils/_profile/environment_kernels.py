# Managed by hpcc.notebook in the profile of a server; this is its source.
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: find the person's own environments that can run a kernel, whenever Jupyter asks.

A copy of this file lies in the profile, and the server loads it: it needs nothing else of ours.
Nothing is run to find out. What others could change is never shown, because it would be run.
"""

from __future__ import annotations

import contextlib
import functools
import grp
import hashlib
import importlib
import os
import pwd
import re
import stat
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Iterator

LIMIT = 200  # environments; a list that is longer is not one that a person reads
OLDEST = 6  # of ipykernel: our launcher knows none before
WITHIN = 2.0  # seconds; a home directory that hangs must not stop the server

_ASKED = "HPCC_NOTEBOOK_ENVIRONMENTS"  # tells our launcher, too, that there is to be no debugger
_LIST = "~/.conda/environments.txt"  # conda notes there what it made, wherever it lies
_STORE = ".hpcc-notebook-store"  # marks the directory of our generations
_PYTHON = re.compile(r"python(3\.\d+t?)")
_VENV = re.compile(r"^version(?:_info)?\s*=\s*(3\.\d+)", re.MULTILINE)
_IPYKERNEL = re.compile(r"ipykernel-(\d+)[\w.+]*\.(?:dist|egg)-info")
# Jupyter replaces {name} in a command and $name in its environment.
_REPLACED = frozenset("{}$")


@dataclass(frozen=True)
class Environment:
    """An environment that can run a kernel."""

    path: str
    version: str
    conda: bool

    @property
    def name(self) -> str:
        """What it is called: by its directory, or by that of the project that it lies in."""
        above, _slash, last = self.path.rpartition("/")
        inside = last.startswith(".") or last in ("env", "venv")
        return f"{above.rpartition('/')[2]}/{last}" if inside else last

    @property
    def kernel(self) -> str:
        """The name in notebooks: the same as long as the environment stays where it is."""
        plain = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")[:40]
        return f"environment-{plain}-{hashlib.sha256(self.path.encode()).hexdigest()[:8]}"


@dataclass
class Trust:
    """Whether anybody else could change what lies at a path; each directory is looked at once."""

    owners: frozenset[int]
    closed: set[str] = field(default_factory=set)

    def require(self, path: str) -> str:
        """Follow a path link by link, as the kernel goes; where it ends, or why not there."""
        here, steps, links = "", path.split("/"), 0
        self._require_closed("/", last=False)
        while steps:
            step = steps.pop(0)
            if step == "..":
                here = here.rpartition("/")[0]
            if step in ("", ".", ".."):
                continue
            mode = self._require_closed(f"{here}/{step}", last=not steps)
            if not stat.S_ISLNK(mode):
                here = f"{here}/{step}"
                continue
            links += 1
            if links > 40:
                raise OSError(f"{path} has links that lead in a circle")
            target = os.readlink(f"{here}/{step}")
            here, steps = "" if target.startswith("/") else here, target.split("/") + steps
        return here or "/"

    def _require_closed(self, path: str, *, last: bool) -> int:
        if path in self.closed:
            return stat.S_IFDIR
        found = os.lstat(path)
        if found.st_uid not in self.owners:
            raise PermissionError(f"{path} belongs to uid {found.st_uid}")
        if stat.S_ISLNK(found.st_mode):
            return found.st_mode
        if found.st_mode & stat.S_ISVTX and not last:
            return found.st_mode  # as in /tmp, nobody moves what belongs to somebody else
        if _open(path, found):
            raise PermissionError(f"others can write to {path}")
        if stat.S_ISDIR(found.st_mode):
            self.closed.add(path)
        return found.st_mode


def _open(path: str, found: os.stat_result) -> bool:
    """Whether others than its owner may write to it."""
    if found.st_mode & stat.S_IWOTH:
        return True
    if not found.st_mode & stat.S_IWGRP:
        return False
    listed = "system.posix_acl_access" in os.listxattr(path)
    return listed or not _private_group(found.st_uid, found.st_gid)


@functools.lru_cache(maxsize=None)
def _private_group(uid: int, gid: int) -> bool:
    """Many systems give each account a group of its own."""
    try:
        user, group = pwd.getpwuid(uid).pw_name, grp.getgrgid(gid)
    except KeyError:
        return False
    if (group.gr_name != user and gid != uid) or set(group.gr_mem) - {user}:
        return False
    return all(each.pw_uid == uid for each in pwd.getpwall() if each.pw_gid == gid)


def environments(prefix: str, say: Callable[[str], object]) -> list[Environment]:
    """What can run a kernel, by name; `say` hears why another cannot. `prefix`: of the server."""
    me, installed = os.geteuid(), os.path.realpath(prefix)
    # Who owns the installation was judged before the server was started from it.
    trust = Trust(frozenset({0, me, os.lstat("/").st_uid, Path(installed).stat().st_uid}))
    found: dict[str, Environment] = {}
    for path in [*_beside(installed), *_listed()][:LIMIT]:
        try:
            one = _environment(path, trust)
        except (OSError, ValueError) as reason:
            say(f"no kernel of the environment {path!a}: {str(reason)!a}")
            continue
        found.setdefault(os.path.realpath(path), one)
    return sorted(found.values(), key=lambda each: (each.name, each.path))


def _beside(installed: str) -> list[str]:
    """Where `conda create -n` puts them: with our installation, with any other, in the home."""
    store = Path(installed).parent
    ours = [store / "envs"] if os.path.lexists(store / _STORE) else []
    return [path for each in (*ours, Path(installed, "envs"), Path("~/.conda/envs").expanduser())
            for path in _directories(each)]  # fmt: skip


def _listed() -> Iterator[str]:
    """Those of conda's list that are the person's own, without the installation's generations."""
    try:
        with Path(_LIST).expanduser().open(encoding="utf-8", errors="replace") as lines:
            paths = lines.read(1 << 16).splitlines()
    except OSError:
        return
    for path in paths:
        with contextlib.suppress(OSError, ValueError, RuntimeError):  # a circle of links
            real = Path(path).resolve()
            generation = os.path.lexists(real.parent / _STORE)
            mine = real.stat().st_uid == os.geteuid()
            if path.startswith("/") and mine and not generation:
                yield path.rstrip("/")


def _directories(path: Path) -> list[str]:
    try:
        with os.scandir(path) as entries:
            # A name that begins with a point is conda's own, such as .conda_envs_dir_test.
            names = sorted(each.name for each in entries if not each.name.startswith("."))
    except OSError:
        return []
    return [f"{path}/{name}" for name in names]


def _environment(path: str, trust: Trust) -> Environment:
    """What lies there; OSError or ValueError when it can or may not run a kernel."""
    if not path.isprintable() or _REPLACED & set(path):
        raise ValueError("its path has characters that cannot be passed on")
    python = trust.require(f"{path}/bin/python")
    if not Path(python).is_file() or not os.access(python, os.X_OK):
        raise ValueError("its bin/python cannot be run")
    version = _version(path, python)
    packages = f"{path}/lib/python{version}/site-packages"
    trust.require(f"{packages}/ipykernel")
    _require_ipykernel(_names(packages))
    return Environment(path, version, Path(path, "conda-meta").is_dir())


def _version(path: str, python: str) -> str:
    """The version of its Python, which is not asked: it would have to be run."""
    named = _PYTHON.fullmatch(Path(python).name)
    if named:
        return named[1]
    with contextlib.suppress(OSError), Path(path, "pyvenv.cfg").open() as lines:
        noted = _VENV.search(lines.read(1 << 16))
        if noted:
            return noted[1]
    there = [found[1] for found in map(_PYTHON.fullmatch, _names(f"{path}/lib")) if found]
    if len(there) != 1:
        raise ValueError("the version of its Python is not to be seen")
    return there[0]


def _require_ipykernel(names: list[str]) -> None:
    found = [int(each[1]) for each in map(_IPYKERNEL.fullmatch, names) if each]
    if not found or max(found) < OLDEST:
        raise ValueError(f"it has no ipykernel {OLDEST} or newer")


def _names(path: str) -> list[str]:
    return [each.name for each in Path(path).iterdir()]


def titles(found: list[Environment]) -> dict[str, str]:
    """What the launcher shows: the name, or where it lies when two have the same."""
    names = [each.name for each in found]
    home = Path.home()
    shown = {}
    for each in found:
        place = each.path.replace(f"{home}/", "~/", 1)
        name = each.name if names.count(each.name) == 1 else place
        shown[each.kernel] = f"Python {each.version} ({_harmless(name)})"
    return shown


def _harmless(name: str) -> str:
    """A name can be anything, and pages show it."""
    shown = "".join(sign if sign.isalnum() or sign in "._-+@~/ " else "?" for sign in name)
    return shown if len(shown) <= 60 else f"{shown[:59]}…"


def spec(one: Environment, title: str, launcher: str, profile: str) -> dict[str, Any]:
    """The kernel, by our launcher: it opens no port, and has no debugger."""
    kind = "CONDA_PREFIX" if one.conda else "VIRTUAL_ENV"
    command = [f"{one.path}/bin/python", launcher, "-f", "{connection_file}"]
    return {
        "argv": [*command, f"--profile={profile}"],
        "display_name": title,
        "env": {kind: one.path, "PATH": f"{one.path}/bin:${{PATH}}", _ASKED: "kernel"},
        "language": "python",
        "metadata": {"debugger": False, "managed_by": "hpcc.notebook"},
    }


@dataclass
class Look:
    """Looks for environments beside the server, which waits for it a moment and no longer."""

    say: Callable[[str], object]
    said: set[str] = field(default_factory=set)
    found: list[Environment] = field(default_factory=list)
    thread: threading.Thread | None = None

    def now(self) -> list[Environment]:
        """What there is; what there was, as long as a file system does not answer."""
        if self.thread is None or not self.thread.is_alive():
            self.thread = threading.Thread(target=self._look, daemon=True)
            self.thread.start()
            self.thread.join(WITHIN)
        return self.found

    def _look(self) -> None:
        try:
            self.found = environments(sys.prefix, self._say_once)
        except OSError as reason:
            self._say_once(f"no kernels of environments: {reason}")

    def _say_once(self, words: str) -> None:
        if words not in self.said:
            self.said.add(words)
            self.say(words)


def manager_class() -> type:
    """Jupyter's own finder of kernels, which finds the environments, too."""
    kernelspec: Any = importlib.import_module("jupyter_client.kernelspec")
    pictures: str = importlib.import_module("ipykernel.kernelspec").RESOURCES
    profile = Path(os.environ["JUPYTER_CONFIG_DIR"]).name[len("profile_") :]
    launcher = str(Path(__file__).parent / "kernels/python3/launch.py")

    class EnvironmentKernels(kernelspec.KernelSpecManager):  # type: ignore[misc]
        """The person's own kernels come first, and what they allow counts."""

        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.look = Look(self.log.info)

        def _environments(self) -> dict[str, Any]:
            found = self.look.now()
            shown = titles(found)
            return {
                one.kernel: self.kernel_spec_class(
                    resource_dir=pictures, **spec(one, shown[one.kernel], launcher, profile)
                )
                for one in found
                if not self.allowed_kernelspecs or one.kernel in self.allowed_kernelspecs
            }

        def get_all_specs(self) -> dict[str, Any]:
            found = self._environments().items()
            ours = {name: {"resource_dir": pictures, "spec": one.to_dict()} for name, one in found}
            return {**ours, **super().get_all_specs()}

        def get_kernel_spec(self, kernel_name: str) -> Any:
            try:
                return super().get_kernel_spec(kernel_name)
            except kernelspec.NoSuchKernel:
                found = self._environments().get(kernel_name)
                if found is None:
                    raise
                return found

    return EnvironmentKernels
