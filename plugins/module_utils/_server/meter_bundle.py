# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: what the server loads to tell what it uses: our own sources, as one file."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._edges import execution, own_text
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import meters as of_profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import MANAGED
from ansible_collections.hpcc.notebook.plugins.module_utils._server import meter_service

# Nothing of ours is left where other packages are looked for.
_PROGRAM = """\
{managed}
import sys

TEXTS = {{
{texts}
}}

runner = {{"__name__": "runner"}}
exec(compile(TEXTS.pop("{execution}"), "runner", "exec"), runner)
finder = runner["Texts"](TEXTS)
before = set(sys.modules)
sys.meta_path.insert(0, finder)
try:
    for name in TEXTS:  # each is compiled when something of it is used, which must be now
        __import__(name)
        sys.modules[name].__doc__
    service = sys.modules["{service}"]
    service.default_handlers = service.handlers()
finally:
    sys.meta_path.remove(finder)
    for name in [name for name in sys.modules if name in finder and name not in before]:
        del sys.modules[name]
sys.modules["{name}"] = service
"""


def service() -> str:
    """The text of that file."""
    sources = {**own_text.needed(execution), **own_text.needed(meter_service)}
    return _PROGRAM.format(
        managed=MANAGED,
        texts="\n".join(f"    {name!r}: {text!r}," for name, text in sources.items()),
        execution=own_text.name(execution),
        service=own_text.name(meter_service),
        name=of_profile.NAME,
    )
