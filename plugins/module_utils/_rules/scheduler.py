# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules for what is told to a scheduler: each becomes one word of a job script, never two.

packages/cluster_helper has the same ones, since it is used without Ansible, too; a test compares
them.
"""

from __future__ import annotations

import re

from ansible_collections.hpcc.notebook.plugins.module_utils._rules.text import (
    matching,
    whole_number,
)

queue = matching(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}"), "one plain name such as main or gpu-a100_2"
)
account = matching(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}"), "one plain name such as ged-intel11"
)
address = matching(
    re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]{0,63}"), "an interface or address such as ib0"
)
walltime = matching(
    re.compile(r"(?!0{1,4}:00:00$)[0-9]{1,4}:[0-5][0-9]:[0-5][0-9]"),
    "HH:MM:SS and longer than nothing",
)
max_jobs = whole_number(1, 100_000)
