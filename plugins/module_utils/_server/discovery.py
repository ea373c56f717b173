# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the person's server runs, from what one node says of all that share its home. Pure."""

from __future__ import annotations

import base64
import binascii
import json
import re
import textwrap
from dataclasses import dataclass
from typing import Iterator, Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import Answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.commands import START
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._common.pem import BEGIN, END
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record
from ansible_collections.hpcc.notebook.plugins.module_utils._server.certificates import fingerprint
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import FRONTENDS
from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record

_START = f"Start it: {START}"


class NoServer(NotebookError):  # noqa: N818 - reads as what is true
    """The node that was asked has no server, and knows of none elsewhere."""


_CERTIFICATE = re.compile(rf"{BEGIN}([A-Za-z0-9+/=\s]+){END}")


@dataclass(frozen=True)
class Node:
    """The node that answered, and what lies in the home directory that it sees."""

    host: str
    user: str
    uid: int
    boot_id: str
    records: tuple[Record, ...]
    started: str  # when the process of this node's own record began; empty when it is gone
    certificate_sha256: str
    ssh_port: int = 22
    records_path: str = ""
    python: str = ""  # what this node's server runs on
    job: str = ""  # what became of the job that was submitted last, when one was
    chain: str = ""  # the certificate and whoever signed it, as PEM
    unrecorded: Record | None = None  # a server that lives here and that no record speaks of

    def record(self) -> Record | None:
        """This node's own record: of this boot, else of this name; names are not unique."""
        own = [record for record in self.records if record.host == self.host]
        return next((each for each in own if each.boot_id == self.boot_id), next(iter(own), None))

    def elsewhere(self) -> tuple[Record, ...]:
        """Records of others, the newest first; whether they still hold cannot be seen from here."""
        others = [record for record in self.records if record is not self.record()]
        return tuple(sorted(others, key=lambda record: record.since, reverse=True))

    def why_not_here(self) -> str | None:
        """Why the server of this node's record does not run; None when it does."""
        record = self.record()
        if self.unrecorded:
            return None
        if record is None:
            return "no server was started here"
        if record.boot_id != self.boot_id:
            return f"the host was rebooted since the start of {record.since}"
        if self.started != str(record.start_time):
            return f"the server of {record.since} is gone"
        return None


def node(answers: Answers) -> Node:
    """Read what find.sh printed; the answer comes from another host and is trusted in nothing."""
    try:
        return Node(
            host=answers["host"][0],
            user=answers["user"][0],
            uid=int(answers["uid"][0]),
            boot_id=answers["boot_id"][0],
            records_path=answers.get("records", [""])[0],
            records=tuple(_records(answers["host"][0], answers.get("record", []))),
            started=answers.get("started", [""])[0],
            certificate_sha256=_fingerprint(answers.get("certificate", [""])[0]),
            ssh_port=int(answers.get("ssh_port", [""])[0] or 22),
            python=answers.get("python", [""])[0],
            job=_job(answers),
            chain="".join(
                _pem(answers.get(name, [""])[0]) for name in ("certificate", "authority")
            ),
            unrecorded=_unrecorded(answers),
        )
    except (KeyError, ValueError) as error:
        what = "the answer of the node cannot be read"
        raise NotebookError(what, "connect", "Look at what the login files print there.") from error


def _job(answers: Answers) -> str:
    """Small files that the job's supervisor and whoever submitted it have left."""
    names = ("job", "job_end", "job_next")
    submitted, end, follows = (json_object(answers.get(name, [""])[0]) for name in names)
    if not submitted:
        return ""
    if end.get("mark") == submitted.get("mark"):
        then = f"; job {follows.get('job')} is to follow it" if follows else ""
        return f"job {submitted.get('job')} ended: {end.get('reason')}{then}"
    return f"job {submitted.get('job')} does not serve; `status` asks its scheduler why"


def json_object(text: str) -> Mapping[str, object]:
    """What a small file of a job holds; nothing where it is no such file."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _unrecorded(answers: Answers) -> Record | None:
    """What a record would say of a living server, when none does."""
    if not answers.get("running"):
        return None
    pid, start, port = answers["running"][0].split()
    if answers.get("started") == [start]:
        return None
    modules = {frontend.module: name for name, frontend in FRONTENDS.items()}
    frontend = modules[answers["running_module"][0]]
    socket = answers.get("running_socket", [""])[0]
    return Record(
        host=answers["host"][0],
        boot_id=answers["boot_id"][0],
        pid=int(pid),
        start_time=int(start),
        since="",
        session="",
        frontend=frontend,
        version=FRONTENDS[frontend].title,
        transport="socket" if socket else "tcp",
        port=int(port),
        socket=socket,
        certificate_sha256="",
    )


def _records(host: str, lines: Sequence[str]) -> Iterator[Record]:
    """The records; a damaged one of another host is that host's to complain about."""
    for line in lines:
        name, _space, text = line.partition(" ")
        path = f"~/.ipython/profile_*/run/{name}"
        try:
            record = server_record.parse(text.encode(), path)
            yield server_record.require_host(record, path)
        except NotebookError:
            if name == f"{host}.json":
                raise


def choose(found: Node) -> Record:
    """The record of the server to connect to: of this node, else of another; or why there is none.

    One of another node may be out of date; whoever goes there will see.
    """
    reason = found.why_not_here()
    record = found.unrecorded or found.record()
    if reason is None and record is not None:
        return record
    others = found.elsewhere()
    if others:
        return others[0]
    why = found.job or reason
    raise NoServer(f"no notebook server is running: {why}", found.host, _START)


def server(found: Node, record: Record) -> dict[str, object]:
    """The server of a record, as notebook_server would report it."""
    return {
        "host": record.host,
        "user": found.user,
        "state": "started",
        **server_record.way_in(record, found.records_path),
        "port": record.port,  # over a socket, the one that it would have over TCP
    }


def fingerprints(found: Node, record: Record) -> tuple[str, ...]:
    """What our server may show: the certificate of its start, or the one that has replaced it."""
    both = (record.certificate_sha256, found.certificate_sha256)
    return tuple(dict.fromkeys(filter(None, both)))


def _pem(flat: str) -> str:
    """The first certificate in a line, in lines of their usual length."""
    found = _CERTIFICATE.search(flat)
    lines = textwrap.wrap(found[1], 64) if found else []
    return "\n".join([BEGIN, *lines, END, ""]) if lines else ""


def _fingerprint(pem: str) -> str:
    found = _CERTIFICATE.search(pem)
    try:
        der = base64.b64decode(found[1], validate=True) if found else b""
    except binascii.Error:
        der = b""
    return fingerprint(der) if der else ""
