# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tells an open page of memory, CPU time, quota and time left, and where it asks. Pure."""

from __future__ import annotations

NAME = "hpcc_notebook_meters"  # of the module that the server loads
FILE = "jupyter/meters.py"
AT = "/hpcc-notebook/meters"
IN_PAGE = "hpccNotebookMeters"  # how a page is told of it
END = "HPCC_NOTEBOOK_END"  # of a server that is a job: when it ends, as `time_left` announces it
CPU_LIMIT = "HPCC_NOTEBOOK_CPU_LIMIT"  # seconds after which the site ends a process
MEMORY_LIMIT = "MEM_LIMIT"  # bytes that a scheduler grants; jupyter-resource-usage looks there, too
