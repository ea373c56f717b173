# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The note that a start leaves under run/<host>.json. Pure: text in, values out.

It is a hint for whoever looks for servers on all hosts. Nothing is done on its word alone.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass, fields

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import FRONTENDS

SCHEMA = 6
# What older records do not say: schema 2 the full name of a host, up to 3 the generation, up to 4
# the job of a server that is one, up to 5 how ssh gets to it.
_ENTRANCE = ("relay", "relay_socket", "obstacle")
UNSAID = {
    "2": ("node", "prefix", "job", "ends", *_ENTRANCE),
    "3": ("prefix", "job", "ends", *_ENTRANCE),
    "4": ("job", "ends", *_ENTRANCE),
    "5": _ENTRANCE,
}


@dataclass(frozen=True)
class Record:
    """One start of a server: who runs where since when, and how it is reached."""

    host: str
    boot_id: str
    pid: int
    start_time: int  # clock ticks since boot; with the boot id it makes the pid unique
    since: str
    session: str
    frontend: str
    version: str
    transport: str
    port: int
    socket: str
    certificate_sha256: str
    node: str = ""  # the full name of the host, as far as it knows it: short ones are not unique
    prefix: str = ""  # the generation that it runs from
    job: str = ""  # the scheduler's job that it runs in
    ends: str = ""  # when that job is over at the latest, in UTC
    relay: str = ""  # where the node of that job lets nobody in: the one whose socket leads there
    relay_socket: str = ""
    obstacle: str = ""  # why the job could not find out how to get there

    @property
    def entered(self) -> str:
        """The host that ssh logs in to for it."""
        return self.relay or self.host

    @property
    def called(self) -> str:
        """The host, by its full name if there is one."""
        return self.node or self.host


def serialise(record: Record) -> bytes:
    """The record as it lies on disk."""
    return (json.dumps({"schema": SCHEMA, **asdict(record)}, indent=2) + "\n").encode()


def parse(content: bytes, path: str) -> Record:
    """Read a record; whatever a start did not write is refused, not interpreted."""
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _foreign(path, "is not JSON") from error
    if not isinstance(found, dict):
        raise _foreign(path, "is not a record of a server")
    schema = repr(found.pop("schema", None))  # True == 1 in Python
    if schema not in (repr(SCHEMA), *UNSAID):
        raise _foreign(path, f"is not of schema {SCHEMA}")
    for name in UNSAID.get(schema, ()):
        found.setdefault(name, "")
    types = {field.name: int if field.type == "int" else str for field in fields(Record)}
    if {name: type(value) for name, value in found.items()} != types:
        raise _foreign(path, "does not have the fields of a record")
    if found["frontend"] not in FRONTENDS or found["transport"] not in ("socket", "tcp"):
        raise _foreign(path, "names a front end or transport that there is not")
    return Record(**found)


def gateway_socket(records: str, host: str, node: str) -> str:
    """Beside a host's record, where the gateway may listen for the person's own computer.

    Two clusters may share the home and have a host of one name: the full one tells them apart. It
    is not written out, since a socket's path has to be short.
    """
    apart = f"-{zlib.crc32(node.encode()):08x}" if node not in ("", host) else ""
    return f"{records}/{host}{apart}.sock"


def way_in(record: Record, records: str) -> dict[str, object]:
    """What a person is told about a server, and what a tunnel to it needs."""
    over_tcp = record.transport == "tcp"
    return {
        "session": record.session,
        "frontend": record.frontend,
        "version": record.version,
        "transport": record.transport,
        **({"port": record.port} if over_tcp else {"socket": record.relay_socket or record.socket}),
        "gateway_socket": gateway_socket(records, record.host, record.node),
        "certificate_sha256": record.certificate_sha256,
        "since": record.since,
        "prefix": record.prefix,
        **({"job": record.job, "ends": record.ends} if record.job else {}),
        **{name: vars(record)[name] for name in ("relay", "obstacle") if vars(record)[name]},
    }


def require_host(record: Record, path: str) -> Record:
    """Refuse a record that lies under another host's name than it gives."""
    longer = record.node.startswith(f"{record.host}.")
    names = [record.host, *([record.node] if longer else [])]
    if path.rpartition("/")[2] not in [f"{name}.json" for name in names]:
        raise _foreign(path, f"speaks of the host {record.host!r}")
    return record


def _foreign(path: str, what: str) -> NotebookError:
    return NotebookError(f"{what}: it was changed by hand or by another version", path, _REPAIR)


_REPAIR = "Remove this file and run again; a server that is running is found without it."
