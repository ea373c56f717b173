"""From what one node says, the server is found wherever it runs, and nothing else is believed."""

import base64
import hashlib
import json
import re
from dataclasses import asdict, replace

import pytest
import server_answers
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._server import discovery
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as server_record

RECORD = replace(server_answers.RECORD, certificate_sha256="AA:BB")
ANSWERS = {
    "host": ["dev1"],
    "user": ["alice"],
    "uid": ["1001"],
    "ssh_port": ["22"],
    "boot_id": ["b"],
    "started": ["99"],
}


def line(**changed):
    text = server_record.serialise(server_record.Record(**{**asdict(RECORD), **changed})).decode()
    host = changed.get("host", RECORD.host)
    return f"{host}.json {text}".replace("\n", "")


def seen(*records, **changed):
    return discovery.node({**ANSWERS, "record": list(records), **changed})


def test_a_server_of_this_node_is_reported_as_the_module_would():
    node = seen(line(host="dev2"), line())
    record = discovery.choose(node)
    server = discovery.server(node, record)
    assert (server["host"], server["user"]) == ("dev1", "alice")
    assert server["socket"] == "/tmp/nbserver-1001/notebook.sock"
    assert server["state"] == "started"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"boot_id": ["other"]}, "dev1: no notebook server is running: the host was rebooted"),
        ({"started": [""]}, "the server of 2026-07-18T09:30:00Z is gone"),
        ({"started": ["100"]}, "is gone"),
    ],
)
def test_a_record_that_does_not_hold_any_more_is_no_server(changed, reason):
    with pytest.raises(NotebookError, match=reason) as refused:
        discovery.choose(seen(line(), **changed))
    assert "hpcc.notebook.start" in str(refused.value)


def test_without_any_record_it_says_how_to_start():
    with pytest.raises(discovery.NoServer, match="no server was started here"):
        discovery.choose(seen())


def test_the_newest_server_of_another_node_is_found_when_here_is_none():
    older = line(host="dev3", since="2026-07-17T09:30:00Z")
    assert discovery.choose(seen(older, line(host="dev2"))).host == "dev2"


def test_the_certificate_that_the_profile_has_now_is_trusted_beside_that_of_the_start():
    pem = f"-----BEGIN CERTIFICATE-----{base64.b64encode(b'der').decode()}-----END CERTIFICATE-----"
    node = seen(line(), certificate=[pem])
    first, second = discovery.fingerprints(node, RECORD)
    assert first == "AA:BB"
    assert second.replace(":", "").lower() == hashlib.sha256(b"der").hexdigest()


@pytest.mark.parametrize("pem", ["", "garbage", "-----BEGIN CERTIFICATE-----!!-----END"])
def test_a_damaged_certificate_file_adds_no_trust(pem):
    assert discovery.fingerprints(seen(line(), certificate=[pem]), RECORD) == ("AA:BB",)


def test_a_damaged_record_of_another_host_is_left_to_that_host():
    assert discovery.choose(seen("dev2.json {", line())).host == "dev1"


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {**ANSWERS, "uid": ["x"]},
        {**ANSWERS, "ssh_port": ["22;id"]},
        {**ANSWERS, "record": ["dev1.json []"]},
        {**ANSWERS, "record": ["dev1.json {"]},
        {**ANSWERS, "record": [line(host="dev2").replace("dev2.json", "dev1.json")]},
    ],
)
def test_an_answer_that_is_none_is_refused_in_one_line(answers):
    with pytest.raises(NotebookError):
        discovery.node(answers)


@pytest.mark.parametrize(
    ("job", "end", "told"),
    [
        ({"mark": "a", "job": "5"}, None, "job 5 does not serve; `status` asks its scheduler why"),
        ({"mark": "a", "job": "5"}, {"mark": "b", "reason": "x"}, "job 5 does not serve"),
        (
            {"mark": "a", "job": "5"},
            {"mark": "a", "reason": "walltime of 00:02:00 reached"},
            "job 5 ended: walltime of 00:02:00 reached",
        ),
    ],
)
def test_a_job_that_does_not_serve_is_told_with_what_it_left(job, end, told):
    answers = {"job": [json.dumps(job)], "job_end": [json.dumps(end) if end else ""]}
    with pytest.raises(NotebookError, match=re.escape(f"no notebook server is running: {told}")):
        discovery.choose(seen(**answers))


def test_a_job_that_is_over_is_told_with_the_one_that_follows_it():
    over, end = {"mark": "a", "job": "5"}, {"mark": "a", "reason": "x"}
    answers = {"job": [json.dumps(over)], "job_end": [json.dumps(end)]}
    with pytest.raises(NotebookError, match="job 5 ended: x; job 6 is to follow it"):
        discovery.choose(seen(**answers, job_next=[json.dumps({"mark": "b", "job": "6"})]))


@pytest.mark.parametrize("text", ["", "{", "[]", "null"])
def test_a_damaged_record_of_a_job_does_not_hide_a_server(text):
    node = seen(line(), job=[text], job_end=[text])
    assert discovery.choose(node).host == "dev1"


def test_a_server_that_is_reached_through_another_node_is_found_there():
    relay = {"relay": "dev1", "relay_socket": "/tmp/nbserver-1001/job.sock"}
    record = discovery.choose(node := seen(line(host="c1", job="5", **relay)))
    server = discovery.server(node, record)
    assert (record.entered, server["host"], server["relay"]) == ("dev1", "c1", "dev1")
    assert server["socket"] == "/tmp/nbserver-1001/job.sock"


def test_a_server_that_is_a_job_is_found_with_its_end():
    node = seen(line(host="c1", job="5", ends="2026-07-18T17:20:00Z"))
    server = discovery.server(node, discovery.choose(node))
    assert (server["host"], server["job"], server["ends"]) == ("c1", "5", "2026-07-18T17:20:00Z")
