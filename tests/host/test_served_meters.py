"""What a page that is open is told of memory, CPU time and quota, by JupyterLab itself."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import meters
from served_profile import Server, serving

PASSWORD = "correct horse battery staple"
QUOTA = """#!/bin/sh
echo "Filesystem blocks quota limit grace files quota limit grace"
echo "$(df -P "$0" | awk 'NR == 2 { print $1 }') 9000000* 9437184 10485760 0 7 0 0 0"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    home = tmp_path_factory.mktemp("h")
    programs = home / "programs"
    programs.mkdir()
    (programs / "quota").write_text(QUOTA)
    (programs / "quota").chmod(0o755)
    path = f"{programs}:/usr/local/bin:/usr/bin:/bin"
    server = Server(home, MEM_LIMIT=str(100 << 20), PATH=path)
    with serving(server, PASSWORD):
        yield server


def told(server):
    answer, text = server.ask("GET", meters.AT, **server.authorization())
    assert answer.status == 200, text
    return {each["name"]: each for each in json.loads(text)["meters"]}


def test_a_stranger_is_told_nothing(server):
    assert server.ask("GET", meters.AT)[0].status == 403
    assert server.ask("GET", meters.AT, Authorization="token x")[0].status == 403


def test_memory_stands_against_the_limit_that_the_scheduler_granted(server):
    found = told(server)["Memory"]
    used, _of, limit, _mb = found["text"].split()
    assert (int(used) > 20, limit, found["near"]) == (True, "100", int(used) > 80)


def test_the_quota_is_the_persons_and_not_the_file_systems(server):
    found = told(server)["Quota"]
    assert (found["text"], found["near"]) == ("8.6 of 10.0 GB", True)


def test_cpu_time_is_shown_only_where_it_is_limited(server):
    assert "CPU" not in told(server)
    pid = server.process.pid
    subprocess.run(["prlimit", "--pid", str(pid), "--cpu=7200"], check=True)
    found = told(server)["CPU"]
    assert (found["text"].endswith(" of 2 h"), found["near"]) == (True, False)


def test_cpu_time_is_shown_against_the_rule_of_a_site(tmp_path):
    server = Server(tmp_path, **{meters.CPU_LIMIT: "3600"})
    with serving(server, PASSWORD):
        assert told(server)["CPU"]["text"].endswith(" of 1 h")


def test_a_page_that_only_looks_is_no_activity(server):
    def active() -> str:
        _answer, text = server.ask("GET", "/api/status", **server.authorization())
        return json.loads(text)["last_activity"]

    before = active()
    time.sleep(0.01)
    told(server)
    assert active() == before


def test_nothing_of_ours_is_left_where_the_server_looks_for_packages(server):
    asked = (
        "import runpy, sys; before = set(sys.modules) | set(map(str, sys.meta_path));"
        f"runpy.run_path({str(server.profile / meters.FILE)!r});"
        "print([n for n in sys.modules if 'ansible' in n], len(sys.meta_path))"
    )
    bare = [sys.executable, "-I", "-c", "import sys; print(len(sys.meta_path))"]
    finders = subprocess.run(bare, capture_output=True, text=True, check=True).stdout.strip()
    done = subprocess.run(
        [sys.executable, "-I", "-c", asked], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == f"[] {finders}"


def test_a_server_goes_without_where_the_file_is_damaged(tmp_path):
    server = Server(tmp_path)
    with serving(server, PASSWORD):
        server.stop()
        (server.profile / meters.FILE).write_text("x(")
        server.start()
        assert server.ask("GET", meters.AT, **server.authorization())[0].status == 404
        assert server.ask("GET", "/api/status", **server.authorization())[0].status == 200
        assert "no meters in the page: SyntaxError" in server.log.read_text()
