# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a modulefile, for Lmod (Lua) and for Tcl Modules. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.hpcc.notebook.plugins.module_utils._common.quoting import (
    lua_string,
    tcl_word,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._modulefile.conda_function import (
    LUA,
    TCL,
)

# In every file of ours; a file without it belongs to somebody else.
MARK = "Managed by hpcc.notebook"
_MANAGED = f"{MARK} (role lmod_module): changes in this file are overwritten."
_LIBRARY_PATHS = (("LD_LIBRARY_PATH", "lib"), ("LIBRARY_PATH", "lib"), ("INCLUDE", "include"))
_AS_ASKED = (
    "As asked for by lmod_module_library_paths. "
    "The system's own programs (ssh, git) may fail with it."
)


@dataclass(frozen=True)
class Module:
    """What a module is called and what it brings.

    A prefix that begins with ~ follows the home directory of whoever loads the module.
    """

    name: str
    prefix: str
    description: str
    library_paths: bool = False

    @property
    def of_home(self) -> bool:
        return self.prefix.startswith("~")

    @property
    def path(self) -> str:
        """What follows the home directory, or the whole path."""
        return self.prefix[1:] if self.of_home else self.prefix


def lua(module: Module) -> str:
    """A modulefile for Lmod."""
    home = 'os.getenv("HOME") .. ' if module.of_home else ""
    lines = [
        f"-- {_MANAGED}",
        f"local prefix = {home}{lua_string(module.path)}",
        "",
        f"help({lua_string(module.description)})",
        f"whatis({lua_string(f'Name: {module.name}')})",
        f"whatis({lua_string(f'Description: {module.description}')})",
        "",
        'setenv("ANACONDA_HOME", prefix)',
        'prepend_path("PATH", prefix .. "/bin")',
    ]
    if module.library_paths:
        lines += ["", f"-- {_AS_ASKED}"]
        lines += [f'prepend_path("{name}", prefix .. "/{part}")' for name, part in _LIBRARY_PATHS]
    return "\n".join([*lines, LUA])


def tcl(module: Module) -> str:
    """A modulefile for Tcl Modules."""
    lines = [
        "#%Module1.0",
        f"# {_MANAGED}",
        f"set prefix {'$::env(HOME)' if module.of_home else '{}'}",
        f"append prefix {tcl_word(module.path)}",
        "",
        "proc ModulesHelp { } {",
        f"    puts stderr {tcl_word(module.description)}",
        "}",
        f"module-whatis {tcl_word(f'Name: {module.name}')}",
        f"module-whatis {tcl_word(f'Description: {module.description}')}",
        "",
        "setenv ANACONDA_HOME $prefix",
        "prepend-path PATH $prefix/bin",
    ]
    if module.library_paths:
        lines += ["", f"# {_AS_ASKED}"]
        lines += [f"prepend-path {name} $prefix/{part}" for name, part in _LIBRARY_PATHS]
    return "\n".join([*lines, TCL])


TEXTS = {"lua": lua, "tcl": tcl}
