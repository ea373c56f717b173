"""Downloads that go wrong: nothing is executed, the words say why, and the next run resumes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler as Handler
from pathlib import Path

import pytest
from one_task import TaskFailed
from small_distribution import answer, mirror, slowly
from test_conda_distribution import FIRST, Account
from test_conda_distribution_faults import converges
from test_conda_distribution_hosts import path_without

pytest_plugins = ["test_conda_distribution"]


def flipped(handler, content: bytes) -> None:
    answer(handler, content[:-3] + b"X" + content[-2:])


def flipped_at_the_end(handler, content: bytes) -> None:
    answer(handler, content[:-1] + b"X")


def half(handler, content: bytes) -> None:
    answer(handler, content[: len(content) // 2], len(content))


def page(handler, _content: bytes) -> None:
    answer(handler, b"<html>log in first</html>")


def empty(handler, _content: bytes) -> None:
    answer(handler, b"")


def missing(handler, _content: bytes) -> None:
    handler.send_error(404)


def gone(handler, _content: bytes) -> None:
    handler.send_error(410)


def to_http(handler, _content: bytes) -> None:
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1:9/Miniforge3.sh")
    handler.end_headers()


def in_a_circle(handler, _content: bytes) -> None:
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def forbidden(handler, _content: bytes) -> None:
    handler.send_error(403)


def busy(told: str, code: int = 429) -> Callable[[Handler, bytes], None]:
    """The first answer asks to wait; the second is the file."""
    asked: list[str] = []

    def instead(handler: Handler, content: bytes) -> None:
        asked.append(handler.path)
        if len(asked) > 1:
            answer(handler, content)
            return
        handler.send_response(code)
        handler.send_header("Retry-After", told)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return instead


CHECKSUM = "wrong checksum: sha256 [0-9a-f]{64}, expected [0-9a-f]{64}"
NOT_THERE = r"https://127.*Miniforge3-1.0-1-.*does not exist.*1\.0-1"
DOWNLOADS = {
    "one flipped byte": (flipped, CHECKSUM),
    "a flipped last byte": (flipped_at_the_end, CHECKSUM),
    "an HTML page": (page, "web page"),
    "an empty answer": (empty, "wrong checksum.*empty"),
    "a missing file": (missing, NOT_THERE),
    "a withdrawn file": (gone, NOT_THERE),
    "a redirect to http": (to_http, "redirects to plain http.*stays with https"),
    "a refusal": (forbidden, r"refuses to give it \(HTTP 403\)"),
}


@pytest.fixture(params=["curl", "wget"])
def client(request: pytest.FixtureRequest, account: Account) -> str:
    """The program that the host has for downloads."""
    other = {"curl": "wget", "wget": "curl"}[request.param]
    account.environment["PATH"] = str(path_without(account.directory, other))
    return request.param


@pytest.mark.fault("F3 wrong checksum", "F4 404, 410", "F6 HTML page", "F7 no bytes")
@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("fault", DOWNLOADS)
def test_a_bad_download_is_refused_and_never_executed(account: Account, fault: str) -> None:
    account.served.instead, words = DOWNLOADS[fault]
    with pytest.raises(TaskFailed, match=words):
        account.run()
    assert len(account.served.requests) == 1
    assert not account.prefix.exists()
    assert not list(Path(f"{account.prefix}.d").glob("miniforge-*"))
    assert not list(Path(f"{account.prefix}.d").glob("downloads/*"))
    if fault == "one flipped byte":
        converges(account)


@pytest.mark.fault("redirects in a circle")
@pytest.mark.usefixtures("client")
def test_redirects_that_lead_nowhere_are_named(account: Account) -> None:
    account.served.instead = in_a_circle
    with pytest.raises(TaskFailed, match="redirects in a loop") as failed:
        account.run()
    assert "resumes" not in str(failed.value)


BUSY = {"seconds": ("1", 429), "a date": ("Wed, 21 Oct 2015 07:28:00 GMT", 429), "503": ("1", 503)}


@pytest.mark.fault("a busy server")
@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("told", BUSY)
def test_a_server_that_asks_to_wait_is_asked_again(account: Account, told: str) -> None:
    account.served.instead = busy(*BUSY[told])
    assert account.run()["changed"] is True
    assert len([path for path in account.served.requests if path == f"/{FIRST}"]) == 2


@pytest.mark.usefixtures("client")
def test_a_server_that_asks_to_wait_too_long_is_not_waited_for(account: Account) -> None:
    account.served.instead = busy("3600")
    with pytest.raises(TaskFailed, match=r"HTTP 429.* wait 3600 s, longer than the 60 s"):
        account.run(download_timeout=60)


CONTROLLER = {
    "in a circle": (in_a_circle, "redirects in a loop"),
    "to http": (to_http, "redirects to plain http.*stays with https"),
    "refused": (forbidden, r"refuses to give it \(HTTP 403\)"),
    "too long": (busy("3600"), "asks to wait 3600 s, longer than the 60 s"),
}


@pytest.mark.parametrize("fault", CONTROLLER)
def test_the_controller_names_the_cause_too(account: Account, fault: str) -> None:
    account.served.instead, words = CONTROLLER[fault]
    with pytest.raises(TaskFailed, match=words):
        account.play(download_on="controller", download_timeout=60)


def test_the_controller_waits_as_it_is_asked(account: Account) -> None:
    account.served.instead = busy("1")
    assert account.play(download_on="controller")["changed"] is True


@pytest.mark.parametrize("fault", ["one flipped byte", "a missing file"])
def test_a_bad_download_does_not_leave_the_controller(account: Account, fault: str) -> None:
    account.served.instead = DOWNLOADS[fault][0]
    with pytest.raises(TaskFailed, match=r"wrong checksum|does not exist"):
        account.play(download_on="controller")
    assert account.everything() == [
        str(account.home / part) for part in (".cache", ".cache/hpcc.notebook")
    ]


@pytest.mark.fault("F1 truncated body")
@pytest.mark.usefixtures("client")
def test_a_truncated_download_resumes_where_it_stopped(account: Account) -> None:
    account.served.instead = half
    with pytest.raises(TaskFailed, match="cannot fetch"):
        account.run(download_timeout=3)
    (part,) = Path(f"{account.prefix}.d/downloads").glob("*.part")
    size = part.stat().st_size
    account.served.requests.clear()
    converges(account)
    assert f"/{FIRST} bytes={size}-" in account.served.requests


@pytest.mark.fault("F2 truncated chunks")
def test_an_answer_in_chunks_that_breaks_off_is_not_executed(account: Account) -> None:
    def broken_chunks(handler, content: bytes) -> None:
        handler.protocol_version = "HTTP/1.1"
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"100\r\n" + content[:256] + b"\r\n")
        handler.close_connection = True

    account.served.instead = broken_chunks
    with pytest.raises(TaskFailed, match="cannot fetch"):
        account.run(download_timeout=3)
    assert not list(Path(f"{account.prefix}.d").glob("miniforge-*"))
    converges(account)


@pytest.mark.fault("F1 on the controller")
def test_a_download_resumes_on_the_controller_too(account: Account) -> None:
    account.served.instead = half
    with pytest.raises(TaskFailed, match=r"it ended after .* run again: it resumes"):
        account.play(download_on="controller", download_timeout=3)
    (part,) = account.home.glob(".cache/hpcc.notebook/*.part")
    size = part.stat().st_size
    account.served.instead = None
    account.served.requests.clear()
    assert account.play(download_on="controller")["changed"] is True
    assert account.served.requests[0] == f"/{FIRST} bytes={size}-"


def test_a_failing_server_that_recovers_is_asked_again(account: Account) -> None:
    answers = [503, 500]

    def sometimes(handler, content: bytes) -> None:
        if answers:
            handler.send_error(answers.pop())
        else:
            answer(handler, content)

    account.served.instead = sometimes
    assert account.run()["changed"] is True


def drip(handler, content: bytes) -> None:
    """One byte a second."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(content)))
    handler.end_headers()
    for number in range(20):
        handler.wfile.write(content[number : number + 1])
        time.sleep(1)


@pytest.mark.fault("F8 stall, drip")
@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("how", [slowly(20), drip], ids=["stalled", "one byte a second"])
def test_a_download_that_takes_too_long_ends_at_the_deadline(account: Account, how) -> None:
    account.served.instead = how
    began = time.monotonic()
    with pytest.raises(TaskFailed, match="cannot fetch"):
        account.run(download_timeout=2)
    assert time.monotonic() - began < 15


@pytest.mark.fault("F12 proxy")
def test_a_useless_proxy_is_named(account: Account) -> None:
    with pytest.raises(TaskFailed, match=r"http://127\.0\.0\.1:9"):
        account.run(env={"https_proxy": "http://127.0.0.1:9", "no_proxy": ""})


@pytest.mark.fault("F10 self-signed")
def test_an_untrusted_certificate_is_refused(account: Account) -> None:
    trusted = dict.fromkeys(account.environment, "/etc/ssl/certs/ca-certificates.crt")
    with pytest.raises(TaskFailed, match="certificate"):
        account.run(env=trusted)


@pytest.mark.fault("F10 expired, wrong host")
@pytest.mark.parametrize(
    ("certificate", "words"),
    [({"address": "192.0.2.1"}, "127.0.0.1|subject name"), ({"days": -1}, "expired")],
    ids=["of another host", "expired"],
)
def test_a_bad_certificate_is_refused(
    account: Account, tmp_path: Path, certificate: dict, words: str
) -> None:
    (tmp_path / "other").mkdir()
    with mirror(tmp_path / "other", **certificate) as other:
        published = other.publish(FIRST, b"#!/bin/sh\n")
        trusted = dict.fromkeys(account.environment, str(other.certificate))
        with pytest.raises(TaskFailed, match=f"cannot fetch.*({words})"):
            account.run(env=trusted, **published)
        assert other.requests == []


def installer_requests(account: Account) -> list[str]:
    return [path for path in account.served.requests if path.startswith(f"/{FIRST}")]


@pytest.mark.fault("F13 cached")
@pytest.mark.parametrize("download_on", ["host", "controller"])
def test_a_good_cached_file_makes_no_request(account: Account, download_on: str) -> None:
    with pytest.raises(TaskFailed, match="installing the packages"):
        account.play(packages=["parcel>=99"], download_on=download_on)
    assert len(installer_requests(account)) == 1
    account.served.instead = missing  # as if the mirror were out of reach
    assert account.play(download_on=download_on)["changed"] is True
    assert len(installer_requests(account)) == 1


def test_a_cached_file_that_was_damaged_is_fetched_again(account: Account) -> None:
    with pytest.raises(TaskFailed, match="installing the packages"):
        account.run(packages=["parcel>=99"])
    (kept,) = Path(f"{account.prefix}.d/downloads").glob("*.sh")
    kept.write_bytes(kept.read_bytes()[:-1] + b"X")
    converges(account)
    assert len(installer_requests(account)) == 2


@pytest.mark.fault("T13 swapped file")
@pytest.mark.threat(13)
def test_what_is_swapped_after_its_checksum_is_not_executed(account: Account) -> None:
    canary = account.directory / "executed"
    first = account.directory / "first"
    first.mkdir()
    (first / "sha256sum").write_text(
        f"""#!/bin/sh
/usr/bin/sha256sum "$@"
for file in {account.prefix}.d/downloads/*; do printf 'touch {canary}\n' >"$file"; done
"""
    )
    (first / "sha256sum").chmod(0o755)
    with pytest.raises(TaskFailed, match=r"changed after its checksum.*deleted"):
        account.run(env={"PATH": f"{first}:{os.environ['PATH']}"})
    assert not canary.exists()
    assert not account.prefix.exists()
    converges(account)


@pytest.mark.fault("T13 another user")
def test_nobody_else_reaches_what_is_checked_and_executed(account: Account) -> None:
    broken = account.served.publish(FIRST, b"#!/bin/sh\nexit 1\n")
    with pytest.raises(TaskFailed, match="exit code 1"):
        account.run(**broken)
    account.directory.chmod(0o755)
    account.home.chmod(0o755)
    other = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"] * (os.getuid() == 0)
    for place in ("downloads", "work", "logs"):
        where = Path(f"{account.prefix}.d/{place}")
        assert where.stat().st_mode & 0o777 == 0o700
        if other:
            done = subprocess.run(
                [*other, "ls", where], capture_output=True, text=True, check=False
            )
            assert "Permission denied" in done.stderr
