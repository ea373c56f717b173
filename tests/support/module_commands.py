"""Lmod and Tcl Modules as Debian has them, unpacked beside this machine's own programs."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

_PACKAGES = """
    lmod environment-modules lua5.3 liblua5.3-0 lua-posix lua-filesystem lua-term lua-json lua-lpeg
"""
# Lmod looks for Lua's libraries where they were when it was built.
_PATHS = {"sys_lua_path": "usr/share/lua/5.3/?.lua", "sys_lua_cpath": "usr/lib/{}/lua/5.3/?.so"}


def unpacked(directory: Path) -> Path:
    """Download and unpack them; skip where that cannot be."""
    if not shutil.which("apt-get"):
        pytest.skip("only Debian's packages are known here")
    got = subprocess.run(
        ["apt-get", "download", "-qq", *_PACKAGES.split()],
        cwd=directory, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if got.returncode:
        pytest.skip(f"cannot get the module commands: {got.stderr.strip()}")
    for package in directory.glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, directory], check=True)
    return directory


def commands(root: Path) -> dict[str, list[str]]:
    """What prints code for a shell, by name."""
    libraries = next(root.glob("usr/lib/*/lua/5.3/posix.so")).parents[2]
    lmod = next(root.glob("usr/share/lmod/*/libexec/lmod"))
    paths = {name: root / path.format(libraries.name) for name, path in _PATHS.items()}
    for program in lmod.parent.iterdir():
        text = program.read_bytes().decode(errors="surrogateescape") if program.is_file() else ""
        for name, path in paths.items():
            text = re.sub(rf"({name} *= *)\".*\"", rf'\1"{path};{path.parent}/?/init.lua"', text)
        if text:
            program.write_bytes(text.encode(errors="surrogateescape"))
    found = {"LD_LIBRARY_PATH": libraries, "LMOD_DIR": lmod.parent}
    environment = ["env", *(f"{name}={value}" for name, value in found.items())]
    return {
        "lmod": [*environment, str(root / "usr/bin/lua5.3"), str(lmod)],
        "modules": ["tclsh", str(root / "usr/lib/modulecmd.tcl")],
    }
