# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a server starts kernels from its own generation. Pure: it is only text.

A person's kernel may name the link to the installation, which an upgrade turns, or a generation
that was pruned and has become a link to the live one. A kernel that was started through a link
would import from another version after the next upgrade.
Begin a program with it that has imported os and sys; it needs nothing else of ours.
"""

from __future__ import annotations

OWN_GENERATION = '''\
def own_generation(program):
    """The program, from the generation of this server where it is one of its installation."""
    link, dot, end = os.path.dirname(sys.prefix).rpartition(".d")
    if not dot or end or not os.path.lexists(f"{link}.d/.hpcc-notebook-store"):
        return program
    prefix, _bin, name = program.rpartition("/bin/")
    for _ in range(40):
        if _is_same_name(prefix, link):
            own = os.path.join(sys.prefix, "bin", name)
            return own if os.access(own, os.X_OK) else program
        if not os.path.islink(prefix):
            return program
        prefix = os.path.normpath(os.path.join(os.path.dirname(prefix), os.readlink(prefix)))
    return program


def _is_same_name(path, other):
    """Whether both are one entry of a directory, which may have several names."""
    if os.path.basename(path) != os.path.basename(other):
        return False
    try:
        return os.path.samefile(os.path.dirname(path), os.path.dirname(other))
    except OSError:
        return False
'''
