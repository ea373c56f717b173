"""What nodes answer about servers, with and without a job: the values that tables are made from."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.hpcc.notebook.plugins.module_utils._server.record import Record

RUNNING = {
    "host": "dev1",
    "seen": True,
    "user": "alice",
    "state": "running",
    "notes": [],
    "since": "2026-07-18T06:30:00Z",
    "version": "JupyterLab 4.6.6",
    "session": "nbserver",
    "transport": "socket",
    "socket": "/tmp/nbserver-1000/notebook.sock",
    "kernels": 2,
    "last_activity": "2026-07-18T09:26:00.123456Z",
    "memory": 312 << 20,
    "certificate_sha256": "3F:A2",
}
RECORDED = {
    "host": "dev2",
    "seen": False,
    "user": "alice",
    "since": "2026-07-11T09:30:00Z",
    "version": "Jupyter Notebook 7.6.1",
    "session": "nbserver",
    "transport": "tcp",
    "port": 9000,
    "certificate_sha256": "3F:A2",
}
STOPPED = {"host": "dev1", "seen": True, "user": "alice", "state": "stopped", "notes": []}
HOSTS = {
    name: {"inventory_hostname": name, "ansible_user": "alice", "ansible_ssh_common_args": "-J gw"}
    for name in ("dev1", "dev2")
}
SILENT = {"reached": False, "msg": "connect: timed out"}


def answer(*servers, damaged=(), days=364):
    return {"servers": list(servers), "damaged": list(damaged), "certificate_days": days}


RECORD = Record(
    host="dev1",
    boot_id="b",
    pid=7,
    start_time=99,
    since="2026-07-18T09:30:00Z",
    session="nbserver",
    frontend="lab",
    version="JupyterLab 4.6.6",
    transport="socket",
    port=8888,
    socket="/tmp/nbserver-1001/notebook.sock",
    certificate_sha256="3F:A2",
)
SERVER = replace(
    RECORD,
    host="c1",
    since="2026-07-18T09:21:00Z",
    session="job 5",
    port=0,
    job="5",
    ends="2026-07-18T17:20:00Z",
)
JOB = {
    "host": "c1",
    "state": "started",
    "job": "5",
    "reason": "",
    "node": "c1",
    "expected": "",
    "asked": "cores 1, walltime 08:00:00",
    "ends": "2026-07-18T17:20:00Z",
}
DEV = {
    "inventory_hostname": "dev1",
    "ansible_host": "dev1.x.edu",
    "ansible_port": 2200,
    "ansible_user": "ann",
    "ansible_ssh_common_args": "-J gw",
}
